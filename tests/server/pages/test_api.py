"""What programs get: /api/v1 and its problem documents."""

from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from policy.bundle import Member, Pass
from policy.facts import Paid
from policy.instants import text
from policy.reasons import Reason
from policy.terms import DAY
from server.changes.bundle import put
from server.database.engine import Database
from server.database.types import moment
from server.ingest.facts import ToldBy, store
from server.models import ApiToken
from server.passwords import hash_token
from server.queries.looks import looks
from server.roles import Scope
from tests.support_pages import TOKEN, Place
from tests.support_server import DECIDED, statements
from tests.support_site import at
from wire.messages import Status

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def body(answer: TestResponse) -> Any:
    assert answer.status_code == 200
    return answer.json


def test_now_in_public(place: Place) -> None:
    assert body(place.client.get("/api/v1/now")) == {
        "open": True,
        "until": text(at(22)),
        "end": text(at(22)),
        "held": True,
        "inside": 3,
        "capacity": 100,
        "heard": None,
        "degree": "sure",
        "ask_again": text(at(22)),
    }


def test_now_with_the_token(place: Place) -> None:
    place.desk.say(Status(True, rules_version=1))
    answer = body(place.client.get("/api/v1/now", headers=BEARER))
    assert answer["held_by"] == ["Grégoire Vasseur"]
    assert answer["edges"] == [
        {"id": "front", "online": True, "rules_version": 1},
        {"id": "garage", "online": False, "rules_version": None},
    ]
    assert set(answer) == {"open", "until", "end", "held", "inside", "capacity", "heard", "held_by", "edges"} | {
        "degree",
        "ask_again",
    }


def test_now_with_a_login(place: Place) -> None:
    assert body(place.staff().get("/api/v1/now"))["held_by"] == ["Grégoire Vasseur"]


def test_now_when_shut(place: Place) -> None:
    place.now = at(5) + DAY
    place.publisher.publish()
    answer = body(place.client.get("/api/v1/now"))
    heard = {"heard": text(at(19, 12)), "degree": "nobody", "ask_again": text(at(9) + DAY)}
    assert answer == {"open": False, "until": None, "end": None, "held": False, "inside": None, "capacity": 100} | heard


