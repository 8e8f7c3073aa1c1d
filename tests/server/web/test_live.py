"""Who waits for a change hears of it, and nobody waits for ever."""

from collections.abc import Iterator
from itertools import islice
from threading import Thread

import pytest

from server.web.live import FULL, STILL, Caps, Live, TooManyStreamsError


def watched(live: Live, address: str = "192.0.2.1", *, logged_in: bool = False) -> Iterator[str]:
    return live.stream(address, logged_in=logged_in)


def test_a_change_wakes_who_waits() -> None:
    live = Live(keep_alive=10, pause=0)
    stream = watched(live)
    assert next(stream) == "retry: 5000\n\n"
    heard: list[str] = []
    waiting = Thread(target=lambda: heard.append(next(stream)))
    waiting.start()
    live.changed()
    waiting.join(5)
    assert heard == ["event: changed\ndata: 1\n\n"]


@pytest.mark.parametrize("drawn", [0, 7], ids=["before the change", "before a restart"])
def test_a_change_between_drawing_and_listening_is_heard_of(drawn: int) -> None:
    live = Live(keep_alive=10, pause=0)
    live.changed()
    assert list(islice(live.stream("192.0.2.1", logged_in=False, seen=drawn), 2))[1] == "event: changed\ndata: 1\n\n"


def test_a_page_that_is_up_to_date_hears_nothing_new() -> None:
    live = Live(keep_alive=0.01, pause=0)
    live.changed()
    assert list(islice(live.stream("192.0.2.1", logged_in=False, seen=1), 2))[1] == STILL


def test_many_changes_are_one_event() -> None:
    live = Live(keep_alive=0.01, pause=0)
    stream = watched(live)
    next(stream)
    for _ in range(50):
        live.changed()
    assert next(stream) == "event: changed\ndata: 50\n\n"
    assert next(stream) == STILL


def test_each_stream_hears_every_change() -> None:
    live = Live(keep_alive=0.01, pause=0)
    streams = [watched(live) for _ in range(3)]
    for stream in streams:
        next(stream)
    live.changed()
    assert {next(stream) for stream in streams} == {"event: changed\ndata: 1\n\n"}


def test_between_two_events_lies_a_pause_that_closing_ends() -> None:
    live = Live(keep_alive=10, pause=60)
    stream = watched(live)
    next(stream)
    live.changed()
    next(stream)
    ended: list[str] = []
    waiting = Thread(target=lambda: ended.extend(stream))
    waiting.start()
    live.close()
    waiting.join(5)
    assert not waiting.is_alive()
    assert ended == []


def test_closing_ends_who_waits_and_lets_nobody_in() -> None:
    live = Live(keep_alive=60)
    stream = watched(live)
    next(stream)
    ended: list[str] = []
    waiting = Thread(target=lambda: ended.extend(stream))
    waiting.start()
    live.close()
    waiting.join(5)
    assert not waiting.is_alive()
    with pytest.raises(TooManyStreamsError):
        watched(live)


def test_a_stream_that_ends_makes_room() -> None:
    live = Live(Caps(places=1), keep_alive=0.01)
    first = watched(live)
    next(first)
    with pytest.raises(TooManyStreamsError):
        watched(live)
    first.close()  # type: ignore[attr-defined]
    assert next(watched(live)) == "retry: 5000\n\n"


def test_a_stream_that_nobody_reads_makes_room_too() -> None:
    live = Live(Caps(places=1))
    watched(live).close()  # type: ignore[attr-defined]
    assert next(watched(live)) == "retry: 5000\n\n"


def full(live: Live, address: str, *, logged_in: bool = False) -> bool:
    """Whether there is no place for this one; else it takes it."""
    try:
        next(watched(live, address, logged_in=logged_in))
    except TooManyStreamsError:
        return True
    return False


def test_the_public_takes_no_place_of_those_who_are_logged_in() -> None:
    live = Live(Caps(places=3, share=3))
    held = [watched(live, f"192.0.2.{number}") for number in range(3)]
    assert full(live, "192.0.2.9")
    held += [watched(live, f"192.0.2.{number}", logged_in=True) for number in range(3)]
    assert full(live, "192.0.2.9", logged_in=True)
    assert len(held) == 6


def test_of_an_address_that_has_its_share_the_newest_streams_stay() -> None:
    """Somebody who goes from page to page: the server has not noticed yet that the pages before are gone."""
    live = Live(Caps(places=5, share=2), keep_alive=0.01)
    first, second, other = watched(live), watched(live), watched(live, "192.0.2.2")
    third = watched(live)
    assert list(islice(first, 5)) == ["retry: 5000\n\n", FULL]
    for stream in (second, third, other):
        assert next(stream) == "retry: 5000\n\n"
        assert next(stream) == STILL


def test_who_makes_room_does_so_at_once() -> None:
    live = Live(Caps(places=5, share=1), keep_alive=60)
    first = watched(live)
    next(first)
    ended: list[str] = []
    waiting = Thread(target=lambda: ended.extend(first))
    waiting.start()
    second = watched(live)
    waiting.join(5)
    assert ended == [FULL]
    second.close()  # type: ignore[attr-defined]
    assert not full(live, "192.0.2.1")


def test_no_address_takes_all_places() -> None:
    live = Live(Caps(places=3, share=2))
    held = [watched(live) for _ in range(5)]
    held.append(watched(live, "192.0.2.2"))
    assert full(live, "192.0.2.3")
    assert len(held) == 6
