"""What the desk changes of a member and their badges: checked, audited, told to the doors, nothing overwritten."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from sqlmodel import col, select

from policy.bundle import Member, Role, Shift
from server.changes.accounts import end_sessions
from server.changes.bundle import put
from server.database.types import moment
from server.models import Account, AuditRow, Credential, Edge, MachineSession
from tests.support_pages import PASSWORD, STAFF, Place
from tests.support_server import DECIDED

NAME = "Léa Lambert"


def post(place: Place, path: str, client: FlaskClient, **data: object) -> tuple[int, str]:
    """Press a button; where it leads to a page, that page, as a reader sees it."""
    sent = {"csrf_token": place.form_token(client, "/new-member")} | data
    answer = client.post(path, data=sent)
    if answer.status_code != 303:
        return answer.status_code, answer.text
    return 303, place.page(answer.headers["Location"], client).replace("\N{NO-BREAK SPACE}", " ")


def member(place: Place, which: str) -> Member | None:
    """As the doors' rules have them."""
    return next((one for one in place.publisher.current.bundle.members if one.id == which), None)


def shown_form(place: Place, client: FlaskClient, which: str) -> dict[str, str]:
    """What the form on a member's page holds."""
    found = re.search(r'name="was" value="([^"]+)"', client.get(f"/members/{which}").text)
    assert found is not None
    one = member(place, which)
    assert one is not None
    return {"was": unescape(found[1]), "name": one.name, "tier": one.tier}


def audited(place: Place) -> list[tuple[str, str, str, str]]:
    with place.database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.account == STAFF).order_by(col(AuditRow.id)))
        return [(row.did, row.noun, row.subject, row.why) for row in rows if row.noun in ("member", "credential")]


def row_of(place: Place, which: str) -> int:
    with place.database.reading() as session:
        return session.exec(select(Credential.id).where(Credential.member == which)).one() or 0


def status_of(place: Place, which: str) -> list[str]:
    return [badge.status for badge in place.publisher.current.bundle.credentials if badge.member == which]


def only_staff(place: Place) -> FlaskClient:
    """Whoever is logged in administers nothing."""
    with place.database.transaction() as session:
        account = session.exec(select(Account).where(Account.login == STAFF)).one()
        account.admin, account.member = False, "alice"
        session.add(account)
    return place.staff()


def test_a_member_is_added_and_the_doors_hear_of_it(place: Place) -> None:
    client, before = place.staff(), place.publisher.current.version
    data = {"name": f"  {NAME} ", "tier": "nomad", "valid_until": "31/12/2026", "roles": ["gardien"]}
    status, page = post(place, "/new-member", client, **data)
    assert (status, "Membre ajouté. 0 porte sur" in page) == (303, True)
    assert f"{NAME} n’entre pas : sans badge" in page
    [new] = [one for one in place.publisher.current.bundle.members if one.name == NAME]
    assert (new.tier, str(new.valid_until), new.roles) == ("nomad", "2026-12-31", (Role.GARDIEN,))
    assert place.publisher.current.version > before
    assert audited(place) == [("added", "member", new.id, "")]


