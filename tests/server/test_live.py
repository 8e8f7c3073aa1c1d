"""Who waits for a change hears of it, and nobody waits for ever."""

from threading import Thread

import pytest

from server.live import Live, TooManyStreamsError


def test_a_change_wakes_who_waits() -> None:
    live = Live(keep_alive=10, pause=0)
    stream = live.stream()
    assert next(stream) == "retry: 5000\n\n"
    heard: list[str] = []
    waiting = Thread(target=lambda: heard.append(next(stream)))
    waiting.start()
    live.changed()
    waiting.join(5)
    assert heard == ["event: changed\ndata: 1\n\n"]


def test_many_changes_are_one_event() -> None:
    live = Live(keep_alive=0.01, pause=0)
    stream = live.stream()
    next(stream)
    for _ in range(50):
        live.changed()
    assert next(stream) == "event: changed\ndata: 50\n\n"
    assert next(stream) == ": still here\n\n"


def test_each_stream_hears_every_change() -> None:
    live = Live(keep_alive=0.01, pause=0)
    streams = [live.stream() for _ in range(3)]
    for stream in streams:
        next(stream)
    live.changed()
    assert {next(stream) for stream in streams} == {"event: changed\ndata: 1\n\n"}


def test_between_two_events_lies_a_pause_that_closing_ends() -> None:
    live = Live(keep_alive=10, pause=60)
    stream = live.stream()
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
    stream = live.stream()
    next(stream)
    ended: list[str] = []
    waiting = Thread(target=lambda: ended.extend(stream))
    waiting.start()
    live.close()
    waiting.join(5)
    assert not waiting.is_alive()
    with pytest.raises(TooManyStreamsError):
        live.stream()


def test_a_stream_that_ends_makes_room() -> None:
    live = Live(max_streams=1, keep_alive=0.01)
    first = live.stream()
    next(first)
    with pytest.raises(TooManyStreamsError):
        live.stream()
    first.close()  # type: ignore[attr-defined]
    assert next(live.stream()) == "retry: 5000\n\n"


def test_a_stream_that_nobody_reads_makes_room_too() -> None:
    live = Live(max_streams=1)
    live.stream().close()  # type: ignore[attr-defined]
    assert next(live.stream()) == "retry: 5000\n\n"
