"""A member's passages are read for a reason, and the look is noted before anything is shown."""

import pytest
from sqlalchemy import event
from sqlmodel import select

from policy.reasons import Reason
from policy.terms import DAY
from server.audit import Decided, looked
from server.models import AuditRow
from server.queries.carnets import account_of, with_taps
from server.queries.history import passages_of
from server.queries.looks import last_reasons
from tests.server.changes.test_member_changes import post
from tests.server.queries.test_carnets import PM, zoe_pays
from tests.support_pages import STAFF, Place, plain
from tests.support_site import at

pytestmark = pytest.mark.sqlite

PATH = "/members/zoe/passages"


def looks(place: Place) -> list[tuple[str, str, str, str]]:
    with place.database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.did == "looked")).all()
        return [(row.account, row.noun, row.subject, row.why) for row in rows]


def read(place: Place, why: str = "badge perdu, à remplacer") -> str:
    status, text = post(place, PATH, place.staff(), why=why)
    assert status == 200
    return plain(text).replace("\N{NO-BREAK SPACE}", " ")


def test_before_a_reason_no_passage_and_no_hour_is_on_the_page(place: Place) -> None:
    zoe_pays(place, at(16, 31), PM)
    page = place.page("/members/zoe", place.staff()).replace("\N{NO-BREAK SPACE}", " ")
    assert ("16 h 31" in page, "payée par une entrée" in page, "Voir ses passages" in page) == (False, True, True)
    assert looks(place) == []


@pytest.mark.parametrize("why", ["", "   ", "\t"])
def test_without_a_reason_nothing_is_shown_or_noted(place: Place, why: str) -> None:
    zoe_pays(place, at(16, 31), PM)
    status, text = post(place, PATH, place.staff(), why=why)
    assert (status, "Écrivez pourquoi" in text, "16\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}31" in text) == (
        400,
        True,
        False,
    )
    assert looks(place) == []


def test_with_a_reason_they_are_shown_with_why_each_was_refused(place: Place) -> None:
    zoe_pays(place, at(16, 31), PM)
    place.journal.tap_in(at(18, 2), "zoe", Reason.OUTSIDE_HOURS, granted=False)
    place.journal.tap_in(at(18, 3), "remy")
    place.tell()
    page = read(place)
    assert "Votre consultation est enregistrée : « badge perdu, à remplacer », mar. 24 nov., 19 h 12." in page
    assert "mar. 24 nov., 18 h 02 refusé Pourquoi ?" in page
    assert "mar. 24 nov., 16 h 31 entrée" in page
    assert "payée par l’entrée de 16 h 31" in page
    assert "18 h 03" not in page
    assert looks(place) == [(STAFF, "passages", "zoe", "badge perdu, à remplacer")]


def test_of_whoever_never_was_a_member_nothing_is_noted(place: Place) -> None:
    assert post(place, "/members/nobody/passages", place.staff(), why="voir")[0] == 404
    assert looks(place) == []


def test_a_reason_of_any_length_is_cut_and_harmless(place: Place) -> None:
    read(place, "<script>" + "é" * 10_000)
    assert [len(why) for *_, why in looks(place)] == [500]


def test_the_last_reasons_are_offered_each_once(place: Place) -> None:
    with place.database.transaction() as session:
        for number in (1, 2, 1, 3, 4, 5, 6, 6):
            looked(session, Decided(STAFF, at(9), f"raison {number}"), "passages", ["zoe"])
        looked(session, Decided("somebody", at(9), "autre"), "passages", ["zoe"])
        looked(session, Decided(STAFF, at(9)), "carnets", None)
    with place.database.reading() as session:
        assert last_reasons(session, STAFF) == ["raison 6", "raison 5", "raison 4", "raison 3", "raison 1"]
    assert '<option value="raison 6">' in place.staff().get("/members/zoe").text


def test_they_are_found_by_index_however_many_rows_there_are(place: Place) -> None:
    zoe_pays(place, at(16, 31), PM)
    asked: list[tuple[str, object]] = []
    with place.database.reading() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        passages_of(session, "zoe", 100, at(19) + DAY)
        with_taps(session, place.publisher.current, account_of(session, "zoe"), "zoe")
        told = [(statement, values) for statement, values in asked if "journal_row" in statement]
        plans = [
            " ".join(row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values))
            for statement, values in told
        ]
    assert len(plans) >= 2
    assert all("ix_journal_row_member_at (member=?" in plan for plan in plans)
    assert not any("SCAN journal_row" in plan or "B-TREE" in plan for plan in plans)
