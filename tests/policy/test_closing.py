"""The last gardien goes: when the tap is marked, who is left, and which second tap closes. tests/scenarios/closing.json
has the evening whole."""

from collections.abc import Callable
from typing import Any

import pytest

from policy.case import Decision, Mark
from policy.closing import left
from policy.pairs import CLOSING_MS, LastTap, Pairs
from policy.presence import Presence
from policy.reasons import Reason
from policy.state import SiteState
from policy.terms import Direction
from tests.support_policy import (
    GREGOIRE,
    TUESDAY,
    at,
    compiled,
    decided,
    in_since,
    read,
    ruling,
    site,
    with_part,
)

MARKED = (Mark.LEFT_INSIDE,)


def leaves(when: str, presence: Presence, **changes: Any) -> Decision:
    return decided(ruling(**changes), "front-out", GREGOIRE, TUESDAY + when, presence)


def evening(*others: str) -> Presence:
    return in_since(TUESDAY + "18:30", "gregoire", *others)


def test_who_is_left_are_those_whom_nothing_lets_stay() -> None:
    """Staff, a resident at any hour, an invitation or event anywhere stay; so does nobody whom the site has no more."""
    here = evening("brigitte", "alice", "remy", "gone")
    assert left(ruling(), SiteState(here), at(TUESDAY + "21:00"), without="gregoire") == ("brigitte",)
    invited = {"id": "i", "member": "brigitte", "start": TUESDAY + "20:00", "end": TUESDAY + "22:00"}
    garage = {**invited, "access_points": ["garage"]}
    assert left(ruling(invitations=[garage]), SiteState(here), at(TUESDAY + "21:00"), without="gregoire") == ()


def test_the_last_gardien_s_tap_is_marked_while_somebody_is_left() -> None:
    assert leaves("21:00", evening("brigitte")).marks == MARKED
    assert leaves("21:00", evening("remy")).marks == ()
    assert leaves("21:00", evening("brigitte")).closed is None


def test_while_the_place_is_staffed_or_held_by_another_nobody_is_last() -> None:
    early = in_since(TUESDAY + "17:40", "gregoire", "brigitte")
    assert leaves("17:59:59", early).marks == ()
    assert leaves("18:00", early).marks == MARKED
    both = [*site()["shifts"], {"id": "s2", "gardien": "alice", "start": TUESDAY + "18:00", "end": TUESDAY + "22:00"}]
    staff = with_part("members", "alice", roles=["gardien"])
    assert leaves("21:00", evening("brigitte", "alice"), shifts=both, members=staff).marks == ()


@pytest.mark.parametrize(
    ("when", "marks"), [("21:59:59.999", ()), ("22:00", MARKED), ("23:59", MARKED), ("27:59", MARKED), ("28:00", ())]
)
def test_of_a_suspended_one_the_end_of_a_shift_counts_on_that_site_day(when: str, marks: tuple[Mark, ...]) -> None:
    """He held nothing; the place is his to close all the same once his shift is over."""
    hour = int(when[:2])
    written = f"2026-11-{24 + hour // 24}T{hour % 24:02}{when[2:]}"
    here = in_since(TUESDAY + "18:30", "brigitte") if hour < 28 else in_since("2026-11-25T04:00", "brigitte")
    rules = ruling(members=with_part("members", "gregoire", status="suspended"))
    assert decided(rules, "front-out", GREGOIRE, written, here).marks == marks


def test_each_shift_has_an_end_of_its_own() -> None:
    """Two that touch are two."""
    two = [
        {"id": "s1", "gardien": "gregoire", "start": TUESDAY + "18:00", "end": TUESDAY + "20:00"},
        {"id": "s2", "gardien": "gregoire", "start": TUESDAY + "20:00", "end": TUESDAY + "22:00"},
    ]
    rules = ruling(members=with_part("members", "gregoire", status="suspended"), shifts=two)
    here = in_since(TUESDAY + "18:30", "brigitte")
    assert decided(rules, "front-out", GREGOIRE, TUESDAY + "19:59", here).marks == ()
    assert decided(rules, "front-out", GREGOIRE, TUESDAY + "20:30", here).marks == MARKED


