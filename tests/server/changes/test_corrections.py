"""A forgotten badge: who may write down whose, what is refused, and that presence, pages and journal follow at once."""

import re

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from policy.instants import of
from policy.terms import DAY
from server.changes.purge import purge
from server.database.types import moment
from server.models import AuditRow, JournalRow, Member, PaidUnit, Presence
from server.queries.bank_rows import moves
from server.queries.history import CONTESTED, CORRECTED, WITHDRAWN
from tests.server.pages.test_door_pages import pressed, unconfirmed
from tests.support_accounts import account_of
from tests.support_pages import Place
from tests.support_site import at

pytestmark = pytest.mark.sqlite


def last(place: Place, member: str) -> tuple[int, bool]:
    with place.database.reading() as session:
        known = session.get_one(Presence, member)
        return of(known.at), known.inside


def corrected(place: Place) -> list[tuple[str | None, int, bool | None, str | None]]:
    with place.database.reading() as session:
        rows = session.exec(select(JournalRow).where(JournalRow.kind == CORRECTED).order_by(JournalRow.seq)).all()  # type: ignore[arg-type]
        return [(row.member, of(row.at), row.inside, row.detail) for row in rows]


def test_somebody_who_left_without_a_badge_is_out_at_once(place: Place) -> None:
    staff = place.staff()
    assert "Brigitte O." in place.page("/presence", staff)
    said = pressed(place, staff, "/presence/brigitte/left", at="18:30", why="a oublié")
    assert "Brigitte O. est parti·e à 18 h 30 : c’est noté." in said
    assert last(place, "brigitte") == (at(18, 30), False)
    assert corrected(place) == [("brigitte", at(18, 30), False, "equipe: a oublié")]
    assert "Brigitte O." not in place.page("/", staff).partition("Derniers passages")[0]
    with place.database.reading() as session:
        audited = session.exec(select(AuditRow).where(AuditRow.did == "corrected")).one()
    assert (audited.account, audited.why) == ("equipe", "a oublié")


def test_from_until_is_one_correction_of_two_moves(place: Place) -> None:
    said = pressed(
        place, place.staff(), "/presence/alice/there", day="2026-11-24", start="18:10", end="18:50", why="badge oublié"
    )
    assert "Alice É. était là de 18 h 10 à 18 h 50 : c’est noté." in said
    assert [row[:3] for row in corrected(place)] == [("alice", at(18, 10), True), ("alice", at(18, 50), False)]
    assert last(place, "alice") == (at(18, 50), False)


def test_who_came_in_without_a_badge_is_inside(place: Place) -> None:
    assert "est là depuis 18 h 40" in pressed(place, place.staff(), "/presence/alice/there", start="18:40", why="oubli")
    assert last(place, "alice") == (at(18, 40), True)
    assert "Alice É." in place.page("/presence", place.staff())


def test_what_was_before_stays_as_the_later_move_says(place: Place) -> None:
    """Of yesterday's forgotten badge nobody is inside today."""
    pressed(place, place.staff(), "/presence/brigitte/there", day="2026-11-23", start="10:00", end="12:00", why="oubli")
    assert last(place, "brigitte") == (at(13, 2, 2), True)


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("brigitte/left", {"at": "12:59", "why": "x"}, "après son arrivée"),
        ("brigitte/left", {"at": "19:13", "why": "x"}, "pas plus tard que maintenant"),
        ("brigitte/left", {"at": "soon", "why": "x"}, "Une heure comme 18:30"),
        ("brigitte/left", {"at": "18:30", "why": "  "}, "Dites pourquoi"),
        ("alice/left", {"at": "18:30", "why": "x"}, "n’est pas dans les murs"),
        ("alice/there", {"start": "18:00", "end": "18:00", "why": "x"}, "après le début"),
        ("alice/there", {"start": "18:00", "end": "19:13", "why": "x"}, "pas plus tard que maintenant"),
        ("alice/there", {"start": "19:13", "why": "x"}, "ni à venir"),
        ("alice/there", {"day": "2026-10-01", "start": "10:00", "end": "12:00", "why": "x"}, "ni trop ancienne"),
        ("alice/there", {"day": "2026-11-23", "start": "10:00", "why": "x"}, "après le début"),
        ("alice/there", {"day": "hier", "start": "10:00", "why": "x"}, "Une heure comme 14:00"),
    ],
)
def test_what_cannot_have_been_is_refused_with_what_helps(
    place: Place, path: str, form: dict[str, str], said: str
) -> None:
    assert said in pressed(place, place.staff(), f"/presence/{path}", **form)
    assert corrected(place) == []


