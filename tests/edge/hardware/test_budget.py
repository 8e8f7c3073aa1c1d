"""What a poll and a read cost, exactly: transfers are counted, times are arithmetic on the emulated chip."""

import pytest

from edge.events import CardSeen
from tests.support_reader import FOUR, POLL_NS, SEVEN, TEN, Bench

ETU = 128 / 13.56e6
ANSWER_AFTER = 1236 / 13.56e6
SPEAK_AGAIN_AFTER = 1172 / 13.56e6


def radio_seconds(levels: int) -> float:
    """The time in the air by ISO 14443-3: REQA, then for each level anticollision and SELECT, with the least pauses."""
    request = (1 + 7 + 2) * ETU + ANSWER_AFTER + (1 + 2 * 9 + 1) * ETU
    anticollision = (1 + 2 * 9 + 2) * ETU + ANSWER_AFTER + (1 + 5 * 9 + 1) * ETU
    select = (1 + 9 * 9 + 2) * ETU + ANSWER_AFTER + (1 + 3 * 9 + 1) * ETU
    return request + levels * (anticollision + select + 2 * SPEAK_AGAIN_AFTER)


def test_the_radio_floor_is_that_of_the_promises() -> None:
    assert radio_seconds(1) == pytest.approx(2.44e-3, rel=0.005)
    assert radio_seconds(2) == pytest.approx(4.50e-3, rel=0.005)


def test_an_empty_poll_takes_seven_transfers_and_half_a_millisecond() -> None:
    bench = Bench()
    reader = bench.reader()
    reader.poll()
    for _ in range(200):
        transfers, started = bench.emulated[0].transfers, bench.clock.monotonic()
        assert reader.poll() is None
        assert bench.emulated[0].transfers - transfers == 7
        assert bench.clock.monotonic() - started < 0.00054
        bench.clock.advance(POLL_NS)


@pytest.mark.parametrize(("uid", "levels", "transfers"), [(FOUR, 1, 26), (SEVEN, 2, 46), (TEN, 3, 66)])
def test_a_badge_read_and_selected(uid: bytes, levels: int, transfers: int) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.polls(reader, 3)
    bench.lay(uid)
    seen = reader.poll()
    assert isinstance(seen, CardSeen)
    assert seen.transfers == transfers
    assert seen.seconds <= 1.25 * radio_seconds(levels)


def share_of_time(bench: Bench, seconds: float = 2.0) -> float:
    """Two readers polled at 100 Hz by one thread: which share of the time goes into polling."""
    readers = [bench.reader(0), bench.reader(1)]
    for reader in readers:
        reader.poll()
    started, busy = bench.clock.ns, 0
    while bench.clock.ns - started < seconds * 1e9:
        began = bench.clock.ns
        for reader in readers:
            reader.poll()
        busy += bench.clock.ns - began
        bench.clock.advance_to(began + POLL_NS)
    return busy / (bench.clock.ns - started)


def test_two_readers_at_100_hz_take_under_15_percent_of_the_time() -> None:
    assert share_of_time(Bench()) < 0.11


def test_and_with_a_badge_lying_on_each_as_well() -> None:
    bench = Bench()
    readers_on = [bench.lay(FOUR, device=0), bench.lay(SEVEN, device=1)]
    assert len(readers_on) == 2
    assert share_of_time(bench) < 0.15