def test_a_shift_of_two_taps_is_a_shift() -> None:
    made = {"gregoire": {(at(TUESDAY + "18:30"), at(TUESDAY + "20:30"))}}
    found = [
        decided(ruling(shifts=[]), "front-out", GREGOIRE, TUESDAY + when, evening("brigitte"), adhoc=adhoc).marks
        for when, adhoc in (("20:00", made), ("20:50", made), ("20:00", {}))
    ]
    assert found == [MARKED, MARKED, ()]


def test_the_second_tap_closes_and_is_not_marked() -> None:
    decision = decided(ruling(), "front-out", GREGOIRE, TUESDAY + "21:00", evening("brigitte", "remy"), second=True)
    assert decision == Decision(True, Reason.EGRESS, "gregoire", closed=("brigitte",))


def test_edges_one_version_behind_get_what_they_read_and_nobody_is_marked() -> None:
    rules = compiled(read(site()), at(TUESDAY + "12:00"), speaks=3)
    assert (rules.planned, rules.shifts != {}) == ({}, True)
    assert decided(rules, "front-out", GREGOIRE, TUESDAY + "21:00", evening("brigitte")).marks == ()


OUT = LastTap("front-out", "badge", 100.0)


@pytest.mark.parametrize(
    ("reader", "credential", "seconds", "second"),
    [
        ("front-out", "badge", CLOSING_MS / 1000, True),
        ("garage-out", "badge", 1.0, True),
        ("front-out", "badge", 20.001, False),
        ("front-out", "other", 1.0, False),
    ],
)
def test_the_second_tap_is_the_same_badge_on_any_way_out(
    reader: str, credential: str, seconds: float, second: bool
) -> None:
    pairs = Pairs()
    assert not pairs.at_door(OUT, Direction.OUT)
    pairs.decided(MARKED)
    assert pairs.at_door(LastTap(reader, credential, OUT.mono + seconds), Direction.OUT) is second


def test_what_stands_between_ends_the_pair() -> None:
    """A stranger's tap, a machine's; not a badge that is laid on a machine again, and not one that was not marked."""
    cases: tuple[tuple[Callable[[Pairs], object], bool], ...] = (
        (lambda pairs: pairs.at_door(LastTap("front-in", "other", 101.0), Direction.IN), False),
        (lambda pairs: pairs.at_machine(LastTap("laser", "other", 101.0), again=False), False),
        (lambda pairs: pairs.at_machine(LastTap("laser", "other", 101.0), again=True), True),
        (lambda pairs: None, True),
    )
    for between, second in cases:
        pairs = Pairs()
        pairs.at_door(OUT, Direction.OUT)
        pairs.decided(MARKED)
        between(pairs)
        assert pairs.at_door(OUT._replace(mono=102.0), Direction.OUT) is second
    unmarked = Pairs()
    unmarked.at_door(OUT, Direction.OUT)
    unmarked.decided(())
    assert not unmarked.at_door(OUT, Direction.OUT)


def test_a_third_tap_is_no_second_one() -> None:
    pairs = Pairs()
    pairs.at_door(OUT, Direction.OUT)
    pairs.decided(MARKED)
    assert pairs.at_door(OUT, Direction.OUT)
    pairs.decided(())
    assert not pairs.at_door(OUT, Direction.OUT)


def test_laid_on_a_machine_again_a_badge_stands_between_two_taps_that_open() -> None:
    pairs = Pairs()
    inside = LastTap("front-in", "badge", 100.0)
    pairs.at_door(inside, Direction.IN)
    pairs.at_machine(LastTap("laser", "other", 101.0), again=True)
    assert not pairs.at_door(inside._replace(mono=102.0), Direction.IN)
