"""Programs of other places read the answer of Maintenant: a yes, a sure no, or none; never a name."""

from typing import Any

import pytest

from policy.terms import DAY, MINUTE
from server.audit import Decided
from server.changes.lockdown import set_lockdown
from tests.support_pages import Place, broken
from tests.support_server import small_bundle
from tests.support_site import at

pytestmark = pytest.mark.sqlite


def told(place: Place) -> Any:
    answer = place.client.get("/spaceapi.json", headers={"Host": "loquet.example"})
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return answer.json


def moved(place: Place, now: int) -> Place:
    place.now = now
    place.publisher.publish()
    place.speak()
    return place


def test_a_sure_yes(place: Place) -> None:
    said = told(place)
    assert said["state"] == {"message": "Ouvert jusqu’à 22\N{NO-BREAK SPACE}h / Open until 22:00", "open": True}
    assert (said["api_compatibility"], said["space"], said["contact"]) == (["15"], "Casaco, Malakoff", {})
    assert (said["url"], said["logo"]) == ("http://loquet.example/", "http://loquet.example/static/icon.svg")


@pytest.mark.parametrize("now", [at(23), at(18, 5) + 2 * DAY, at(18, 20) + 2 * DAY], ids=["shut", "due", "late"])
def test_a_sure_no(place: Place, now: int) -> None:
    assert told(moved(place, now))["state"]["open"] is False


def test_a_lockdown_is_a_sure_no(place: Place) -> None:
    with place.database.transaction() as session:
        set_lockdown(session, True, Decided("equipe", place.now))
    assert told(place)["state"]["open"] is False


def test_a_door_that_is_not_heard_leaves_it_out(place: Place) -> None:
    place.now += 5 * MINUTE
    state = told(place)["state"]
    assert "open" not in state
    assert "D’après la dernière nouvelle" in state["message"]


def test_few_people_are_not_counted_and_nobody_is_named(place: Place) -> None:
    assert told(place)["sensors"]["people_now_present"][0]["value"] >= 3
    place.journal.leaves(at(19, 11), "remy")
    place.tell()
    assert "sensors" not in told(place)
    said = place.client.get("/spaceapi.json").text
    assert not [name for one in small_bundle().members for name in one.name.split() if name in said]


def test_anybodys_program_may_read_it_and_asks_again_when_it_may_change(place: Place) -> None:
    headers = place.client.get("/spaceapi.json").headers
    assert (headers["Access-Control-Allow-Origin"], headers["Cache-Control"]) == ("*", "max-age=60")
    moved(place, at(21, 59, 30))
    assert place.client.get("/spaceapi.json").headers["Cache-Control"] == "max-age=30"


def test_a_fault_is_no_page(place: Place) -> None:
    with broken(place.database):
        answer = place.client.get("/spaceapi.json")
    assert (answer.status_code >= 500, "html" in answer.content_type) == (True, False)
