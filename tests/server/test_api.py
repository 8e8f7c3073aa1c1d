"""What programs get: /api/v1 and its problem documents."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from policy.instants import text
from policy.reasons import Reason
from policy.terms import DAY
from tests.support_pages import TOKEN, Place
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
    assert "un gardien n’est pas encore là" in page


@pytest.mark.parametrize(
    "query", ["from=tomorrow", "to=2026-11-24", "to=2026-11-24T10:00:00Z", "to=2027-03-01T00:00:00Z", "from=", "to=0"]
)
def test_openings_of_no_time(place: Place, query: str) -> None:
    answer = place.client.get(f"/api/v1/openings?{query}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert query.split("=")[0] in answer.json["detail"]


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
