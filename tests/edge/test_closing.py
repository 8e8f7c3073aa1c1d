"""The last gardien goes: what lamp, rows and memory of the door do. tests/policy/test_closing.py has the rules."""

from msgspec import structs

from edge.events import RulesSwapped
from edge.held import HeldRules
from edge.patterns import PEOPLE_INSIDE, people_inside
from policy.case import Mark
from policy.presence import Move
from policy.ruleset import Member
from policy.terms import DAY, ClockState
from tests.edge.test_door import Bench
from tests.support_site import GREGOIRE, at, small_rules
from wire.row import Kind


def evening(*others: str) -> Bench:
    here = {who: Move(at(18, 30), inside=True) for who in ("gregoire", *others)}
    return Bench(start=at(21), moves=here)


def test_the_second_tap_writes_who_closed_and_who_is_out() -> None:
    bench = evening("brigitte", "remy")
    assert bench.taps(GREGOIRE, "front-out").marks == (Mark.LEFT_INSIDE,)
    assert bench.inside() == ["brigitte", "remy"]
    bench.waits(20)
    bench.taps(GREGOIRE, "front-out")
    tap, closed, out = bench.rows[-3:]
    assert (tap.kind, tap.marks, tap.granted) == (Kind.TAP, (), True)
    assert (closed.kind, closed.member, closed.access_point) == (Kind.CLOSED, "gregoire", "front")
    assert (out.kind, out.member, out.by, out.at) == (Kind.CHECKED_OUT, "brigitte", "gregoire", tap.at)
    assert bench.inside() == ["remy"]


def test_without_a_second_tap_in_time_everybody_stays_inside() -> None:
    bench = evening("brigitte")
    bench.taps(GREGOIRE, "front-out")
    bench.waits(20.001)
    bench.taps(GREGOIRE, "front-out")
    assert Kind.CLOSED not in {row.kind for row in bench.rows}
    assert bench.inside() == ["brigitte"]


def test_a_power_cut_ends_the_pair() -> None:
    """The edge knows after it who is inside, and not that a tap was marked."""
    before = evening("brigitte")
    before.taps(GREGOIRE, "front-out")
    after = Bench(start=at(21, 0, 5), moves=before.moves)
    after.taps(GREGOIRE, "front-out")
    assert after.inside() == ["brigitte"]


def test_the_lamp_blinks_for_each_who_is_left_and_ten_times_at_most() -> None:
    bench = evening("brigitte", "remy")
    bench.taps(GREGOIRE, "front-out")
    start = len(bench.history)
    bench.waits(people_inside(1).seconds)
    assert [on for _, output, on in bench.history[start:] if output == "front-out.red"] == [True, False]
    assert people_inside(25) == people_inside(10) != people_inside(9)
    assert people_inside(3) == PEOPLE_INSIDE


RULES = small_rules()


def said(bench: Bench, seconds: float) -> list[int]:
    """The seconds, of the time that passes, at which the lamp inside turns amber."""
    begun, start = bench.mono, len(bench.history)
    bench.waits(seconds)
    return [round(mono - begun) for mono, output, on in bench.history[start:] if on and output == "front-in.red"]


def at_work(hour: int, minute: int, *others: str) -> Bench:
    here = {who: Move(at(18, 30), inside=True) for who in ("gregoire", *others)}
    return Bench(start=at(hour, minute), moves=here)


def test_a_quarter_of_an_hour_before_the_end_the_lamps_say_it_once() -> None:
    bench = at_work(21, 40, "brigitte")
    assert said(bench, 3600) == [300, 301, 302]


def test_an_edge_that_starts_within_the_quarter_says_nothing() -> None:
    bench = at_work(21, 50)
    assert said(bench, 3600) == []


def test_with_somebody_who_takes_over_or_without_a_clock_nothing_is_said() -> None:
    follows = structs.replace(
        RULES,
        members=RULES.members | {"remy": Member("resident", gardien=True)},
        shifts=RULES.shifts | {"remy": (at(21, 30), at(23, 45))},
        planned=RULES.planned | {"remy": ((at(22), at(23, 30)),)},
    )
    bench = at_work(21, 40)
    bench.does(RulesSwapped, held=HeldRules(9, "", at(23) + DAY, follows))
    assert said(bench, 1000) == []
    lost = at_work(21, 40)
    lost.clock = ClockState.UNKNOWN
    assert said(lost, 1000) == []


def test_of_the_team_s_hours_too_whenever_the_edge_last_moved() -> None:
    """Nobody taps from before the team comes until it goes."""
    bench = Bench(start=at(8), moves={"remy": Move(at(7), inside=True)})
    bench.does(RulesSwapped, held=HeldRules(8, "", at(23) + DAY, structs.replace(RULES, shifts={}, planned={})))
    assert said(bench, 10 * 3600) == [35100, 35101, 35102]