def test_a_new_members_form_that_is_sent_again_overwrites_nothing_that_was_changed_since(place: Place) -> None:
    client, data = place.staff(), {"name": NAME, "tier": "nomad", "token": "0123456789ab"}
    assert post(place, "/new-member", client, **data)[0] == 303
    known = "m-0123456789ab"
    assert (
        post(place, f"/members/{known}/change", client, **shown_form(place, client, known) | {"tier": "resident"})[0]
        == 303
    )
    assert post(place, "/new-member", client, **data)[0] == 303
    assert [one.tier for one in place.publisher.current.bundle.members if one.name == NAME] == ["resident"]
    assert post(place, f"/members/{known}/end", client)[0] == 303
    assert post(place, "/new-member", client, **data)[0] == 303
    assert member(place, known) is None, "a form sent again takes nobody back"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "", "tier": "nomad"}, "Un nom a de 1 à 200 signes visibles"),
        ({"name": "a" * 10_000, "tier": "nomad"}, "Un nom a de 1 à 200 signes visibles"),
        ({"name": "Léa\u202e", "tier": "nomad"}, "Un nom a de 1 à 200 signes visibles"),
        ({"name": NAME, "tier": "none"}, "Cette formule n’existe pas, ou plus."),
        ({"name": NAME, "tier": "nomad", "valid_until": "31 13 2026"}, "Le 31 13 2026 n’existe pas"),
        ({"name": NAME, "tier": "nomad", "valid_from": "0001-01-01"}, "Écrivez le jour ainsi"),
        ({"name": NAME, "tier": "nomad", "valid_from": "1/1/2027", "valid_until": "1/1/2026"}, "pas avant le premier"),
        ({"name": NAME, "tier": "nomad", "roles": ["admin"]}, "Ce rôle n’existe pas."),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_what_was_typed_stays(
    place: Place, data: dict[str, object], said: str
) -> None:
    status, text = post(place, "/new-member", place.staff(), **data)
    assert status == 400
    assert said in text.replace("\N{NO-BREAK SPACE}", " ")
    assert 'aria-invalid="true" autofocus' in text or "roles" in data
    assert f'value="{data["name"]}"' in text
    assert audited(place) == []


def test_the_second_of_two_who_change_a_member_is_told_and_overwrites_nothing(place: Place) -> None:
    one, other = place.staff(), place.staff()
    first, second = shown_form(place, one, "remy"), shown_form(place, other, "remy")
    assert post(place, "/members/remy/change", one, **first | {"tier": "nomad"})[0] == 303
    status, text = post(place, "/members/remy/change", other, **second | {"name": "Rémy Q."})
    assert status == 409
    assert "Formule : resident → nomad" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert 'value="Rémy Q."' in text
    kept = member(place, "remy")
    assert kept is not None
    assert (kept.name, kept.tier) == ("Rémy Quentin", "nomad")
    found = re.search(r'name="was" value="([^"]+)"', text)
    assert found is not None
    again = {"was": unescape(found[1]), "name": "Rémy Q.", "tier": "nomad"}
    assert post(place, "/members/remy/change", other, **again)[0] == 303
    changed = member(place, "remy")
    assert changed is not None
    assert (changed.name, changed.tier) == ("Rémy Q.", "nomad")


def test_a_role_is_given_and_taken_by_whoever_administers(place: Place) -> None:
    client = only_staff(place)
    assert post(place, "/new-member", client, name=NAME, tier="nomad", roles=["staff"])[0] == 303
    assert [one.roles for one in place.publisher.current.bundle.members if one.name == NAME] == [()]
    assert post(place, "/members/gregoire/end", client)[0] == 403
    assert member(place, "gregoire") is not None
    assert post(place, "/members/brigitte/end", client)[0] == 303


def test_suspended_wants_a_reason_and_one_press_restores(place: Place) -> None:
    client = place.staff()
    status, text = post(place, "/members/remy/status", client, status="suspended", why=" ")
    assert (status, "Écrivez pourquoi" in text) == (400, True)
    _, page = post(place, "/members/remy/status", client, status="suspended", why="impayé")
    assert "Accès suspendu." in page
    assert "Rémy Quentin n’entre pas : accès suspendu" in page
    assert place.publisher.current.rules.members["remy"].suspended
    assert post(place, "/members/remy/status", client, status="active")[0] == 303
    assert not place.publisher.current.rules.members["remy"].suspended
    assert audited(place)[0] == ("changed", "member", "remy", "impayé")