def test_the_gardien_who_holds_corrects_others_on_this_day(place: Place) -> None:
    client = account_of(place, "gregoire")
    assert "c’est noté" in pressed(place, client, "/presence/brigitte/left", at="18:30", why="oubli")
    assert "c’est noté" in pressed(place, client, "/presence/alice/there", start="18:40", why="oubli")
    refused = pressed(place, client, "/presence/alice/there", day="2026-11-23", start="10:00", end="11:00", why="oubli")
    assert "ni trop ancienne" in refused
    place.journal.leaves(at(19, 11), "gregoire")
    place.tell()
    assert client.get("/presence").status_code == 403


def test_nobody_corrects_themselves_and_no_gardien_another(place: Place) -> None:
    client = account_of(place, "gregoire")
    assert "Personne ne corrige sa propre présence" in pressed(
        place, client, "/presence/gregoire/left", at="18:30", why="x"
    )
    alice = account_of(place, "alice")
    assert "Personne ne corrige sa propre présence" in pressed(
        place, alice, "/presence/alice/there", start="18:00", why="x"
    )
    assert corrected(place) == []


def test_a_gardien_corrects_no_other_gardien(place: Place) -> None:
    client = account_of(place, "gregoire")
    with place.database.transaction() as session:
        session.get_one(Member, "brigitte").roles = ["gardien"]
    form = {"at": "18:30", "why": "oubli", "again": "correct horse"}
    answer = client.post("/presence/brigitte/left", data={"csrf_token": place.form_token(client, "/account"), **form})
    assert (answer.status_code, "c’est noté" in place.words(answer)) == (403, False)
    assert corrected(place) == []


def test_a_gardien_s_presence_asks_the_team_for_the_password_again(place: Place) -> None:
    client: FlaskClient = place.staff()
    unconfirmed(place)
    assert "C’est bien vous ?" in pressed(place, client, "/presence/gregoire/left", at="18:30", why="parti malade")
    assert corrected(place) == []
    assert "c’est noté" in pressed(place, client, "/presence/brigitte/left", at="18:30", why="oubli")
    again = {"again": "correct horse", "at": "18:30", "why": "parti malade"}
    assert "c’est noté" in pressed(place, client, "/presence/gregoire/left", **again)


def test_a_half_day_is_charged_by_a_press_of_its_own(place: Place) -> None:
    staff = place.staff()
    asked = pressed(place, staff, "/presence/zoe/there", start="09:00", end="11:00", why="oubli")
    assert "Compter la demi-journée" in asked
    with place.database.reading() as session:
        assert session.get(PaidUnit, ("zoe", "2026-11-24am")) is None
    assert "est comptée" in pressed(place, staff, "/presence/zoe/charge", unit="2026-11-24am", why="présence corrigée")
    with place.database.reading() as session:
        assert session.get(PaidUnit, ("zoe", "2026-11-24am")) is not None


def test_a_search_names_few_and_none_for_too_short_a_word(place: Place) -> None:
    staff = place.staff()
    assert "Zoé" in place.page("/presence?q=zoe", staff)
    assert "Zoé" not in place.page("/presence?q=z", staff)
    assert "Personne ne s’appelle ainsi" in place.page("/presence?q=nobody", staff)


def test_corrections_follow_one_another_without_a_gap(place: Place) -> None:
    staff = place.staff()
    for minute in ("18:30", "18:31"):
        pressed(place, staff, "/presence/brigitte/left", at=minute, why="oubli")
        pressed(place, staff, "/presence/brigitte/there", start="18:45", why="oubli")
    with place.database.reading() as session:
        rows = session.exec(select(JournalRow).where(JournalRow.kind == CORRECTED)).all()
    assert sorted(row.seq for row in rows) == list(range(1, len(rows) + 1))
    assert all(row.received == moment(place.now) for row in rows)


