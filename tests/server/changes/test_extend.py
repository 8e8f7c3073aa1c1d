"""A session goes on: who may want it, what is asked of its holder first, and what the rows come to."""

import pytest

from policy.facts import Ran
from policy.instants import text
from policy.reasons import Reason
from policy.sessions import Session
from policy.terms import HOUR, MINUTE
from server.changes.machines import extend
from server.database.types import moment
from server.ingest.facts import ToldBy, store
from server.publish.orders import Given
from server.queries.site_state import state_at
from tests.support_lab import furnish, lab_bundle, runs
from tests.support_pages import Place
from wire.row import Kind, Order


@pytest.fixture
def lab(place: Place) -> Place:
    furnish(place, lab_bundle())
    return place


def wanted(place: Place, machine: str = "printer", holder: str = "") -> Given | Reason | None:
    known = place.publisher.current
    return extend(place.database, place.orders, known, machine, "fabien", "account 3", place.now, holder=holder)


@pytest.mark.sqlite
def test_the_order_goes_to_the_edge_of_the_machine(lab: Place) -> None:
    runs(lab, "printer", "remy", lab.now - MINUTE, lab.now + MINUTE)
    assert isinstance(wanted(lab, holder="remy"), Given)
    (command,) = lab.commands
    assert (command.order, command.place, command.by) == (Order.EXTEND, "printer", "account 3")
    assert command.asked == text(lab.now - MINUTE), "that session, and none that begins meanwhile"


@pytest.mark.sqlite
def test_nothing_is_ordered_where_no_such_session_runs(lab: Place) -> None:
    assert wanted(lab) is None
    runs(lab, "printer", "remy", lab.now - MINUTE)
    assert wanted(lab, holder="brigitte") is None
    assert not lab.commands


@pytest.mark.sqlite
def test_nothing_is_ordered_for_a_holder_who_would_be_refused(lab: Place) -> None:
    runs(lab, "printer", "remy", lab.now - MINUTE)
    lab.lock_down(True, "alice")
    assert wanted(lab) is Reason.LOCKDOWN
    assert not lab.commands


@pytest.mark.parametrize("batches", [((0, 1, 2),), ((0,), (2,), (1,)), ((1,), (0, 2)), ((2, 1, 0),)], ids=str)
def test_what_a_session_comes_to_is_the_same_in_whatever_order_its_rows_are_heard(
    lab: Place, batches: tuple[tuple[int, ...], ...]
) -> None:
    """It began until a minute later, was let go on for an hour, and ended in it."""
    now = lab.now
    words = [
        Session("laser", "laser", "remy", now, until, True, end)
        for until, end in ((now + MINUTE, None), (now + HOUR, None), (now + MINUTE, now + 18 * MINUTE))
    ]
    for batch in batches:
        with lab.database.transaction() as session:
            store(session, [Ran(words[number]) for number in batch], ToldBy("front", moment(now)))
    with lab.database.reading() as session:
        (found,) = state_at(session, now + 2 * HOUR).sessions.of_machine("laser")
    assert (found.until, found.end) == (now + HOUR, now + 18 * MINUTE)


@pytest.mark.sqlite
def test_a_row_of_the_edge_moves_until(lab: Place) -> None:
    runs(lab, "laser", "remy", lab.now, lab.now + MINUTE)
    told = {"access_point": "laser", "member": "remy", "started": text(lab.now), "until": text(lab.now + HOUR)}
    lab.journal.add(lab.now, Kind.SESSION_EXTENDED, **told, machine_kind="laser", cuts=True)
    lab.tell()
    with lab.database.reading() as session:
        running = state_at(session, lab.now).sessions.running("laser", lab.now + 2 * MINUTE)
    assert running is not None
    assert running.until == lab.now + HOUR
