"""What lets a member in: a tier's own grounds, invitations, events, and which of them is named."""

from typing import Any

import pytest

from policy.reasons import Reason
from tests.support_policy import BRIGITTE, REMY, TUESDAY, decided, in_since, ruling, site

GUEST = {"id": "i", "member": "brigitte", "start": TUESDAY + "20:00", "end": TUESDAY + "21:00"}
PARTY = {"id": "e", "title": "E", "start": TUESDAY + "20:00", "end": TUESDAY + "21:00", "audience": "members"}
NOMAD = {"id": "nomad", "grounds": ["hours"], "hours": {"tue": [["20:00", "21:00"]]}}


def tiers(**nomad: Any) -> list[dict[str, Any]]:
    return [{**tier, **nomad} if tier["id"] == "nomad" else tier for tier in site()["tiers"]]


def reason(when: str, reader: str = "front-in", uid: str = BRIGITTE, **changes: Any) -> Reason:
    return decided(ruling(**changes), reader, uid, TUESDAY + when).reason


def test_an_invitation_is_for_one_member_for_a_while() -> None:
    assert reason("19:59:59.999", invitations=[GUEST]) == Reason.OUTSIDE_HOURS
    assert reason("20:00", invitations=[GUEST]) == Reason.INVITED
    assert reason("20:59:59.999", invitations=[GUEST]) == Reason.INVITED
    assert reason("21:00", invitations=[GUEST]) == Reason.OUTSIDE_HOURS
    assert reason("20:00", invitations=[{**GUEST, "member": "sarah"}]) == Reason.OUTSIDE_HOURS


def test_an_event_is_for_every_member_whatever_their_tier() -> None:
    nobody = [{**tier, "grounds": []} for tier in site()["tiers"]]
    assert reason("20:00", events=[PARTY], tiers=nobody) == Reason.EVENT
    assert reason("20:00", events=[PARTY], tiers=nobody, uid=REMY) == Reason.EVENT
    assert reason("21:00", events=[PARTY], tiers=nobody) == Reason.OUTSIDE_HOURS


@pytest.mark.parametrize("collection", ["events", "invitations"])
def test_both_open_the_doors_that_they_name_and_all_when_they_name_none(collection: str) -> None:
    one = PARTY if collection == "events" else GUEST
    welcome = Reason.EVENT if collection == "events" else Reason.INVITED
    assert reason("20:00", "garage-in", **{collection: [one]}) == welcome
    assert reason("20:00", "garage-in", **{collection: [{**one, "access_points": ["garage"]}]}) == welcome
    assert reason("20:00", "front-in", **{collection: [{**one, "access_points": ["garage"]}]}) == Reason.OUTSIDE_HOURS
    assert reason("20:00", "front-in", **{collection: [{**one, "access_points": []}]}) == Reason.OUTSIDE_HOURS


def test_no_event_opens_a_door_that_is_not_one_of_the_tier() -> None:
    assert reason("20:00", "garage-in", events=[PARTY], tiers=tiers(access_points=["front"])) == Reason.NOT_ALLOWED_HERE


def test_a_tier_has_hours_of_its_own() -> None:
    own = [NOMAD, *site()["tiers"][::2]]
    assert reason("20:00", tiers=own) == Reason.TIER_HOURS
    assert reason("21:00", tiers=own) == Reason.OUTSIDE_HOURS
    assert reason("10:00", tiers=own) == Reason.OUTSIDE_HOURS
    assert reason("20:00", tiers=tiers(hours=NOMAD["hours"])) == Reason.OUTSIDE_HOURS


def test_the_first_ground_in_the_order_of_the_table_is_named() -> None:
    """All six hold at half past five; one after the other is taken away."""
    everything: dict[str, Any] = {
        "events": [{**PARTY, "start": TUESDAY + "17:00"}],
        "invitations": [{**GUEST, "start": TUESDAY + "17:00"}],
    }
    grounds = ["held", "staffed", "hours", "always"]
    expected = [Reason.ALWAYS, Reason.TIER_HOURS, Reason.STAFFED_HOURS, Reason.GARDIEN_PRESENT]
    hours = {"tue": [["17:00", "18:00"]]}

    def named() -> Reason:
        rules = ruling(tiers=tiers(grounds=grounds, hours=hours), **everything)
        return decided(rules, "front-in", BRIGITTE, TUESDAY + "17:45", in_since(TUESDAY + "17:40", "gregoire")).reason

    for reason in expected:
        assert named() == reason
        grounds.pop()
    assert named() == Reason.INVITED
    everything["invitations"] = []
    assert named() == Reason.EVENT
    everything["events"] = []
    assert named() == Reason.OUTSIDE_HOURS
