"""The four degrees of how sure it is that the place is open, by their table, and against a reading of it."""

from itertools import pairwise
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from policy.compile import shift_table
from policy.degrees import LATE, By, Known, degree, stretches
from policy.opening import Degree
from policy.presence import Move, Presence
from policy.spans import covers, pairs
from policy.state import holders, is_staffed
from policy.terms import DAY, HOUR, MINUTE, Instant
from tests.support_policy import PARIS, TUESDAY, at, compiled, in_since, known, read, site


def asked(
    when: str, here: Presence | None = None, *, heard: bool = True, lockdown: bool = False, **site_: Any
) -> Known:
    bundle, now = read(site(**site_)), at(TUESDAY + when)
    plain = shift_table(bundle, zone=PARIS, holidays=lambda year: (), since=now - DAY)
    return Known(compiled(bundle, now), plain, known(TUESDAY + when, here, lockdown=lockdown), now, heard)


def told(when: str, about: str, here: Presence | None = None, **fields: Any) -> Degree:
    return degree(asked(when, here, **fields), at(TUESDAY + about)).degree


HERE = in_since(TUESDAY + "17:40", "gregoire")


@pytest.mark.parametrize(
    ("when", "about", "here", "wanted"),
    [
        ("10:00", "10:00", None, Degree.SURE),
        ("08:00", "10:00", None, Degree.SURE),
        ("08:00", "08:00", None, Degree.NOBODY),
        ("10:00", "19:00", None, Degree.PROBABLE),
        ("17:50", "19:00", HERE, Degree.SURE),
        ("18:14", "18:14", None, Degree.PROBABLE),
        ("18:15", "18:15", None, Degree.UNCERTAIN),
        ("18:15", "21:59", None, Degree.UNCERTAIN),
        ("18:30", "18:30", HERE, Degree.SURE),
        ("18:30", "22:00", HERE, Degree.NOBODY),
        ("22:10", "22:10", HERE, Degree.SURE),
        ("22:10", "22:11", HERE, Degree.NOBODY),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_table(when: str, about: str, here: Presence | None, wanted: Degree) -> None:
    assert told(when, about, here) is wanted


def test_without_a_word_of_the_door_nothing_is_sure() -> None:
    assert told("10:00", "10:00", heard=False) is Degree.PROBABLE
    assert told("18:30", "18:30", HERE, heard=False) is Degree.PROBABLE


def test_in_a_lockdown_nobody_opens() -> None:
    assert told("10:00", "10:00", lockdown=True) is Degree.NOBODY


def test_who_was_there_and_left_is_in_no_doubt() -> None:
    left = Presence([("gregoire", Move(at(TUESDAY + "18:20"), inside=False))])
    assert told("18:30", "18:30", left) is Degree.PROBABLE
    before = Presence([("gregoire", Move(at(TUESDAY + "17:20"), inside=False))])
    assert told("18:30", "18:30", before) is Degree.UNCERTAIN


def test_a_shift_of_whoever_may_not_hold_the_place_is_none() -> None:
    members = [{**part, "status": "suspended"} if part["id"] == "gregoire" else part for part in site()["members"]]
    assert told("10:00", "19:00", members=members) is Degree.NOBODY


def test_until_is_the_end_of_what_is_as_sure_or_surer() -> None:
    assert degree(asked("10:00"), at(TUESDAY + "10:00")).until == at(TUESDAY + "18:00")
    early = [{"id": "s0", "gardien": "gregoire", "start": TUESDAY + "07:00", "end": TUESDAY + "09:00"}]
    assert degree(asked("06:00", shifts=early), at(TUESDAY + "08:00")).until == at(TUESDAY + "18:00")
    assert degree(asked("06:00", shifts=[]), at(TUESDAY + "06:00")).until is None


def test_it_says_when_to_ask_again() -> None:
    assert degree(asked("18:05"), at(TUESDAY + "18:05")).ask_again == at(TUESDAY + "18:15")
    assert degree(asked("18:05"), at(TUESDAY + "18:10")).ask_again == at(TUESDAY + "18:10")
    assert degree(asked("10:00"), at(TUESDAY + "10:00")).ask_again == at(TUESDAY + "17:30")


def test_an_event_opens_to_members_where_nobody_else_does() -> None:
    day = {"id": "e", "title": "Journée", "start": TUESDAY + "20:00", "end": TUESDAY + "23:00", "audience": "members"}
    found = stretches(asked("10:00", events=[day]), at(TUESDAY + "17:00"), at(TUESDAY + "23:30"))
    assert [(one.by, one.degree, one.end - one.start) for one in found] == [
        (By.STAFFED, Degree.SURE, HOUR),
        (By.GARDIEN, Degree.PROBABLE, 4 * HOUR),
        (By.EVENT, Degree.SURE, HOUR),
        (None, Degree.NOBODY, HOUR // 2),
    ]


def reading(one: Known, about: Instant) -> Degree:
    """The table of the four degrees, line by line, as somebody reads it who walks minute by minute."""
    rules, state, now = one.rules, one.state, one.at
    here = state.presence.inside(rules.day_start(now))

    def in_shift(when: Instant, who: str, lead: int = 0, grace: int = 0) -> bool:
        return any(start - lead <= when < end + grace for start, end in pairs(one.shifts.get(who, ())))

    def kept(when: Instant) -> bool:
        inside = [who for who in one.shifts if who in here]
        return is_staffed(rules, when) or any(
            in_shift(when, who, rules.shift_lead, rules.shift_grace) for who in inside
        )

    def doubted(who: str) -> bool:
        start = max(start for start, end in pairs(one.shifts[who]) if start <= about < end)
        move = state.presence.moves.get(who)
        seen = who in here or (move is not None and move.at >= start - rules.shift_lead)
        return now >= start + LATE and not seen

    shifts = [who for who in one.shifts if in_shift(about, who)]
    chain = all(kept(when) for when in range(now, about + 1, MINUTE))
    if is_staffed(rules, about) or (about == now and holders(rules, state, now)):
        return Degree.SURE
    if chain and any(in_shift(about, who) for who in here):
        return Degree.SURE
    if any(not doubted(who) for who in shifts):
        return Degree.PROBABLE
    return Degree.UNCERTAIN if shifts else Degree.NOBODY


def test_the_table_read_minute_by_minute_says_the_same() -> None:
    chance = Random(4)
    members = [
        {**part, "roles": ["gardien"]} if part["id"] in ("remy", "sarah") else part for part in site()["members"]
    ]
    for _ in range(60):
        shifts = [
            {
                "id": f"s{who}{n}",
                "gardien": who,
                "start": f"{TUESDAY}{start:02}:{chance.choice(('00', '30'))}",
                "end": f"{TUESDAY}{min(23, start + chance.randrange(1, 5)):02}:45",
            }
            for who in ("gregoire", "remy", "sarah")
            for n in range(chance.randrange(3))
            if (start := chance.randrange(6, 22))
        ]
        now = f"{chance.randrange(5, 23):02}:{chance.choice(('00', '10', '20', '40'))}"
        moves = [
            (who, Move(at(TUESDAY + now) - chance.randrange(1, 300) * MINUTE, inside=chance.random() < 0.6))
            for who in ("gregoire", "remy", "sarah")
            if chance.random() < 0.6
        ]
        one = asked(now, Presence(moves), members=members, shifts=shifts)
        for _ in range(8):
            about = one.at + chance.choice((0, chance.randrange(0, 600))) * MINUTE
            assert degree(one, about).degree is reading(one, about), (now, shifts, moves, (about - one.at) // MINUTE)


def test_stretches_have_no_gap_and_say_what_degree_says() -> None:
    one = asked("10:00")
    found = stretches(one, one.at, one.at + 3 * DAY)
    assert [a.end for a in found[:-1]] == [b.start for b in found[1:]]
    assert (found[0].start, found[-1].end) == (one.at, one.at + 3 * DAY)
    assert all(degree(one, stretch.start).degree is stretch.degree for stretch in found)
    for first, second in pairwise(found):
        assert replace(first, start=0, end=0) != replace(second, start=0, end=0)
    assert covers(one.rules.staffed, one.at)


def test_an_offered_shift_is_in_doubt_unless_its_gardien_is_inside() -> None:
    offered = {"gregoire": (at(TUESDAY + "20:00"), at(TUESDAY + "22:00"))}
    early = replace(asked("10:00"), offered=offered)
    assert degree(early, at(TUESDAY + "19:00")).degree is Degree.PROBABLE
    assert degree(early, at(TUESDAY + "19:00")).until == at(TUESDAY + "20:00")
    assert degree(early, at(TUESDAY + "20:00")).degree is Degree.UNCERTAIN
    assert degree(replace(asked("20:30", HERE), offered=offered), at(TUESDAY + "20:30")).degree is Degree.SURE
    assert degree(replace(asked("19:50", None), offered=offered), at(TUESDAY + "19:50")).ask_again == at(
        TUESDAY + "20:00"
    )
