"""A member's account at the desk: a link of their own, another login, and who is written to about it."""

from datetime import UTC, datetime

import pytest
from sqlmodel import col, select

from policy.bundle import Role
from server.models import Account, AuditRow, Member, Message
from tests.server.pages.test_account_pages import GOOD, account, link_in, logged_in, press
from tests.support_pages import Place, plain

pytestmark = pytest.mark.sqlite
PAGE, OLD, NEW = "/members/remy", "remy@exemple.org", "remy.q@exemple.net"


@pytest.fixture
def desk(place: Place) -> Place:
    """Brigitte is of the team, and no administrator; the place sends mail."""
    with place.database.transaction() as session:
        brigitte = session.get_one(Member, "brigitte")
        brigitte.roles = [Role.STAFF]
        session.add(brigitte)
    place.publish()
    place.sends_mail = True
    object.__setattr__(place.app.extensions["loquet"], "channels", frozenset({"mail"}))
    return place


def called(place: Place, member: str, login: str) -> None:
    with place.database.transaction() as session:
        found = session.exec(select(Account).where(Account.member == member)).one()
        found.login = login
        session.add(found)


def test_the_desk_gives_a_member_an_account_and_hands_the_link_over(desk: Place) -> None:
    team = logged_in(desk, "brigitte")
    assert "Pas de compte : cette personne ne peut pas se connecter." in desk.page(PAGE, team)
    shown = press(desk, team, PAGE, f"{PAGE}/account", login=OLD)
    assert (shown.status_code, OLD in shown.text, "/messages/link" in shown.text) == (200, True, True)
    assert 'href="/accounts"' not in shown.text, "that page is an administrator's"
    assert f"{OLD} pas encore pris" in desk.page(PAGE, team)
    link = link_in(shown.text)
    assert press(desk, desk.app.test_client(), link, link, password=GOOD, repeated=GOOD).status_code == 303
    assert f"{OLD} actif" in desk.page(PAGE, team)
    again = press(desk, team, PAGE, f"{PAGE}/account/link")
    assert link_in(again.text) != link
    taken = press(desk, team, PAGE, f"{PAGE}/account", login="autre")
    assert (taken.status_code, 'role="alert"' in taken.text) == (409, True)


def test_another_login_is_told_to_both_addresses_and_nobody_is_logged_out(desk: Place) -> None:
    phone, team = logged_in(desk, "remy"), logged_in(desk, "brigitte")
    called(desk, "remy", OLD)
    link = link_in(press(desk, team, PAGE, f"{PAGE}/account/link").text)
    answer = press(desk, team, PAGE, f"{PAGE}/account/login", login=f" {NEW.upper()} ")
    assert answer.status_code == 303
    said = desk.page(PAGE, team)
    assert f"L’identifiant est maintenant {NEW}. Un courriel le dit à {OLD}, {NEW}." in said
    assert f"Identifiant : {NEW}" in desk.page("/account", phone)
    assert desk.client.get(link).status_code != 200, "whoever reads the old address may have it"
    with desk.database.reading() as session:
        told = session.exec(select(Message).order_by(col(Message.id))).all()
        noted = session.exec(select(AuditRow).where(AuditRow.did == "set_login")).one()
    assert [one.to for one in told] == [OLD, NEW]
    assert all(OLD in one.body and NEW in one.body for one in told)
    assert (noted.account, noted.noun) == ("brigitte", "account")


def test_what_is_no_login_or_somebody_elses_changes_nothing(desk: Place) -> None:
    logged_in(desk, "remy")
    team = logged_in(desk, "brigitte")
    for login, said in (("remy quentin", "Un identifiant se compose"), ("brigitte", "Cet identifiant est pris")):
        answer = press(desk, team, PAGE, f"{PAGE}/account/login", login=login)
        assert (answer.status_code, said in plain(answer.text)) == (409, True)
    assert press(desk, team, PAGE, f"{PAGE}/account/login", login="remy").status_code == 303, "the same again"
    with desk.database.reading() as session:
        assert account(session, "remy").member == "remy"
        assert session.exec(select(Message)).all() == []
        assert session.exec(select(AuditRow).where(AuditRow.did == "set_login")).all() == []


def test_the_account_of_whoever_has_a_role_is_the_administrators(desk: Place) -> None:
    logged_in(desk, "gregoire")  # a gardien
    team, page = logged_in(desk, "brigitte"), "/members/gregoire"
    assert "c’est l’administration qui s’occupe de son compte" in desk.page(page, team)
    assert press(desk, team, page, f"{page}/account/login", login="autre").status_code == 403
    assert press(desk, team, page, f"{page}/account/link").status_code == 403
    admin = desk.staff()
    assert press(desk, admin, page, f"{page}/account/login", login="greg").status_code == 303
    with desk.database.reading() as session:
        which = account(session, "greg").id
    assert press(desk, admin, f"/accounts/{which}", f"/accounts/{which}/login", login="greg2").status_code == 303
    assert "Identifiant : greg2" in desk.page(f"/accounts/{which}", admin)
    answer = press(desk, admin, f"/accounts/{which}", f"/accounts/{which}/login", login="é è")
    assert (answer.status_code, "Un identifiant se compose" in answer.text) == (400, True)


def test_a_login_that_is_no_address_is_not_written_to(desk: Place) -> None:
    logged_in(desk, "remy")
    team = logged_in(desk, "brigitte")
    assert press(desk, team, PAGE, f"{PAGE}/account/login", login=NEW).status_code == 303
    assert f"Un courriel le dit à {NEW}." in desk.page(PAGE, team)
    with desk.database.reading() as session:
        [told] = session.exec(select(Message)).all()
    assert told.until > datetime.now(UTC)
