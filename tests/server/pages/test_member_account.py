"""A member's account at the desk: a link of their own, another login, and who is written to about it."""

import re
from datetime import UTC, datetime

import pytest
from sqlmodel import col, select

from policy.bundle import Role
from server.audit import Decided
from server.changes import accounts as changes
from server.changes.configured import take_over_account
from server.changes.messages import queue
from server.models import Account, AuditRow, Member, Message
from server.queries.accounts import at_the_machine
from server.queries.former_logins import names_of
from server.queries.messages import ADDRESS, Bounced, bounced
from tests.server.pages.test_account_pages import GOOD, account, id_of, link_in, logged_in, press
from tests.support_pages import CHEAP_HASH, Place, plain

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


def test_what_was_done_under_another_login_is_still_theirs_and_nobody_elses(desk: Place) -> None:
    logged_in(desk, "remy")
    team = logged_in(desk, "brigitte")
    assert press(desk, team, PAGE, f"{PAGE}/account/login", login=OLD).status_code == 303
    assert press(desk, team, PAGE, f"{PAGE}/account/login", login=NEW).status_code == 303
    with desk.database.reading() as session:
        assert names_of(session, ["remy", OLD, NEW, "brigitte", "root"]) == {
            "remy": "Rémy Quentin", OLD: "Rémy Quentin", NEW: "Rémy Quentin", "brigitte": "Brigitte Oudin",
        }  # fmt: skip
    other = press(desk, team, "/members/zoe", "/members/zoe/account", login="remy")
    assert (other.status_code, "Cet identifiant est pris" in plain(other.text)) == (409, True)
    assert press(desk, team, PAGE, f"{PAGE}/account/login", login="remy").status_code == 303, "it was theirs"
    given = press(desk, team, "/members/zoe", "/members/zoe/account", login=OLD)
    assert given.status_code == 200, "an address that was another's by mistake, who did nothing under it"


def test_an_address_that_refused_mail_is_no_longer_missed_once_it_is_changed(desk: Place) -> None:
    logged_in(desk, "remy")
    called(desk, "remy", OLD)
    team, now = logged_in(desk, "brigitte"), datetime.now(UTC)
    with desk.database.transaction() as session:
        queue(session, Decided("server", desk.now), now, about="t", to=OLD, subject="s", body="b", until=now)
        [sent] = session.exec(select(Message)).all()
        sent.state, sent.why = "refused", f"{ADDRESS}: unknown"
        session.add(sent)
    assert [one.member for one in bounces(desk)] == ["remy"]
    assert press(desk, team, PAGE, f"{PAGE}/account/login", login=NEW).status_code == 303
    assert bounces(desk) == []


def bounces(place: Place) -> list[Bounced]:
    with place.database.reading() as session:
        return bounced(session)


def test_an_account_that_is_closed_is_said_to_be_and_no_second_one_is_offered(desk: Place) -> None:
    logged_in(desk, "remy")
    team = logged_in(desk, "brigitte")
    with desk.database.transaction() as session:
        changes.end_account(session, at_the_machine("root"), datetime.now(UTC), account(session, "remy").id or 0)
    page = desk.page(PAGE, team)
    assert "remy fermé Ce compte est fermé." in page
    assert "Lui donner un compte" not in page
    assert "C’est l’administration qui le rouvre." in page
    for what, status in (("account", 409), ("account/link", 403), ("account/login", 409)):
        assert press(desk, team, PAGE, f"{PAGE}/{what}", login=NEW).status_code == status, what


def test_the_login_that_stands_in_server_toml_is_not_changed_beside_it(desk: Place) -> None:
    """The next start would make an administrator of that login again."""
    with desk.database.transaction() as session:
        take_over_account(session, datetime.now(UTC), "maison", CHEAP_HASH)
        which = account(session, "maison").id
    page = f"/accounts/{which}"
    answer = press(desk, desk.staff(), page, f"{page}/login", login="autre")
    assert (answer.status_code, "est écrit dans server.toml" in answer.text) == (400, True)
    assert press(desk, desk.staff(), page, f"{page}/login", login="maison").status_code == 303


def test_what_is_no_login_or_somebody_elses_changes_nothing(desk: Place) -> None:
    logged_in(desk, "remy")
    team = logged_in(desk, "brigitte")
    for login, said in (("remy quentin", "Un identifiant se compose"), ("brigitte", "Cet identifiant est pris")):
        answer = press(desk, team, PAGE, f"{PAGE}/account/login", login=login)
        assert (answer.status_code, said in plain(answer.text)) == (409, True)
        assert re.search(rf'<details open>\s*<summary>Changer l’identifiant.*?value="{login}"', answer.text, re.S), (
            "as typed"
        )
    admin, one = desk.staff(), f"/accounts/{id_of(desk, 'remy')}"
    answer = press(desk, admin, one, f"{one}/login", login="remy quentin")
    assert (answer.status_code, 'value="remy quentin"' in answer.text) == (400, True)
    assert "<details open>" not in admin.get(one).text
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
