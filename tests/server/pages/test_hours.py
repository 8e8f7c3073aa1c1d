"""The team's hours, closures and exceptional openings at the desk: read as people write them, tried before they are
saved, checked, audited, told to the doors, nothing overwritten."""

import json
import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlmodel import col, select

from policy.bundle import Closure, Event, Opening, Pattern, Shift, Site
from policy.reasons import Reason
from policy.terms import DAY, HOUR, Direction
from server.changes.bundle import put
from server.models import AuditRow, JournalRow
from server.queries import effect
from server.text.hours import read_spans
from tests.support_bookings import Desk as Booker
from tests.support_bookings import furnish, tomorrow
from tests.support_pages import STAFF, Place, plain
from tests.support_server import DECIDED, WORKDAYS
from wire.row import Kind

WEEK_LINES = dict.fromkeys(WORKDAYS, "9 h – 18 h")


def site(place: Place) -> Site:
    """As the doors' rules have it."""
    return place.publisher.current.bundle.site


def seen_week(place: Place, client: FlaskClient) -> str:
    found = re.search(r'name="was" value="([^"]*)"', client.get("/hours").text)
    assert found is not None
    return unescape(found[1])


def press(place: Place, path: str, client: FlaskClient, **data: str) -> tuple[int, str]:
    sent = {"csrf_token": place.form_token(client, "/hours"), "was": ""} | data
    answer = client.post(path, data=sent)
    if answer.status_code == 303:
        return 303, place.page(answer.headers["Location"], client).replace("\N{NO-BREAK SPACE}", " ")
    return answer.status_code, plain(answer.text).replace("\N{NO-BREAK SPACE}", " ")


def audited(place: Place) -> list[tuple[str, str, str]]:
    with place.database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.account == STAFF).order_by(col(AuditRow.id)))
        return [(row.did, row.noun, row.subject) for row in rows if row.noun in ("site", "effect")]


def came(place: Place) -> None:
    """Brigitte, who comes in staff hours, came last Tuesday at 10 and at 17, and stood outside at 20."""
    for hour, granted in ((10, True), (17, True), (20, False)):
        when = place.now - 7 * DAY + (hour - 19) * HOUR
        reason = Reason.STAFFED_HOURS if granted else Reason.OUTSIDE_HOURS
        place.journal.tap_in(when, "brigitte", reason, granted=granted)
    place.tell()


def passages(place: Place) -> int:
    """Taps that are no exit."""
    with place.database.reading() as session:
        taps = session.exec(select(JournalRow.direction).where(JournalRow.kind == Kind.TAP)).all()
    return len([direction for direction in taps if direction != Direction.OUT])


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("9 h – 18 h", (("09:00", "18:00"),)),
        ("9h-12h30, 14h-18h", (("09:00", "12:30"), ("14:00", "18:00"))),
        ("14:00-18:00 et 9:00-12:00", (("09:00", "12:00"), ("14:00", "18:00"))),
        ("9 – 18", (("09:00", "18:00"),)),
        ("de 20h à 22h30", (("20:00", "22:30"),)),
        ("de trop", None),
        ("9 h", None),
        ("9 h – 25 h", None),
        ("9 h 70 – 18 h", None),
        ("9 h – 9 h", None),
        ("22 h – 2 h", (("22:00", "02:00"),)),
        ("0 h – 24 h", (("00:00", "24:00"),)),
        ("24 h – 2 h", None),
        ("fermé", ()),
        ("", ()),
    ],
)
def test_hours_are_read_in_any_way_people_type_them(written: str, read: tuple[tuple[str, str], ...] | None) -> None:
    if read is None:
        with pytest.raises(ValueError, match=r"9 h|24 hours"):
            read_spans(written)
    else:
        assert read_spans(written) == read


def test_shorter_hours_say_who_would_have_been_refused_then_hold(place: Place) -> None:
    came(place)
    client = place.staff()
    wanted = WEEK_LINES | {"was": seen_week(place, client), "tue": "9 h – 16 h"}
    before = place.publisher.current.version
    status, text = press(place, "/hours/week", client, **wanted)
    assert status == 200
    assert "mardi : 9 h – 18 h → 9 h – 16 h" in text
    assert f"Sur {passages(place)} passages des 4 dernières semaines, 1 aurait été refusé." in text
    assert "refusés Brigitte O. (mar. 17 nov., 17 h 12)" in text
    assert (place.publisher.current.version, site(place).staff_hours["tue"]) == (before, (("09:00", "18:00"),))
    assert audited(place) == [("looked", "effect", "brigitte")]
    status, text = press(place, "/hours/week", client, **wanted | {"sure": "1"})
    assert (status, "Horaires modifiés. 0 porte sur" in text) == (303, True)
    assert site(place).staff_hours["tue"] == (("09:00", "16:00"),)
    assert place.publisher.current.version > before
    assert audited(place)[-1] == ("changed", "site", "casaco")