def test_who_ends_takes_what_is_theirs_along_and_has_it_again_on_return(place: Place) -> None:
    client = place.staff()
    with place.database.transaction() as session:
        put(session, [Shift("s9", "zoe", "2026-12-01T18:00", "2026-12-01T20:00")], DECIDED)
    assert post(place, "/members/zoe/end", client, why="déménage")[0] == 303
    bundle = place.publisher.current.bundle
    assert member(place, "zoe") is None
    assert (bundle.passes, [shift.id for shift in bundle.shifts]) == ((), ["s1", "s2"])
    assert post(place, "/members/gregoire/end", client)[0] == 303
    assert place.publisher.current.bundle.shifts == ()
    _, page = post(place, "/members/gregoire/return", client)
    assert "De nouveau membre." in page
    assert status_of(place, "gregoire") == ["active"]
    assert post(place, "/members/zoe/return", client)[0] == 303
    assert [held.id for held in place.publisher.current.bundle.passes] == ["c1"]
    assert post(place, "/members/zoe/return", client)[0] == 409
    assert post(place, "/members/nobody/end", client)[0] in (404, 409)


@pytest.mark.parametrize("written", ["04:61:AA:BB:CC:00:01", "0461aabbcc0001", "0x04 0x61 0xAA 0xBB 0xCC 0x0 0x1"])
def test_a_badge_is_given_in_any_way_of_writing_its_number(place: Place, written: str) -> None:
    _, page = post(place, "/members/zoe/badges", place.staff(), uid=written)
    assert "Le badge ···0001 est bon." in page
    assert [badge.uid for badge in place.publisher.current.bundle.credentials if badge.member == "zoe"] == [
        "0461AABBCC0001"
    ]


@pytest.mark.parametrize(
    ("written", "status", "said"),
    [
        ("08F3419C", 400, "Ce numéro change à chaque fois (téléphone"),
        ("00000000", 400, "Aucun badge n’a ce numéro."),
        ("88046142", 400, "Ce n’est que le début d’un numéro de 7 octets."),
        ("carte blanche", 400, "Écrivez les 4, 7 ou 10 octets"),
        ("04C30000", 409, "···0000 est à Rémy Quentin."),
        ("0563537489", 400, "51E69621"),
    ],
)
def test_a_number_that_is_no_badge_of_theirs_is_refused_with_why(
    place: Place, written: str, status: int, said: str
) -> None:
    answered, text = post(place, "/members/zoe/badges", place.staff(), uid=written)
    assert (answered, said in text.replace("\N{NO-BREAK SPACE}", " ")) == (status, True)
    assert f'value="{written}"' in text
    assert status_of(place, "zoe") == []


def test_lost_in_one_press_and_good_again_with_a_reason(place: Place) -> None:
    client, number = place.staff(), row_of(place, "remy")
    path = f"/members/remy/badges/{number}"
    _, page = post(place, path, client, seen="active", status="lost")
    assert "Badge ···0000 déclaré perdu. 0 porte sur" in page
    assert status_of(place, "remy") == ["lost"]
    status, text = post(place, path, client, seen="lost", status="active")
    assert (status, "Écrivez pourquoi" in text) == (400, True)
    assert post(place, path, client, seen="active", status="stolen")[0] == 409, "somebody else declared it lost"
    assert post(place, path, client, seen="lost", status="active", why="retrouvé")[0] == 303
    assert status_of(place, "remy") == ["active"]
    assert [row[3] for row in audited(place)] == ["", "retrouvé"]
    assert post(place, f"/members/zoe/badges/{number}", client, seen="active", status="lost")[0] == 409


def test_the_toast_counts_the_doors_that_hold_the_rules(place: Place) -> None:
    client = place.staff()
    path = f"/members/remy/badges/{row_of(place, 'remy')}"
    assert (
        "0 porte sur 2 le sait ; pas encore : front, garage."
        in post(place, path, client, seen="active", status="lost")[1]
    )
    with place.database.transaction() as session:
        for edge in session.exec(select(Edge)):
            edge.rules_version = place.publisher.current.version
            session.add(edge)
    address = f"/members/remy?done=badge&badge={row_of(place, 'remy')}&rules={place.publisher.current.version}"
    assert "Il n’ouvre plus rien : 2 portes sur 2 le savent." in place.page(address, client).replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "hx-get" not in client.get(address).text
    assert "toast" not in client.get("/members/remy?done=badge&badge=9999&rules=1").text
    assert "toast" not in client.get("/members/remy?done=%3Cb%3E&rules=1").text


