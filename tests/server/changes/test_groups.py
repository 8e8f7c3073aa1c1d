"""A workshop runs on the adult's badge: its people count inside, on the list, in the state, until the badge is out."""

import msgspec
import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from policy.ruleset import SPEAKS
from policy.terms import DAY, HOUR
from server.database.types import moment
from server.models import AuditRow, Edge
from server.publish.state import snapshot
from tests.support_pages import Place
from tests.support_site import at
from wire.snapshot import pack, unpack


def press(place: Place, client: FlaskClient, path: str, **data: str) -> tuple[int, str]:
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/me")} | data)
    if answer.status_code == 303:
        return 303, place.page(answer.headers["Location"], client).replace("\N{NO-BREAK SPACE}", " ")
    return answer.status_code, place.words(answer).replace("\N{NO-BREAK SPACE}", " ")


def groups(place: Place) -> list[tuple[int, str | None]]:
    with place.database.reading() as session:
        said = unpack(pack(snapshot(session, place.now)))
    return [(group.people, group.member) for group in said.groups]


def test_eight_children_count_everywhere_until_the_adult_is_out(place: Place) -> None:
    """Three are inside: Brigitte, Rémy, and Grégoire, who comes with eight."""
    gardien = place.member("gregoire")
    status, page = press(place, gardien, "/group", people="8", name="Atelier robots")
    assert (status, "8 personnes sont comptées avec vous." in page) == (303, True)
    assert "8 personnes avec vous depuis 19 h 12 : Atelier robots" in page
    assert "11 personnes dans les murs" in place.page("/")
    assert "8 · Atelier robots, Grégoire Vasseur 19 h 12" in place.page("/", gardien).replace("\N{NO-BREAK SPACE}", " ")
    assert place.client.get("/api/v1/now").json["inside"] == 11  # type: ignore[index]
    page = place.page("/evacuation", gardien)
    assert page.count("11 personnes dedans") == 1
    assert "8 · Atelier robots Grégoire Vasseur" in page
    assert groups(place) == [(8, "gregoire")]
    place.journal.leaves(place.now + HOUR, "gregoire")
    place.now += HOUR
    place.tell()
    assert (groups(place), "2 personnes dans les murs" in place.page("/", place.staff())) == ([], True)
    page = place.page("/me", gardien)
    assert ("Badgez d’abord à l’entrée" in page, "Ils sont là" in page) == (True, False), "said before it is filled in"
    place.journal.enters(place.now + HOUR, "gregoire")
    place.now += HOUR + 1
    place.tell()
    assert groups(place) == []


def test_more_fewer_and_gone_before_the_adult(place: Place) -> None:
    gardien = place.member("gregoire")
    press(place, gardien, "/group", people="8", name="Atelier robots")
    press(place, gardien, "/group", people="7")
    press(place, gardien, "/group", people=" 7 enfants")
    assert groups(place) == [(7, "gregoire")]
    status, page = press(place, gardien, "/group/gone")
    assert (status, "il n’est plus compté" in page, groups(place)) == (303, True, [])
    press(place, gardien, "/group/gone")
    with place.database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.noun == "visitor").order_by(AuditRow.id)).all()  # type: ignore[arg-type]
    assert [(row.did, row.after) for row in rows] == [
        ("added", {"people": 8}),
        ("changed", {"people": 7}),
        ("gone", {"people": 7}),
    ]


@pytest.mark.parametrize(
    ("who", "people", "said"),
    [
        ("gregoire", "0", "Écrivez combien ils sont"),
        ("gregoire", "501", "Écrivez combien ils sont"),
        ("gregoire", "huit", "Écrivez combien ils sont"),
        ("gregoire", "8 ou 10", "Écrivez combien ils sont"),
        ("gregoire", "-8", "Écrivez combien ils sont"),
        ("alice", "8", "Badgez d’abord à l’entrée"),
    ],
)
@pytest.mark.sqlite
def test_nobody_is_counted_for_whom_no_badge_stands(place: Place, who: str, people: str, said: str) -> None:
    status, page = press(place, place.member(who), "/group", people=people)
    assert (status, said in page, groups(place)) == (409, True, [])


@pytest.mark.sqlite
def test_a_badge_of_yesterday_stands_for_nobody(place: Place) -> None:
    place.now = at(12) + DAY
    status, page = press(place, place.member("gregoire"), "/group", people="8")
    assert (status, "Badgez d’abord à l’entrée" in page, groups(place)) == (409, True, [])


@pytest.mark.sqlite
def test_visitors_are_told_as_counts_and_a_new_day_begins_without_them(place: Place) -> None:
    desk = place.staff()
    sent = {"csrf_token": place.form_token(desk, "/me"), "name": "le plombier", "people": "2"}
    assert desk.post("/evacuation/visitors", data=sent).status_code == 303
    assert groups(place) == [(2, None)]
    with place.database.reading() as session:
        assert b"plombier" not in msgspec.json.encode(snapshot(session, place.now))
    place.now = at(5) + DAY
    assert groups(place) == []


@pytest.mark.sqlite
def test_an_edge_of_the_form_before_is_told_nothing_new(place: Place) -> None:
    press(place, place.member("gregoire"), "/group", people="8")
    assert groups(place) == [(8, "gregoire")]
    assert SPEAKS > 2
    with place.database.transaction() as session:
        edge = session.get_one(Edge, "front")
        edge.speaks, edge.last_seen = 2, moment(place.now)
        session.add(edge)
    assert groups(place) == []
    with place.database.reading() as session:
        assert b"groups" not in msgspec.json.encode(snapshot(session, place.now))
