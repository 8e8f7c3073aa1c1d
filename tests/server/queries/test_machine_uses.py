"""What SQL says of thousands of sessions at machines is what policy/sessions.py says of each."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from random import Random

import pytest

from policy.sessions import Session as Use
from policy.terms import HOUR, MINUTE, SECOND, Instant
from server.database.engine import Database
from server.database.types import moment
from server.models import JournalRow, MachineSession
from server.queries.machine_ends import AT_ONCE, OVER, End, ends, used_by
from server.queries.machine_uses import overran_since, ran_between, ran_by
from server.queries.no_shows import no_shows
from tests.support_server import statements
from tests.support_site import at
from wire.row import Kind

EDGES = [at(8), at(11), at(14)]
NOW = at(14)


@pytest.fixture
def uses(database: Database) -> list[Use]:
    """Short and long ones, over one edge and over all; some run, some were cut off, some went on for longer."""
    found = list(_made(Random(7)))
    with database.transaction() as session:
        for one in found:
            times = {"until": one.until, "ended": one.end}
            session.add(
                MachineSession(
                    machine=one.machine, member=one.member, kind=one.kind, started=moment(one.start), cuts=one.cuts,
                    edge="front", heard=moment(NOW), **{name: at_ and moment(at_) for name, at_ in times.items()},
                )
            )  # fmt: skip
    return found


def _made(random: Random) -> Iterator[Use]:
    for start in sorted(random.sample(range(at(7), NOW), 200)):
        until = random.choice((None, start + random.randrange(3 * HOUR)))
        end = random.choice((None, start + random.randrange(4 * HOUR), start, until))
        end = (
            until + random.choice((AT_ONCE, -AT_ONCE, OVER, OVER + 1, -AT_ONCE - 1))
            if random.random() < 0.2 and until
            else end
        )
        yield Use(
            random.choice("abc"),
            "kind",
            random.choice("mno"),
            start,
            until,
            random.random() < 0.5,
            end and max(end, start),
        )


def whole(use: Use, start: Instant, end: Instant) -> int:
    """As SQL counts: between the seconds in which it began and was over."""
    over = _over(use)
    return min(over, end) // SECOND - max(use.start, start) // SECOND


def _over(use: Use) -> Instant:
    """Of one that runs, now."""
    over = NOW if use.over is None else use.over
    return min(over, NOW) if use.end is None else over


def test_seconds_by_month_and_in_all(database: Database, uses: list[Use]) -> None:
    with database.reading() as session:
        found = ran_by(session, NOW, EDGES)
        between = [ran_between(session, NOW, *span) for span in pairwise(EDGES)]
    assert set(found) == {"a", "b", "c"}
    for machine, (all_, parts) in found.items():
        theirs = [one for one in uses if one.machine == machine and _over(one) != one.start]
        assert all_ == sum(whole(one, 0, 1 << 60) for one in theirs)
        for part, known, (start, end) in zip(parts, between, pairwise(EDGES), strict=True):
            then = [one for one in theirs if one.overlaps(start, end)]
            assert part == sum(whole(one, start, end) for one in then) == known[machine].seconds
            assert known[machine].users == len({one.member for one in then})


def test_a_machine_that_did_not_run_in_a_month_is_not_said_to_have_run_for_no_time(database: Database) -> None:
    with database.transaction() as session:
        begun = {"member": "m", "kind": "kind", "cuts": False, "edge": "front", "heard": moment(NOW)}
        session.add(MachineSession(machine="a", started=moment(at(9)), ended=moment(at(9) + 5), until=None, **begun))
    with database.reading() as session:
        assert ran_by(session, NOW, EDGES) == {"a": (0, [0, None])}


def test_how_sessions_ended_and_who_used_what(database: Database, uses: list[Use]) -> None:
    start, end = EDGES[0], EDGES[-1]
    then = [one for one in uses if start <= one.start < end]
    assert {_how(one) for one in then} == set(End) - {End.STOP, End.ORDER}
    stopped = next(one for one in then if _how(one) is End.BEFORE and one.over is not None)
    expected = Counter((one.machine, _how(one)) for one in then)
    with database.reading() as session:
        found = ends(session, start, end, NOW)
        users = used_by(session, start, end)
    assert (
        Counter({(machine, how): count for machine, all_ in found.items() for how, count in all_.items()}) == expected
    )
    assert users == {machine: {one.member for one in then if one.machine == machine} for machine in "abc"}
    assert stopped.over is not None
    with database.transaction() as session:
        session.add(
            JournalRow(
                edge="front", journal="j", seq=1, at=moment(stopped.over + AT_ONCE), received=moment(NOW), mono_ms=0,
                boot="b", clock="synced", kind=Kind.ESTOP, access_point=stopped.machine, pending=False,
            )
        )  # fmt: skip
    near = [
        one
        for one in then
        if one.machine == stopped.machine
        and one.over is not None
        and one.over <= NOW
        and abs(one.over - stopped.over - AT_ONCE) <= AT_ONCE
    ]
    expected.subtract((one.machine, _how(one)) for one in near)
    expected[stopped.machine, End.STOP] = len(near)
    with database.reading() as session:
        found = ends(session, start, end, NOW)
    assert {(machine, how): n for machine, all_ in found.items() for how, n in all_.items() if n} == +expected


def _how(use: Use) -> End:
    if use.over is None or use.over > NOW:
        return End.RUNS
    if use.until is None or use.over < use.until - AT_ONCE:
        return End.BEFORE
    return End.OVERRUN if use.over > use.until + OVER else End.HOUR


def test_those_that_went_on_for_longer(database: Database, uses: list[Use]) -> None:
    late = [one for one in uses if one.until is not None and (one.over is None or one.over > one.until)]
    with database.reading() as session:
        found = overran_since(session, at(9))
    expected = {(one.machine, one.start, one.until) for one in late if one.over is None or one.over >= at(9)}
    assert {(one.machine, one.start, one.until) for one in found if one.over != one.start} == expected


@pytest.mark.sqlite
def test_of_a_booking_the_sessions_of_its_member_alone_are_looked_at(database: Database) -> None:
    """Twenty machines in use all day have two thousand sessions in a month, and as many bookings."""
    with database.reading() as session, statements(database) as asked:
        no_shows(session, (at(8), at(9) + MINUTE), NOW)
        (sql, told) = next((sql, told) for sql, told in asked if "booking.late" in sql)
        plan = str(session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", told).all())
    assert "ix_machine_session_member (member=? AND started<?)" in plan, plan