@pytest.mark.parametrize("path", ["/new-member", "/members/remy/change", "/members/remy/end", "/members/remy/badges"])
def test_without_the_forms_token_nothing_happens(place: Place, path: str) -> None:
    assert place.staff().post(path, data={"name": NAME, "tier": "nomad", "uid": "0461AABBCC0001"}).status_code == 400
    assert audited(place) == []


def test_an_id_of_any_characters_has_its_page(place: Place) -> None:
    odd = replace(member(place, "remy") or Member("", "", ""), id="a/b ?#%", name="Odd")
    with place.database.transaction() as session:
        put(session, [odd], DECIDED)
    place.publish()
    client = place.staff()
    assert "Odd n’entre pas" in place.page("/members/a%2Fb%20%3F%23%25", client)
    assert post(place, "/members/a%2Fb%20%3F%23%25/status", client, status="suspended", why="x")[0] == 303


# Ended in the middle of something


def test_whose_membership_ends_inside_is_still_counted_called_over_and_may_be_noted_as_gone(place: Place) -> None:
    client = place.staff()
    assert "À l’intérieur en ce moment." in place.page("/members/remy", client)
    before = place.page("/", client)
    assert post(place, "/members/remy/end", client)[0] == 303
    assert "Quentin Rémy entrée à 9 h 30" in place.page("/evacuation", client).replace("\N{NO-BREAK SPACE}", " ")
    there = re.compile(r"(\d+) personnes dedans|(\d+) dans les murs")
    assert there.findall(before) == there.findall(place.page("/", client))
    assert "Membre retiré" in place.page("/", client)
    assert "Rémy Quentin" in place.page("/presence", client)
    status, page = post(place, "/presence/remy/left", client, at="19:00", why="parti sans badge")
    assert (status, "Rémy Quentin est parti·e à 19 h" in page) == (303, True)
    assert "Quentin Rémy entré" not in place.page("/evacuation", client)


def test_who_left_before_their_membership_ended_is_not_inside(place: Place) -> None:
    client = place.staff()
    place.journal.leaves(place.now, "remy")
    place.tell()
    assert "À l’intérieur en ce moment" not in place.page("/members/remy", client)
    assert post(place, "/members/remy/end", client)[0] == 303
    assert "Quentin Rémy entré" not in place.page("/evacuation", client)


def test_a_machine_that_runs_is_named_before_a_membership_is_ended(place: Place) -> None:
    client = place.staff()
    assert "tourne pour cette personne" not in place.page("/members/remy", client)
    with place.database.transaction() as session:
        at = moment(place.now)
        session.add(
            MachineSession(machine="laser", started=at, member="remy", kind="laser", cuts=True, edge="front", heard=at)
        )
    assert "laser tourne pour cette personne. Elle va jusqu’à son heure" in place.page("/members/remy", client)


# A session that ends in the middle of a form


def test_what_was_typed_of_a_member_outlives_the_session(place: Place) -> None:
    client = place.staff()
    typed = shown_form(place, client, "remy") | {"name": "Rémy Q. « été »"}
    token = place.form_token(client, "/members/remy")
    with place.database.transaction() as session:
        end_sessions(session, session.exec(select(Account).where(Account.login == STAFF)).one())
    answer = client.post("/members/remy/change", data=typed | {"csrf_token": token})
    assert answer.status_code == 401
    data = hidden_fields(answer.text) | {"name": STAFF, "password": PASSWORD}
    again = client.post("/login", data=data)
    assert (again.status_code, 'action="/members/remy/change"' in again.text) == (200, True)
    assert client.post("/members/remy/change", data=hidden_fields(again.text)).status_code == 303
    kept = member(place, "remy")
    assert kept is not None
    assert kept.name == "Rémy Q. « été »"


def hidden_fields(text: str) -> dict[str, str]:
    main = text[text.index("<main") :]
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="([\w.]+)" value="([^"]*)"', main)}
