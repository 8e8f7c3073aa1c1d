"""One edge is taken in so far and no further in an hour; what is beyond comes later, and none of it is lost."""

from msgspec.structs import replace
from sqlmodel import func, select

from policy.instants import text
from policy.terms import DAY, HOUR, MINUTE
from server.ingest.budget import Budget, Good
from server.models import PaidUnit
from tests.support_history import owed, rows_of
from tests.support_rows import rows
from tests.support_server import Desk, Journal
from tests.support_site import at
from wire.messages import MAX_ROWS
from wire.row import Kind


def spent(desk: Desk, good: Good, left: int = 0) -> None:
    """Edge `front` has used up what it has of something."""
    budget = desk.ingest._budget
    budget.spend("front", good, budget.left("front", good) - left)


def test_what_is_spent_comes_back_with_time() -> None:
    now = [at(9)]
    budget = Budget(lambda: now[0])
    budget.spend("front", Good.ROWS, Good.ROWS.value.most)
    assert (budget.left("front", Good.ROWS), budget.left("garage", Good.ROWS)) == (0, Good.ROWS.value.most)
    assert budget.exhausted("front", Good.BYTES, Good.ROWS) == (
        "more than 150000 rows in 1 h: what is beyond has to wait"
    )
    now[0] += HOUR // 2
    assert budget.left("front", Good.ROWS) == Good.ROWS.value.most // 2
    now[0] -= DAY
    assert budget.left("front", Good.ROWS) == Good.ROWS.value.most // 2, "a clock that goes back takes nothing"
    now[0] += 3 * DAY
    assert budget.left("front", Good.ROWS) == Good.ROWS.value.most


def test_rows_beyond_the_budget_wait_and_are_taken_later(desk: Desk) -> None:
    spent(desk, Good.ROWS, left=1)
    assert desk.take(rows(1, 3)) == owed(3), "a message that has begun is taken whole"
    assert desk.take(rows(4, 6)) is None
    trouble = desk.troubles.of_edge("front")
    assert trouble is not None
    assert "more than 150000 rows in 1 h: what is beyond has to wait" in trouble.why
    desk.now += MINUTE
    assert desk.take(rows(4, 6)) == owed(6)
    assert len(rows_of(desk)) == 6


def test_bytes_beyond_the_budget_wait(desk: Desk) -> None:
    spent(desk, Good.BYTES)
    assert desk.take(rows(1, 3)) is None
    desk.now += MINUTE
    assert desk.take(rows(1, 3)) == owed(3)


def test_new_journals_beyond_the_budget_wait_and_the_one_that_is_known_goes_on(desk: Desk) -> None:
    for number in range(Good.JOURNALS.value.most):
        assert desk.take(rows(1, 1), f"j{number}") == owed(1, f"j{number}")
    assert desk.take(rows(1, 1), "one more") == owed(0, "one more")
    assert desk.take(rows(1, 2), "j0") == owed(2, "j0")
    desk.now += HOUR
    assert desk.take(rows(1, 1), "one more") == owed(1, "one more")


def test_what_was_stored_before_costs_nothing(desk: Desk) -> None:
    desk.take(rows(1, MAX_ROWS))
    before = desk.ingest._budget.left("front", Good.ROWS)
    assert before == Good.ROWS.value.most - MAX_ROWS
    desk.take(rows(1, MAX_ROWS))
    assert desk.ingest._budget.left("front", Good.ROWS) == before


def test_an_honest_backlog_fits() -> None:
    budget = Budget(lambda: at(9))
    for _ in range(100_000 // MAX_ROWS):
        budget.spend("front", Good.ROWS, MAX_ROWS)
        budget.spend("front", Good.BYTES, MAX_ROWS * 350)
    assert budget.exhausted("front", *Good) is None


def test_of_one_edge_the_state_tells_so_much_and_no_more(desk: Desk, journal: Journal) -> None:
    spent(desk, Good.FACTS, left=2)
    taps = [replace(journal.tap_in(at(9, n), "zoe"), pays=text(at(4) - n * DAY), pending=False) for n in range(5)]
    assert desk.take(taps) == owed(5)
    with desk.database.reading() as session:
        assert session.exec(select(func.count()).select_from(PaidUnit)).one() == 2
    trouble = desk.troubles.of_edge("front")
    assert trouble is not None
    assert "3 things beyond the 20000 in 35 days that one edge may leave in the state" in trouble.why
    assert len(rows_of(desk)) == 5


def test_members_that_the_site_has_not_are_counted(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "nobody")
    journal.add(at(9, 1), Kind.TAP, reader="front-in", credential="c", granted=False, reason="unknown_credential")
    desk.take(journal.rows)
    trouble = desk.troubles.of_edge("front")
    assert trouble is not None
    assert "2 members or kinds of machines that the site has not: kept, and not told" in trouble.why
