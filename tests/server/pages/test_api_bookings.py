"""Programs book machines: 201, or 409 with what is free next; only with a token, never with a browser's session."""

from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from policy.instants import text
from server.database.types import moment
from server.models import ApiToken, MachineSession
from server.pages.api_bookings import IN_USE, OTHER, OWN
from server.passwords import hash_token
from server.roles import Scope
from tests.support_bookings import furnish, tomorrow
from tests.support_pages import TOKEN, Place

BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATH = "/api/v1/bookings"


@pytest.fixture
def fab(place: Place) -> Place:
    furnish(place.database)
    place.publish()
    return place


def wish(hour: int, until: int, **more: str) -> dict[str, str]:
    said = {"machine": "cnc", "member": "remy", "start": text(tomorrow(hour)), "end": text(tomorrow(until))}
    return {name: value for name, value in (said | more).items() if value}


def ask(place: Place, json: Any, headers: dict[str, str] = BEARER) -> TestResponse:
    return place.client.post(PATH, json=json, headers=headers)


def test_a_booking_is_made_listed_and_cancelled_and_the_machines_know(fab: Place) -> None:
    made = ask(fab, wish(14, 16))
    assert (made.status_code, made.json and made.json["machine"]) == (201, "cnc")
    assert made.json == {"id": made.json["id"], "lapsed": False} | wish(14, 16)
    assert [one.member for one in fab.publisher.current.rules.bookings["cnc"]] == ["remy"]
    listed = fab.client.get(PATH, headers=BEARER).json
    assert listed == {"items": [made.json]}
    assert fab.client.get(f"{PATH}?machine=printer-1", headers=BEARER).json == {"items": []}
    path = f"{PATH}/{made.json['id']}"
    assert fab.client.delete(path, headers=BEARER).status_code == 204
    assert "cnc" not in fab.publisher.current.rules.bookings
    assert fab.client.delete(path, headers=BEARER).status_code == 404


@pytest.mark.sqlite
def test_who_comes_second_is_told_what_is_free_next(fab: Place) -> None:
    ask(fab, wish(14, 16))
    taken = ask(fab, wish(15, 17, member="brigitte"))
    gap = {"machine": "cnc", "start": text(tomorrow(16)), "end": text(tomorrow(18))}
    assert (taken.status_code, taken.json) == (409, {"held_by_other": True, "next_free": gap} | {"why": OTHER})
    assert ask(fab, wish(15, 17)).json == {"held_by_other": False, "next_free": gap, "why": OWN}


@pytest.mark.sqlite
def test_a_booking_that_nobody_comes_for_any_more_is_said_to_be_lapsed(fab: Place) -> None:
    ask(fab, wish(14, 16))
    for minute, lapsed in ((0, False), (14, False), (15, True)):
        fab.now = tomorrow(14, minute)
        listed = fab.client.get(PATH, headers=BEARER).json
        assert [one["lapsed"] for one in listed["items"]] == [lapsed], minute


@pytest.mark.sqlite
def test_a_session_that_runs_is_not_said_to_be_a_booking(fab: Place) -> None:
    fab.now = tomorrow(14)
    with fab.database.transaction() as session:
        started, until = moment(tomorrow(13)), moment(tomorrow(16))
        use = MachineSession(
            machine="cnc", started=started, member="remy", kind="cnc", edge="front", heard=started, cuts=True
        )
        use.until = until
        session.add(use)
    gap = {"machine": "cnc", "start": text(tomorrow(16)), "end": text(tomorrow(18))}
    taken = ask(fab, wish(14, 16, member="brigitte"))
    assert taken.json == {"held_by_other": True, "next_free": gap, "why": IN_USE}
    chosen = {"machine": "cnc", "start": "2026-11-25T14:00", "end": "2026-11-25T16:00"}
    client = fab.member("brigitte")
    token = {"csrf_token": fab.form_token(client, "/calendar")}
    assert "Quelqu’un s’en sert à ce moment-là." in fab.words(client.post("/calendar", data=chosen | token))


@pytest.mark.sqlite
def test_of_a_kind_the_first_free_one(fab: Place) -> None:
    asked = wish(14, 16, machine="", kind="printer")
    found = [ask(fab, asked | {"member": who}) for who in ("remy", "alice", "brigitte")]
    assert [one.status_code for one in found] == [201, 201, 409]
    assert [one.json and one.json["machine"] for one in found[:2]] == ["printer-1", "printer-2"]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("json", "status", "said"),
    [
        (wish(14, 16, machine=""), 400, "machine, kind"),
        (wish(14, 16, kind="cnc"), 400, "machine, kind"),
        (
            wish(14, 16, start="2026-11-25T14:00"),
            400,
            "start='2026-11-25T14:00': write an instant with its offset from UTC, as",
        ),
        (wish(14, 16) | {"why": "x"}, 400, "unknown field"),
        ([], 400, "The body is"),
    ],
)
def test_what_cannot_be_is_said_with_the_remedy(fab: Place, json: Any, status: int, said: str) -> None:
    answer = ask(fab, json)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json is not None
    assert said in answer.json["detail"]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("json", "why"),
    [
        (wish(14, 20), "240 minutes at most"),
        (wish(14, 16, machine="lathe"), "no such machine"),
        (wish(14, 16, machine="", kind="lathe"), "no such machine"),
        (wish(14, 16, member="zoe"), "suspended"),
        (wish(14, 16, member=""), "whoever made the token"),
    ],
)
def test_what_the_sites_terms_do_not_allow_is_said(fab: Place, json: Any, why: str) -> None:
    answer = ask(fab, json)
    assert (answer.status_code, answer.json and answer.json["next_free"]) == (409, None)
    assert answer.json is not None
    assert why in answer.json["why"]


def test_a_nul_is_refused_before_a_database_is_asked(fab: Place) -> None:
    """PostgreSQL takes none: each of these was an error of the server there."""
    nul, remy = "a\0b", fab.member("remy")
    form = {"csrf_token": fab.form_token(remy, "/account")}
    answers = [
        ask(fab, wish(14, 16, member=nul)),
        fab.client.get(PATH, query_string={"machine": nul}, headers=BEARER),
        fab.client.delete(f"{PATH}/a%00b", headers=BEARER),
        remy.post("/bookings/a%00b/cancel", data=form),
        remy.post("/trainings/sessions/a%00b/join", data=form),
        remy.post("/machines/cnc/faults", data=form | {"what": nul}),
    ]
    assert [one.status_code for one in answers] == [400] * 6


@pytest.mark.sqlite
def test_no_session_of_a_browser_books_and_a_token_without_the_scope_neither(fab: Place) -> None:
    assert fab.staff().post(PATH, json=wish(14, 16)).status_code == 403
    assert fab.client.post(PATH, json=wish(14, 16)).status_code == 401
    other = ApiToken(token_hash=hash_token("other"), name="o", scopes=[Scope.NOW], by="equipe", made=datetime.now(UTC))
    with fab.database.transaction() as session:
        session.add(other)
    assert ask(fab, wish(14, 16), {"Authorization": "Bearer other"}).status_code == 403


@pytest.mark.sqlite
def test_whoever_made_the_token_is_meant_where_nobody_is_named(fab: Place) -> None:
    fab.member("remy")
    own = ApiToken(
        token_hash=hash_token("own"), name="o", scopes=[Scope.BOOKINGS], by="remy.compte", made=datetime.now(UTC)
    )
    with fab.database.transaction() as session:
        session.add(own)
    made = ask(fab, wish(14, 16, member=""), {"Authorization": "Bearer own"})
    assert (made.status_code, made.json and made.json["member"]) == (201, "remy")