def test_whose_presence_was_corrected_reads_it_on_their_own_page_with_who_and_why(place: Place) -> None:
    pressed(place, account_of(place, "alice"), "/presence/brigitte/left", at="18:30", why="a oublié")
    page = place.page("/me", place.member("brigitte"))
    assert "Alice Étienne a noté votre départ à 18 h 30. « a oublié »" in page
    pressed(place, place.staff(), "/presence/brigitte/there", start="18:40", end="18:50", why="revue")
    page = place.page("/me", place.member("brigitte"))
    assert "equipe a noté votre présence : mar. 24 nov., 18 h 40 – 18 h 50. « revue »" in page
    assert page.index("18 h 40") < page.index("départ à 18 h 30"), "the newest first"
    assert "Noté pour vous" not in place.page("/me", place.member("remy"))


def test_a_correction_is_contested_read_by_the_team_alone_and_answered(place: Place) -> None:
    staff, brigitte, gardien = place.staff(), place.member("brigitte"), account_of(place, "gregoire")
    pressed(place, gardien, "/presence/brigitte/left", at="18:30", why="a oublié")
    address = re.search(r"/me/corrections/\d+", brigitte.get("/me").text)
    assert address is not None
    assert "Dites ce qui est juste" in said(place, brigitte, address[0], why=" ")[1]
    assert "C’est écrit à l’équipe." in pressed(place, brigitte, address[0], why="je suis encore là")
    assert "Vous avez écrit : « je suis encore là » L’équipe n’a pas encore répondu." in place.page("/me", brigitte)
    assert "Correction contestée Brigitte O., 19 h 12" in place.page("/", staff)
    assert "contestée" not in place.page("/", gardien)
    assert "encore là »" not in place.page("/presence/brigitte", gardien)
    assert "« je suis encore là » Départ à 18 h 30, noté par Grégoire Vasseur" in place.page(
        "/presence/brigitte", staff
    )
    pressed(place, brigitte, address[0], why="autre chose")
    [asked] = rows_of(place, CONTESTED)
    assert asked.detail == "brigitte.compte: je suis encore là", "said twice, the first stays"
    pressed(place, staff, f"/presence/brigitte/answer/{asked.seq}", why="corrigé, pardon")
    assert "equipe répond : « corrigé, pardon »" in place.page("/me", brigitte)
    assert "contestée" not in place.page("/", staff)


def test_nobody_reads_or_contests_what_was_noted_of_somebody_else(place: Place) -> None:
    pressed(place, place.staff(), "/presence/brigitte/left", at="18:30", why="a oublié")
    [row] = rows_of(place, CORRECTED)
    other, path = place.member("remy"), f"/me/corrections/{row.seq}"
    assert other.get(path).status_code == 404
    assert "n’est plus là" in pressed(place, other, path, why="non")
    assert rows_of(place, CONTESTED) == []
    assert said(place, place.staff(), f"/presence/brigitte/answer/{row.seq}", why="non")[0] == 409


def test_what_was_said_of_a_correction_is_forgotten_with_it(place: Place) -> None:
    pressed(place, place.staff(), "/presence/brigitte/left", at="18:30", why="a oublié")
    [row] = rows_of(place, CORRECTED)
    pressed(place, place.member("brigitte"), f"/me/corrections/{row.seq}", why="je suis encore là")
    [asked] = rows_of(place, CONTESTED)
    pressed(place, place.staff(), f"/presence/brigitte/answer/{asked.seq}", why="corrigé, pardon")
    for _ in range(20):
        with place.database.transaction() as session:
            if purge(session, place.now + 100 * DAY, 90) is None:
                break
    with place.database.reading() as session:
        assert [one.kind for one in session.exec(select(JournalRow)) if one.member == "brigitte"] == []


def withdrawn(place: Place, client: FlaskClient, member: str, why: str = "une erreur") -> str:
    """Take back the member's newest correction."""
    [*_, which] = re.findall(rf"/presence/{member}/withdraw/\d+", client.get(f"/presence/{member}").text)[::-1]
    return pressed(place, client, which, why=why)


