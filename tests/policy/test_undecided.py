"""What needs a rule that is not decided yet is refused by name; what is decided, or only counted, is let through."""

from typing import Any

import pytest

from policy.errors import BundleError
from policy.undecided import refuse_undecided
from tests.support_policy import TUESDAY, read, site

EVENING = {"start": TUESDAY + "18:00", "end": TUESDAY + "22:00"}
MACHINES = [{"id": "cnc", "kind": "cnc", "reader": "cnc-r"}]
FRONT = [point for point in site()["access_points"] if point["id"] == "front"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"site_at_capacity": "deny"}, "site.at_capacity deny"),
        ({"site_anti_passback": "soft"}, "site.anti_passback soft"),
        ({"site_anti_passback": "hard", "access_points": FRONT}, "site.anti_passback hard"),
        ({"site_adhoc_hours": 2}, "site.adhoc_hours 2"),
        ({"tiers": [*site()["tiers"], {"id": "cleaner", "grounds": ["hours"]}]}, "tiers[3].grounds hours (of cleaner)"),
        ({"events": [{"id": "e", "title": "E", "audience": "public", **EVENING}]}, "events"),
        ({"invitations": [{"id": "i", "member": "remy", **EVENING}]}, "invitations"),
        ({"certifications": [{"member": "remy", "kind": "cnc"}]}, "certifications"),
        ({"quotas": [{"kind": "cnc", "minutes": 1, "period": "week"}]}, "quotas"),
        ({"machines": MACHINES}, "machines"),
        (
            {"machines": MACHINES, "bookings": [{"id": "b", "machine": "cnc", "member": "remy", **EVENING}]},
            "machines, bookings",
        ),
    ],
)
def test_each_key_that_needs_a_rule_to_come(changes: dict[str, Any], named: str) -> None:
    bundle = read(site(tiers=site()["tiers"], **changes) if "tiers" not in changes else site(**changes))
    with pytest.raises(BundleError) as error:
        refuse_undecided(bundle, "site.json")
    expected = f"site.json: {named} needs a rule that this version does not decide yet: leave it out"
    assert str(error.value) == expected


def test_many_of_them_are_counted_rather_than_listed() -> None:
    tiers = [*site()["tiers"], *({"id": f"t{number}", "grounds": ["hours"]} for number in range(9))]
    with pytest.raises(BundleError, match=r"^bundle: tiers\[3\].*tiers\[8\].grounds hours \(of t5\) and 3 more needs"):
        refuse_undecided(read(site(tiers=tiers)))


def test_what_doors_decide_today_passes() -> None:
    decided = site(
        site_holidays="FR",
        site_capacity=100,
        site_closures=[{"from": "2026-12-24", "to": "2026-12-26"}],
        site_openings=[{"date": "2026-12-24", "hours": [["10:00", "12:00"]]}],
        passes=[{"id": "p", "member": "remy", "unit": "day", "total": 10}],
    )
    bundle = read(decided)
    refuse_undecided(bundle)
    assert bundle.passes
