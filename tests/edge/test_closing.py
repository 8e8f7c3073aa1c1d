"""The last gardien goes: what lamp, rows and memory of the door do. tests/policy/test_closing.py has the rules."""

from edge.patterns import PEOPLE_INSIDE, people_inside
from policy.case import Mark
from policy.presence import Move
from tests.edge.test_door import Bench
from tests.support_site import GREGOIRE, at
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