def test_longer_hours_say_who_would_have_been_let_in(place: Place) -> None:
    came(place)
    client = place.staff()
    wanted = WEEK_LINES | {"was": seen_week(place, client), "tue": "9 h – 21 h"}
    _, text = press(place, "/hours/week", client, **wanted)
    assert f"Sur {passages(place)} passages des 4 dernières semaines, 1 aurait été admis." in text


def test_a_closure_to_come_is_tried_on_the_same_weekdays(place: Place) -> None:
    came(place)
    client = place.staff()
    _, text = press(place, "/hours/closures", client, first="1/12/2026", why="inventaire")
    assert "2 auraient été refusés" in text
    assert "mêmes jours de la semaine" in text
    _, text = press(place, "/hours/closures", client, first="3/12/2026", last="04/12/2026")
    assert "aucun n’aurait fini autrement" in text
    closure = {"first": "1/12/2026", "why": "inventaire", "sure": "1"}
    status, text = press(place, "/hours/closures", client, **closure)
    assert (status, "Fermeture enregistrée." in text, "le mar. 1er déc. (inventaire)" in text) == (303, True, True)
    [kept] = [one for one in site(place).closures if one.why]
    assert (str(kept.first), str(kept.last), kept.why) == ("2026-12-01", "2026-12-01", "inventaire")
    was = json.dumps({"from": "2026-12-01", "to": "2026-12-01", "why": "inventaire"})
    _, text = press(place, "/hours/closures", client, was=was, end="1")
    assert "2 auraient été admis" in text
    assert press(place, "/hours/closures", client, was=was, end="1", sure="1")[0] == 303
    assert kept not in site(place).closures


@pytest.fixture
def planned(place: Place) -> Place:
    """On Tuesday 1 December: an evening, a single shift at noon, an event at 16 and the CNC at 10 and at 19."""
    furnish(place.database)
    tuesday = "2026-12-01T"
    with place.database.transaction() as session:
        parts = (
            Pattern("mardi", "tue", "18:00", "22:00", gardien="gregoire"),
            Shift("midi", "gregoire", f"{tuesday}12:00", f"{tuesday}14:00"),
            Event("e1", "Repair café", f"{tuesday}16:00", f"{tuesday}18:00", "members"),
        )
        put(session, list(parts), DECIDED)
    booker = Booker(place.database, place.now)
    booker.has(tomorrow(10, days=7))
    booker.has(tomorrow(19, days=7), who="brigitte")
    place.publish()
    return place


def on_it(text: str) -> str:
    """What the page says is planned there."""
    found = re.search(r"Ce qui y est prévu (.*?) Qui cela aurait touché", text.replace("\u2060", ""), re.DOTALL)
    return found[1] if found else ""


def test_a_closure_names_what_is_planned_that_day_before_it_is_saved(planned: Place) -> None:
    client = planned.staff()
    _, text = press(planned, "/hours/closures", client, first="1/12/2026")
    assert on_it(text) == (
        "1 garde n’aura pas lieu mar. 1er déc., 18 h – 22 h : Grégoire V. "
        "2 réservations restent mar. 1er déc., 10 h – 12 h : Fraiseuse CNC, Rémy Q. "
        "mar. 1er déc., 19 h – 21 h : Fraiseuse CNC, Brigitte O. "
        "1 événement reste mar. 1er déc., 16 h – 18 h : Repair café "
        "1 garde reste mar. 1er déc., 12 h – 14 h : Grégoire V. "
        "Ce qui reste n’est pas annulé et personne n’est prévenu : à vous d’en parler."
    )
    assert audited(planned) == [("looked", "effect", "brigitte"), ("looked", "effect", "remy")]
    assert press(planned, "/hours/closures", client, first="1/12/2026", sure="1")[0] == 303
    was = json.dumps({"from": "2026-12-01", "to": "2026-12-01"})
    assert on_it(press(planned, "/hours/closures", client, was=was, end="1")[1]) == "", "nothing is taken away"


def test_shorter_hours_name_what_is_planned_while_the_team_will_be_gone(planned: Place) -> None:
    client = planned.staff()
    shorter = WEEK_LINES | {"was": seen_week(planned, client), "tue": "9h-11h, 17h-18h"}
    said = on_it(press(planned, "/hours/week", client, **shorter)[1])
    assert "1 réservation reste mar. 1er déc., 10 h – 12 h : Fraiseuse CNC, Rémy Q." in said
    assert "1 événement reste" in said
    assert "1 garde reste mar. 1er déc., 12 h – 14 h" in said
    assert "n’aura pas lieu" not in said
    for hours in ("8h-20h", "9h-18h"):
        longer = WEEK_LINES | {"was": seen_week(planned, client), "tue": hours}
        assert on_it(press(planned, "/hours/week", client, **longer)[1]) == ""


def test_an_exceptional_day_names_what_is_planned_outside_its_hours(planned: Place) -> None:
    client = planned.staff()
    said = on_it(press(planned, "/hours/openings", client, date="1/12/2026", hours="14h-18h")[1])
    assert "1 réservation reste mar. 1er déc., 10 h – 12 h" in said
    assert "événement" not in said