def test_a_wrong_departure_is_taken_back_and_who_never_left_is_inside_again(place: Place) -> None:
    staff, before = place.staff(), last(place, "brigitte")
    pressed(place, staff, "/presence/brigitte/left", at="18:30", why="a oublié")
    page = withdrawn(place, staff, "brigitte", "elle est encore là")
    assert "Brigitte O. : la correction est retirée." in page
    assert "Départ à 18 h 30, noté par equipe « a oublié » Retirée par equipe : « elle est encore là »" in page
    assert last(place, "brigitte") == before == (before[0], True)
    assert "Brigitte O." in place.page("/presence", staff)
    mine = place.page("/me", place.member("brigitte"))
    assert "equipe a noté votre départ à 18 h 30. « a oublié » Retirée par equipe : « elle est encore là »" in mine
    assert "Ce n’est pas juste" not in mine
    with place.database.reading() as session:
        audited = session.exec(select(AuditRow).where(AuditRow.did == WITHDRAWN)).one()
    assert (audited.account, audited.why) == ("equipe", "elle est encore là")


def test_a_wrong_presence_taken_back_leaves_nobody_where_it_was_the_only_move(place: Place) -> None:
    staff = place.staff()
    pressed(place, staff, "/presence/zoe/there", start="18:10", end="18:50", why="oubli")
    withdrawn(place, staff, "zoe")
    with place.database.reading() as session:
        assert session.get(Presence, "zoe") is None
        assert [one.move for one in moves(session, place.now - DAY, ["zoe"])] == [], "the bank reads no move of it"


def test_a_half_day_counted_for_a_presence_that_is_taken_back_is_offered_back(place: Place) -> None:
    staff = place.staff()
    pressed(place, staff, "/presence/zoe/there", start="09:00", end="11:00", why="oubli")
    pressed(place, staff, "/presence/zoe/charge", unit="2026-11-24am", why="présence corrigée")
    assert "Rendre la demi-journée" in withdrawn(place, staff, "zoe")
    pressed(place, staff, "/members/zoe/carnets/given-back", unit="2026-11-24am", why="correction retirée")
    assert "Rendre la demi-journée" not in place.page("/presence/zoe?back=2026-11-24am", staff)
    place.now += 60_000
    pressed(place, staff, "/presence/zoe/there", start="14:00", end="15:00", why="oubli")
    assert "Rendre la demi-journée" not in withdrawn(place, staff, "zoe"), "nothing was counted for that one"


def test_taking_back_wants_a_reason_is_done_once_and_by_the_team_alone(place: Place) -> None:
    staff, gardien = place.staff(), account_of(place, "gregoire")
    pressed(place, staff, "/presence/brigitte/left", at="18:30", why="a oublié")
    [row] = rows_of(place, CORRECTED)
    path = f"/presence/brigitte/withdraw/{row.seq}"
    assert "Retirer cette correction" not in place.page("/presence/brigitte", gardien)
    assert said(place, gardien, path, why="non")[0] == 403
    assert "Dites pourquoi" in said(place, staff, path, why=" ")[1]
    assert said(place, staff, f"/presence/brigitte/withdraw/{row.seq + 9}", why="non")[0] == 409
    assert rows_of(place, WITHDRAWN) == []
    for _ in range(2):
        pressed(place, staff, path, why="une erreur")
    assert len(rows_of(place, WITHDRAWN)) == 1


def test_a_contested_correction_that_is_taken_back_waits_for_no_answer(place: Place) -> None:
    staff, brigitte = place.staff(), place.member("brigitte")
    pressed(place, staff, "/presence/brigitte/left", at="18:30", why="a oublié")
    [row] = rows_of(place, CORRECTED)
    pressed(place, brigitte, f"/me/corrections/{row.seq}", why="je suis là")
    withdrawn(place, staff, "brigitte")
    assert "contestée" not in place.page("/", staff)
    assert "L’équipe n’a pas encore répondu" not in place.page("/me", brigitte)


def rows_of(place: Place, kind: str) -> list[JournalRow]:
    with place.database.reading() as session:
        return list(session.exec(select(JournalRow).where(JournalRow.kind == kind)))


def said(place: Place, client: FlaskClient, path: str, **data: str) -> tuple[int, str]:
    """The answer to a form that is refused."""
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/account")} | data)
    return answer.status_code, place.words(answer)


@pytest.mark.sqlite
def test_what_was_searched_for_stands_before_who_is_inside(place: Place) -> None:
    """On a phone sixty names would stand above the answer."""
    found, plain_page = place.page("/presence?q=ali", place.staff()), place.page("/presence", place.staff())
    assert found.index("Alice") < found.index("Dans les murs")
    assert plain_page.index("Dans les murs") < plain_page.index("Quelqu’un qui n’est pas dans la liste")