def test_fewer_than_three_inside_are_null(place: Place) -> None:
    place.journal.leaves(at(19, 11), "remy")
    place.tell()
    assert body(place.client.get("/api/v1/now"))["inside"] is None


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "", "Basic abc", TOKEN, "Bearer " + "é" * 10])
def test_a_wrong_token_is_told_as_such(place: Place, header: str) -> None:
    answer = place.client.get("/api/v1/now", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == 401


def openings(place: Place, query: str = "") -> Any:
    return body(place.client.get(f"/api/v1/openings{query}"))["items"]


def test_openings_of_the_week(place: Place) -> None:
    first, second, *_ = openings(place)
    assert first == {"start": text(at(19, 12)), "end": text(at(22)), "by": "gardien", "degree": "sure"}
    assert second == {"start": text(at(9) + DAY), "end": text(at(18) + DAY), "by": "staffed", "degree": "sure"}
    thursday = openings(place, f"?from={text(at(17) + 2 * DAY)}&to={text(at(23) + 2 * DAY)}")
    assert [(one["by"], one["degree"]) for one in thursday] == [("staffed", "sure"), ("gardien", "probable")]


def test_a_gardien_who_does_not_come_makes_the_evening_unsure(place: Place) -> None:
    place.now = at(18, 20) + 2 * DAY
    place.publisher.publish()
    place.speak()
    assert body(place.client.get("/api/v1/now"))["degree"] == "uncertain"
    assert openings(place)[0]["degree"] == "uncertain"
    page = place.page()
    assert "Pas sûr pour l’instant" in page
    assert "le gardien n’est pas là" in page


@pytest.mark.parametrize("query", ["from=tomorrow", "to=2026-11-24", "from=", "to=0"])
def test_openings_of_no_time(place: Place, query: str) -> None:
    answer = place.client.get(f"/api/v1/openings?{query}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert query.split("=")[0] in answer.json["detail"]


def test_what_is_over_or_too_far_is_left_out(place: Place) -> None:
    assert openings(place, "?to=2026-11-24T10:00:00Z") == []
    last = openings(place, "?to=2027-06-01T00:00:00Z")[-1]
    assert text(place.now + 20 * DAY) < last["end"] <= text(place.now + 31 * DAY)


@pytest.mark.parametrize(("what", "key"), [("members", "id"), ("badges", "id"), ("passes", "id")])
def test_lists_are_walked_along_by_their_cursors(place: Place, what: str, key: str) -> None:
    whole = body(place.client.get(f"/api/v1/{what}", headers=BEARER))
    assert whole["next"] is None
    found, after = [], ""
    while after is not None:
        page = body(place.client.get(f"/api/v1/{what}?limit=1{f'&after={after}' if after else ''}", headers=BEARER))
        found += page["items"]
        after = page["next"]
    assert found == whole["items"]
    assert len(found) == {"members": 5, "badges": 4, "passes": 1}[what]


def test_members_badges_and_passes(place: Place) -> None:
    [zoe] = [one for one in body(place.client.get("/api/v1/members", headers=BEARER))["items"] if one["id"] == "zoe"]
    assert zoe == {"id": "zoe", "name": "Zoé Wibaux", "tier": "carnet", "roles": [], "status": "suspended"} | {
        "valid_from": None,
        "valid_until": None,
    }
    answer = place.client.get("/api/v1/badges", headers=BEARER)
    [remy] = [one for one in body(answer)["items"] if one["member"] == "remy"]
    assert (remy["ends"], remy["status"], remy["valid_until"]) == ("0000", "active", "2027-06-30")
    assert "04C30000" not in answer.text
    [carnet] = body(place.client.get("/api/v1/passes", headers=BEARER))["items"]
    assert (carnet["member"], carnet["unit"], carnet["total"], carnet["left"]) == ("zoe", "half_day", 15, 13)


@pytest.mark.sqlite
def test_however_many_members_have_carnets_the_database_is_asked_as_often(database: Database, place: Place) -> None:
    with statements(database) as of_one:
        place.client.get("/api/v1/passes", headers=BEARER)
    more = [Member(id=f"more-{number}", name=f"Personne {number}", tier="carnet") for number in range(3)]
    with place.database.transaction() as session:
        put(session, [*more, *(Pass(id=one.id, member=one.id, unit="half_day", total=9) for one in more)], DECIDED)
        store(session, [Paid("more-1", "2026-11-24pm")], ToldBy("front", moment(at(19))))
    place.publish()
    with statements(database) as of_four:
        found = body(place.client.get("/api/v1/passes", headers=BEARER))["items"]
    assert [one["left"] for one in found] == [13, 9, 8, 9]
    assert len(of_four) == len(of_one)


@pytest.mark.parametrize("what", ["members", "badges", "passes", "passages"])
def test_a_scope_opens_its_own_list_alone(place: Place, what: str) -> None:
    scopes = [scope.value for scope in Scope if scope.value != f"read:{what}"]
    with place.database.transaction() as session:
        made = datetime.now(UTC)
        session.add(ApiToken(token_hash=hash_token("of others"), name="o", scopes=scopes, by="equipe", made=made))
        session.add(ApiToken(token_hash=hash_token("its own"), name="l", scopes=[f"read:{what}"], by="e", made=made))
    asked = {name: {"Authorization": f"Bearer {name}"} for name in ("of others", "its own")}
    assert place.client.get(f"/api/v1/{what}", headers=asked["of others"]).status_code == 403
    assert place.client.get(f"/api/v1/{what}", headers=asked["its own"]).status_code == 200
    assert place.client.get(f"/api/v1/{what}").status_code == 401
    assert place.member("remy").get(f"/api/v1/{what}").status_code == 403


def test_what_a_program_read_is_noted(place: Place) -> None:
    for what in ("members", "passages", f"passages?after={2**62}"):
        place.client.get(f"/api/v1/{what}", headers=BEARER)
    with place.database.reading() as session:
        found = looks(session, "remy")
    assert [(look.page, look.everybody) for look in found] == [("api passages", False), ("api members", True)]
    assert {look.by for look in found} == {"API : server.toml"}


def test_passages_are_named(place: Place) -> None:
    answer = body(place.client.get("/api/v1/passages?limit=1", headers=BEARER))
    assert answer["items"] == [
        {
            "edge": "front",
            "journal": "j1",
            "seq": 1,
            "at": text(at(8, 58)),
            "reader": "front-in",
            "direction": "in",
            "member": "alice",
            "name": "Alice Étienne",
            "granted": True,
            "reason": "staff",
        }
    ]


def test_passages_of_nobody(place: Place) -> None:
    last = body(place.client.get("/api/v1/passages", headers=BEARER))["items"][-1]
    assert (last["member"], last["name"], last["granted"], last["reason"]) == (None, None, False, "unknown_credential")


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 100])
def test_walking_along_next_gives_every_tap_once_in_order(place: Place, limit: int) -> None:
    found, after = [], 0
    while after is not None:
        page = body(place.client.get(f"/api/v1/passages?after={after}&limit={limit}", headers=BEARER))
        assert len(page["items"]) <= limit
        found += [item["seq"] for item in page["items"]]
        after = page["next"]
    taps = [row.seq for row in place.journal.rows if row.kind == "tap"]
    assert found == taps


def test_a_reader_who_waits_gets_what_comes(place: Place) -> None:
    known = body(place.client.get("/api/v1/passages", headers=BEARER))["next"]
    assert body(place.client.get(f"/api/v1/passages?after={known}", headers=BEARER)) == {"items": [], "next": None}
    place.journal.tap_in(at(19, 11), "remy", Reason.ALWAYS)
    place.tell()
    [item] = body(place.client.get(f"/api/v1/passages?after={known}", headers=BEARER))["items"]
    assert item["name"] == "Rémy Quentin"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=ten",
        "limit=",
        "after=-1",
        "after=1.5",
        "after=²",
        "after=" + "9" * 30,
        "offset=3",
        "limit=3&limit=4",
    ],
)
def test_numbers_that_are_none(place: Place, query: str) -> None:
    answer = place.client.get(f"/api/v1/passages?{query}", headers=BEARER)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert query.split("=")[0] in answer.json["detail"]


def test_the_largest_cursor(place: Place) -> None:
    answer = place.client.get(f"/api/v1/passages?after={2**63 - 1}", headers=BEARER)
    assert body(answer)["items"] == []


@pytest.mark.parametrize(("method", "path", "code"), [("GET", "/api/v1/nothing", 404), ("DELETE", "/api/v1/now", 405)])
def test_problems_are_documents(place: Place, method: str, path: str, code: int) -> None:
    answer = place.client.open(path, method=method)
    assert answer.status_code == code or (method != "GET" and answer.status_code == 400)
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert {"type", "title", "status"} <= set(answer.json)