def test_of_a_busy_place_fewer_weeks_are_looked_at(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.journal.tap_in(place.now - 21 * DAY, "brigitte")
    came(place)
    with place.database.reading() as session:
        taps = len(session.exec(select(JournalRow.id).where(JournalRow.kind == Kind.TAP)).all())
    monkeypatch.setattr(effect, "MOST", taps - 1)
    _, text = press(place, "/hours/closures", place.staff(), first="1/12/2026")
    assert "des 2 dernières semaines, 2 auraient été refusés" in text
    monkeypatch.setattr(effect, "MOST", 0)
    _, text = press(place, "/hours/closures", place.staff(), first="1/12/2026")
    assert "de la dernière semaine" in text


def test_an_opening_is_added_changed_and_withdrawn(place: Place) -> None:
    client = place.staff()
    opening = {"date": "6/12/2026", "hours": "10h-16h", "sure": "1"}
    status, text = press(place, "/hours/openings", client, **opening)
    assert (status, "le dim. 6 déc. : 10 h – 16 h" in text) == (303, True)
    assert press(place, "/hours/openings", client, **opening)[0] == 400, "one date has one opening"
    was = json.dumps({"date": "2026-12-06", "hours": [["10:00", "16:00"]]})
    assert press(place, "/hours/openings", client, was=was, date="6/12/2026", hours="11h-16h", sure="1")[0] == 303
    kept = [one for one in site(place).openings if str(one.date) == "2026-12-06"]
    assert [one.hours for one in kept] == [(("11:00", "16:00"),)]
    status, text = press(place, "/hours/openings", client, was=was, end="1", sure="1")
    assert (status, "quelqu’un a changé cela entre-temps" in text) == (409, True)
    was = json.dumps({"date": "2026-12-06", "hours": [["11:00", "16:00"]]})
    assert press(place, "/hours/openings", client, was=was, end="1", sure="1")[0] == 303
    assert all(one.date != kept[0].date for one in site(place).openings)


def test_the_second_of_two_who_change_the_week_is_told_and_overwrites_nothing(place: Place) -> None:
    one, other = place.staff(), place.staff()
    was = seen_week(place, one)
    assert press(place, "/hours/week", one, **WEEK_LINES | {"was": was, "mon": "", "sure": "1"})[0] == 303
    for sure in ({}, {"sure": "1"}):
        status, text = press(place, "/hours/week", other, **WEEK_LINES | {"was": was, "sat": "10h-12h"} | sure)
        assert (status, "quelqu’un a changé cela entre-temps" in text) == (409, True)
    assert {"mon", "sat"} & site(place).staff_hours.keys() == set()


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("week", {"mon": "matin"}, "Écrivez les heures ainsi"),
        ("closures", {"first": ""}, "Écrivez le premier jour ainsi"),
        ("closures", {"first": "2/12/2026", "last": "demain"}, "Écrivez le dernier jour ainsi"),
        ("closures", {"first": "2/12/2026", "last": "1/12/2026"}, "Écrivez le dernier jour ainsi"),
        ("closures", {"first": "2/1/2026"}, "Écrivez le dernier jour ainsi"),
        ("closures", {"first": "0001-01-01", "last": "2026-12-31"}, "Écrivez le premier jour ainsi"),
        ("closures", {"first": "2/12/2026", "why": "a" * 10_000}, "Écrivez la raison sur une ligne"),
        ("closures", {"first": "2/12/2026", "why": "a\u202eb"}, "Écrivez la raison sur une ligne"),
        ("openings", {"date": "32/12/2026", "hours": "9h-18h"}, "Le 32/12/2026 n’existe pas"),
        ("openings", {"date": "2/1/2026", "hours": "9h-18h"}, "Écrivez le jour ainsi"),
        ("openings", {"date": "2/12/2026", "hours": "18"}, "Écrivez les heures ainsi"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_changes(
    place: Place, path: str, data: dict[str, str], said: str
) -> None:
    before = site(place)
    for sure in ({}, {"sure": "1"}):
        status, text = press(place, f"/hours/{path}", place.staff(), **data | sure)
        assert (status, said in text) == (400, True)
    assert site(place) == before
    assert audited(place) == []


def test_what_was_typed_stays_and_is_sent_again_by_the_second_press(place: Place) -> None:
    client = place.staff()
    token = place.form_token(client, "/hours")
    data = {"csrf_token": token, "was": "", "first": "1/12/2026", "last": "", "why": 'l’été "& <fin>'}
    page = client.post("/hours/closures", data=data).text
    carried = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)}
    assert {name: carried[name] for name in ("first", "last", "why")} == {
        name: data[name] for name in ("first", "last", "why")
    }
    assert client.post("/hours/closures", data=carried).status_code == 303
    assert Closure(*(site(place).closures[-1].first,) * 2, data["why"]) == site(place).closures[-1]
    assert Opening(site(place).closures[-1].first, ()) not in site(place).openings
