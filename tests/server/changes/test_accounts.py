"""What people decide about accounts, on both databases: who may, what changes, and what is refused in which words."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from limits import parse_many
from sqlmodel import Session, select

from server.changes import accounts
from server.changes.configured import take_over_account, take_over_token
from server.database.engine import Database
from server.errors import ChangeRefusedError, Refused
from server.models import Account, AccountLink, AccountSession, AuditRow, Member, Passkey
from server.passwords import accepted, hash_password, hash_token, is_common, is_password
from server.queries import accounts as known
from server.queries.accounts import Caller, at_the_machine
from server.roles import STAFF, Role, Scope
from server.web.sessions import ATTEMPTS, FAILURES
from tests.support_pages import CHEAP_HASH, PASSWORD, TOKEN, Place
from tests.support_site import at

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = at_the_machine("root")
TEAM = Caller("alice", "Alice", frozenset({Role.MEMBER, Role.STAFF}))
MEMBER = Caller("remy", "Rémy", frozenset({Role.MEMBER}))
GOOD = "quatre mots sans rapport"


def refused(why: Refused) -> Any:
    return pytest.raises(ChangeRefusedError, match=f"^{why.value}$")


def invited(session: Session, login: str, member: str | None = None, *, admin: bool = False) -> Account:
    """An account whose link was used: it has a password and a session."""
    token = accounts.invite(session, ROOT, NOW, login=login, member=member, admin=admin)
    accounts.take_up(session, token, NOW, password_hash=CHEAP_HASH, device="")
    return session.exec(select(Account).where(Account.login == login)).one()


# Invitations and links


def test_a_link_is_good_once_and_only_its_hash_is_kept(database: Database) -> None:
    with database.transaction() as session:
        token = accounts.invite(session, ROOT, NOW, login="Rémy", member="remy")
        [link] = session.exec(select(AccountLink))
        assert link.token_hash == hash_token(token)
        begun = accounts.take_up(session, token, NOW, password_hash=CHEAP_HASH, device="Firefox")
        caller = known.caller_of(session, begun, NOW)
        assert caller is not None
        assert (caller.login, caller.name, caller.roles) == ("rémy", "Rémy Quentin", {Role.MEMBER})
        with refused(Refused.LINK_USED):
            accounts.take_up(session, token, NOW, password_hash=CHEAP_HASH, device="")


@pytest.mark.parametrize(("first", "lasts"), [(False, timedelta(days=7)), (True, timedelta(hours=24))])
def test_a_link_is_late_after_its_last_second(database: Database, first: bool, lasts: timedelta) -> None:
    with database.transaction() as session:
        if first:
            token = accounts.first_admin(session, ROOT, NOW)
        else:
            token = accounts.invite(session, ROOT, NOW, login="x", member=None)
        assert accounts.open_link(session, token, NOW + lasts - timedelta(seconds=1)).password_hash is None
        with refused(Refused.LINK_LATE):
            accounts.open_link(session, token, NOW + lasts)
        with refused(Refused.LINK_UNKNOWN):
            accounts.open_link(session, token + "x", NOW)


def test_a_new_link_voids_the_one_before_and_what_was_known_before(database: Database) -> None:
    with database.transaction() as session:
        account = invited(session, "remy", "remy")
        session.add(Passkey(id="k", account=account.id or 0, name="", public_key=b"", sign_count=0, made=NOW))
        first = accounts.new_link(session, TEAM, NOW, account.id or 0)
        second = accounts.new_link(session, TEAM, NOW, account.id or 0)
        with refused(Refused.LINK_UNKNOWN):
            accounts.open_link(session, first, NOW)
        accounts.take_up(session, second, NOW, password_hash="another", device="")
        assert account.password_hash == "another"
        assert not session.exec(select(Passkey)).all()
        assert len(session.exec(select(AccountSession)).all()) == 1


@pytest.mark.parametrize(
    ("login", "member", "why"),
    [
        ("", None, Refused.LOGIN_BAD),
        ("a b", None, Refused.LOGIN_BAD),
        ("a\u202eb", None, Refused.LOGIN_BAD),
        ("x" * 101, None, Refused.LOGIN_BAD),
        ("ÉQUIPE", None, Refused.LOGIN_TAKEN),
        ("other", "nobody", Refused.MEMBER_UNKNOWN),
        ("other", "remy", Refused.MEMBER_HAS_ACCOUNT),
    ],
)
def test_an_account_that_cannot_be_made(database: Database, login: str, member: str | None, why: Refused) -> None:
    with database.transaction() as session:
        invited(session, "équipe")
        invited(session, "remy", "remy")
        with refused(why):
            accounts.invite(session, ROOT, NOW, login=login, member=member)


# Who may


def test_staff_hands_out_links_for_members_and_no_others(database: Database) -> None:
    with database.transaction() as session:
        accounts.invite(session, TEAM, NOW, login="remy", member="remy")
        for login, member, admin in (("g", "gregoire", False), ("a", "alice", False), ("n", None, False)):
            with refused(Refused.NOT_ALLOWED):
                accounts.invite(session, TEAM, NOW, login=login, member=member, admin=admin)
        with refused(Refused.NOT_ALLOWED):
            accounts.invite(session, TEAM, NOW, login="b", member="brigitte", admin=True)
        with refused(Refused.NOT_ALLOWED):
            accounts.invite(session, MEMBER, NOW, login="b", member="brigitte")


@pytest.mark.parametrize("by", [TEAM, MEMBER])
def test_the_rest_is_an_administrator_s(database: Database, by: Caller) -> None:
    with database.transaction() as session:
        which = invited(session, "gregoire", "gregoire").id or 0
        invited(session, "chief", admin=True)
        for act in (
            lambda: accounts.first_admin(session, by, NOW),
            lambda: accounts.new_link(session, by, NOW, which),
            lambda: accounts.end_account(session, by, NOW, which),
            lambda: accounts.set_admin(session, by, NOW, which, admin=True),
            lambda: accounts.set_roles(session, by, NOW, which, frozenset({Role.STAFF})),
        ):
            with refused(Refused.NOT_ALLOWED):
                act()


def test_the_last_administrator_stays(database: Database) -> None:
    with database.transaction() as session:
        first, second = invited(session, "one", admin=True), invited(session, "two", admin=True)
        accounts.invite(session, ROOT, NOW, login="not-taken-up", member=None, admin=True)
        accounts.set_admin(session, ROOT, NOW, first.id or 0, admin=False)
        with refused(Refused.LAST_ADMIN):
            accounts.set_admin(session, ROOT, NOW, second.id or 0, admin=False)
        with refused(Refused.LAST_ADMIN):
            accounts.end_account(session, ROOT, NOW, second.id or 0)
        assert known.administrators(session) == [second.id]


# Roles


def test_an_account_has_its_member_s_roles_and_a_given_one_at_once(database: Database) -> None:
    with database.transaction() as session:
        account = invited(session, "gregoire", "gregoire")
        assert known.roles_of(session, account) == {Role.MEMBER, Role.GARDIEN}
        accounts.set_roles(session, ROOT, NOW, account.id or 0, frozenset({Role.STAFF, Role.FAB_MANAGER, Role.ADMIN}))
        assert known.roles_of(session, account) == {Role.MEMBER, Role.FAB_MANAGER, Role.STAFF}
        with refused(Refused.NO_ROLES):
            accounts.set_roles(session, ROOT, NOW, invited(session, "till").id or 0, frozenset({Role.STAFF}))


def test_an_account_that_ended_is_shut_out(database: Database) -> None:
    with database.transaction() as session:
        account = invited(session, "remy", "remy")
        token = accounts.begin_session(session, account, NOW, "")
        accounts.end_account(session, ROOT, NOW, account.id or 0)
        assert known.caller_of(session, token, NOW) is None
        assert known.by_login(session, "remy") is None
        with refused(Refused.ACCOUNT_ENDED):
            accounts.set_login(session, ROOT, NOW, account.id or 0, "another")


def test_whoever_has_left_logs_in_no_more(database: Database) -> None:
    with database.transaction() as session:
        token = accounts.begin_session(session, invited(session, "remy", "remy"), NOW, "")
        session.get_one(Member, "remy").ended = NOW
        session.flush()
        assert known.caller_of(session, token, NOW) is None
        assert known.by_login(session, "remy") is None
        with refused(Refused.MEMBER_UNKNOWN):
            accounts.invite(session, ROOT, NOW, login="again", member="remy")


def test_what_was_decided_is_written_down_without_a_secret(database: Database) -> None:
    with database.transaction() as session:
        which = invited(session, "gregoire", "gregoire").id or 0
        accounts.set_roles(session, ROOT, NOW, which, frozenset({Role.STAFF}))
        accounts.set_admin(session, ROOT, NOW, which, admin=True)
        link = accounts.new_link(session, ROOT, NOW, which)
        rows = session.exec(select(AuditRow).where(AuditRow.at == NOW).order_by(AuditRow.id)).all()  # type: ignore[arg-type]
        assert [(row.account, row.did, row.noun) for row in rows] == [
            ("root", "invite", "account"),
            ("root", "link", "account"),
            ("gregoire", "take_up", "account"),
            ("root", "set_roles", "member"),
            ("root", "set_admin", "account"),
            ("root", "link", "account"),
        ]
        assert (rows[3].before, rows[3].after) == ({"roles": ["gardien"]}, {"roles": ["staff"]})
        assert (rows[4].before, rows[4].after) == ({"admin": False}, {"admin": True})
        said = repr(rows)
        assert not [secret for secret in (CHEAP_HASH, link, hash_token(link)) if secret in said]


# Sessions


@pytest.mark.parametrize(("member", "lasts"), [("alice", timedelta(hours=12)), ("remy", timedelta(days=30))])
def test_how_long_a_session_lasts(database: Database, member: str, lasts: timedelta) -> None:
    with database.transaction() as session:
        token = accounts.begin_session(session, invited(session, member, member), NOW, "")
        assert known.caller_of(session, token, NOW + lasts - timedelta(seconds=1)) is not None
        assert known.caller_of(session, token, NOW + lasts) is None


def test_whoever_joins_the_team_has_no_long_session(database: Database) -> None:
    with database.transaction() as session:
        account = invited(session, "remy", "remy")
        token = accounts.begin_session(session, account, NOW, "")
        accounts.set_roles(session, ROOT, NOW, account.id or 0, frozenset({Role.STAFF}))
        assert known.caller_of(session, token, NOW + timedelta(hours=12)) is None


def test_a_new_password_ends_every_session_and_begins_one(database: Database) -> None:
    with database.transaction() as session:
        account = invited(session, "remy", "remy")
        before = [accounts.begin_session(session, account, NOW, device) for device in ("phone", "desk")]
        me = known.caller_of(session, before[0], NOW)
        assert me is not None
        token = accounts.change_password(session, me, NOW, "new", "phone")
        assert [known.caller_of(session, one, NOW) for one in before] == [None, None]
        assert [line.device for line in known.sessions_of(session, account.id or 0, NOW)] == ["phone"]
        assert known.caller_of(session, token, NOW) is not None


def test_sessions_are_ended_one_by_one_by_their_owner_alone(database: Database) -> None:
    with database.transaction() as session:
        mine, other = invited(session, "remy", "remy"), invited(session, "brigitte", "brigitte")
        tokens = [accounts.begin_session(session, account, NOW, "") for account in (mine, mine, other)]
        me, again, somebody = (known.caller_of(session, token, NOW) for token in tokens)
        assert me is not None
        assert again is not None
        assert somebody is not None
        for which in (again.session, somebody.session):
            accounts.end_session(session, me, which or 0)
        assert [known.caller_of(session, token, NOW) is None for token in tokens] == [False, True, False]


def test_what_is_over_is_forgotten(database: Database) -> None:
    with database.transaction() as session:
        account = invited(session, "remy", "remy")
        later = NOW + timedelta(days=60)
        accounts.begin_session(session, account, later, "")
        assert [one.begun for one in session.exec(select(AccountSession))] == [later]
        assert not session.exec(select(AccountLink)).all()


# What server.toml says


def test_a_password_of_server_toml_is_taken_over_once_for_each_hash(database: Database) -> None:
    with database.transaction() as session:
        take_over_account(session, NOW, "Equipe", CHEAP_HASH)
        account = session.exec(select(Account)).one()
        me = Caller("equipe", "equipe", frozenset({Role.ADMIN}), account.id)
        accounts.change_password(session, me, NOW, "changed on the page", "")
        take_over_account(session, NOW, "Equipe", CHEAP_HASH)
        assert account.password_hash == "changed on the page"
        take_over_account(session, NOW, "Equipe", "another hash")
        assert (account.password_hash, account.admin) == ("another hash", True)
        assert not session.exec(select(AccountSession)).all()


def test_a_token_of_server_toml_gives_way_to_the_next(database: Database) -> None:
    with database.transaction() as session:
        for token in ("first", "first", "second"):
            take_over_token(session, NOW, hash_token(token))
        second = known.api_token(session, "second")
        assert second is not None
        assert set(second.scopes) == set(Scope)
        assert known.api_token(session, "first") is None


def test_a_token_is_good_for_its_scopes_alone(place: Place) -> None:
    with place.database.transaction() as session:
        [kept] = known.tokens(session)
        kept.scopes = [Scope.NOW]
        session.add(kept)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert place.client.get("/api/v1/now", headers=bearer).status_code == 200
    answer = place.client.get("/api/v1/passages", headers=bearer)
    assert answer.status_code == 403
    assert answer.json is not None
    assert "read:passages" in answer.json["detail"]


# Passwords


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "Motdepasse2026!",
        "azertyazerty",
        "azertyuiop12",
        "123456789012",
        "210987654321",
        "111111111111",
        "abababababab",
        "abcdefghijkl",
        "correct horse battery staple",
        "gregoire.vasseur1",
    ],
)
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    assert is_common(password, "Gregoire.Vasseur")
    with refused(Refused.PASSWORD_COMMON):
        accepted(password, "Gregoire.Vasseur")


@pytest.mark.parametrize("password", [GOOD, "x7-mk2-qq9-tt4", "лошадь батарея скоба", "12 h 30 au café"])
def test_what_is_one_s_own_is_taken(password: str) -> None:
    assert is_password(accepted(password, "remy"), password)


@pytest.mark.parametrize(("length", "why"), [(11, Refused.PASSWORD_SHORT), (1001, Refused.PASSWORD_LONG)])
def test_the_length_of_a_password(length: int, why: Refused) -> None:
    letters = "abdfgkxz0369" * 90
    assert accepted(letters[:12], "")
    assert accepted(letters[:1000], "")
    with refused(why):
        accepted(letters[:length], "")


def test_a_password_is_the_same_however_its_accents_are_typed() -> None:
    assert is_password(hash_password("caf\u00e9 cr\u00e8me"), "cafe\u0301 cre\u0300me")


@pytest.mark.sqlite
def test_an_unknown_login_takes_as_much_work_as_a_wrong_password(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """One argon2id of the same size for each: nearly all of the time of an answer."""
    work: list[Parameters] = []

    class Counted(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - its name there
            work.append(extract_parameters(str(hash)))
            return super().verify(hash, password)

    with place.database.transaction() as session:
        take_over_account(session, NOW, "known", hash_password(GOOD))
    monkeypatch.setattr("server.passwords._hasher", Counted())
    token = place.form_token(place.client)
    for name in ("known", "nobody"):
        place.client.post("/login", data={"name": name, "password": "wrong", "csrf_token": token})
    assert len(work) == 2
    assert work[0] == work[1]


@pytest.mark.sqlite
def test_so_many_wrong_passwords_for_one_account_are_enough_from_wherever(place: Place) -> None:
    """And not so few that one address alone keeps its owner out."""
    client = place.client
    token = place.form_token(client)

    def tried(number: int, name: str, password: str) -> int:
        data = {"name": name, "password": password, "csrf_token": token}
        return client.post("/login", data=data, environ_overrides={"REMOTE_ADDR": f"10.0.0.{number}"}).status_code

    most = FAILURES.amount
    assert most > parse_many(ATTEMPTS)[1].amount
    assert {tried(number, "equipe", "wrong") for number in range(most)} == {401}
    assert tried(most, "EQUIPE", PASSWORD) == 429
    assert tried(most + 1, "other", "wrong") == 401


# The link's page


@pytest.mark.sqlite
def test_the_link_s_page_is_opened_as_often_as_one_likes_and_used_once(place: Place) -> None:
    with place.database.transaction() as session:
        token = accounts.invite(session, ROOT, datetime.now(UTC), login="remy", member="remy")
    client, path = place.app.test_client(), f"/invitation/{token}"
    assert "remy" in place.page(path, client)
    form = {"csrf_token": place.form_token(client, path), "password": GOOD, "repeated": GOOD}
    for wrong, said in (
        ({"repeated": GOOD + " "}, "ne sont pas les mêmes"),
        ({"password": "court", "repeated": "court"}, "12 caractères au moins"),
        ({"password": "motdepasse1234", "repeated": "motdepasse1234"}, "deviné parmi les premiers"),
    ):
        answer = client.post(path, data=form | wrong)
        assert (answer.status_code, said in answer.text) == (400, True)
    assert client.post(path, data=form).status_code == 303
    assert "Rémy Quentin" in place.page("/", client)
    assert "Derniers passages" not in place.page("/", client), "names are the team's"
    for used in (client.get(path), client.post(path, data=form)):
        assert (used.status_code, "a déjà servi" in used.text) == (410, True)
    assert place.client.get("/invitation/made-up").status_code == 410


@pytest.mark.sqlite
@pytest.mark.parametrize("member", ["alice", "gregoire", "remy"])
def test_names_are_told_to_the_team_alone(place: Place, member: str) -> None:
    """And to a gardien while they hold the place (test_door_pages.py): this one has gone."""
    place.journal.leaves(at(19, 11), "gregoire")
    place.tell()
    with place.database.transaction() as session:
        account = invited(session, member, member)
        token = accounts.begin_session(session, account, datetime.now(UTC), "")
        team = bool(known.roles_of(session, account) & STAFF)
    client = place.app.test_client()
    client.set_cookie("loquet", token)
    assert ("Brigitte" in client.get("/").text) is team
    assert client.get("/api/v1/passages").status_code == (200 if team else 403)
