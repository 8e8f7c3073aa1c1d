"""The evenings of each week as the team keeps them: a change holds from a day on, and the past stays as it was."""

import re
from datetime import date

import pytest

from policy.terms import DAY
from server.database.engine import Database
from server.queries.rota import turns
from tests.support_pages import Place
from tests.support_rota import holder_at, plain, press, rota_place

pytestmark = pytest.mark.sqlite
FORM = {"weekday": "mon", "hours": "18 h – 22 h", "every": "2", "since": "30/11/2026", "gardien": "tarek"}


@pytest.fixture
def place(database: Database) -> Place:
    return rota_place(database)


def was(place: Place, which: str) -> str:
    page = place.staff().get(f"/gardiens/evenings?evening={which}").text.replace("&#34;", '"')
    return next(one for one in re.findall(r'name="was" value="({[^>]*})"', page) if f'"id":"{which}"' in one)


def save(place: Place, **form: str) -> tuple[int, str]:
    return press(place, place.staff(), "evenings", **FORM | form)


def made(place: Place, pattern: str, first: date, last: date) -> list[tuple[str, str | None]]:
    found = turns(place.publisher.current.bundle, first, last)
    return [(str(one.day), one.gardien) for one in found if pattern in one.pattern]


def test_only_the_evening_that_is_asked_for_comes_with_its_form(place: Place) -> None:
    """A year's rota of 20 gardiens is 140 patterns, and a form for each half a megabyte."""
    page = place.staff().get("/gardiens/evenings").text
    assert (page.count("Modifier…"), page.count('name="hours"')) == (3, 1), "that of a new one alone"
    assert "/gardiens/evenings?evening=jeudi#evening" in page
    page = place.staff().get("/gardiens/evenings?evening=jeudi").text
    assert (page.count("Modifier…"), page.count('name="hours"'), page.count('id="evening"')) == (3, 2, 1)


def test_an_evening_is_added_and_stands_in_the_rules(place: Place) -> None:
    status, page = save(place)
    assert (status, "lundi 18 h – 22 h, toutes les 2 semaines" in page.replace("\N{WORD JOINER}", "")) == (303, True)
    found = made(place, "rota-", date(2026, 11, 24), date(2026, 12, 31))
    assert found == [("2026-11-30", "tarek"), ("2026-12-14", "tarek")]


def test_a_change_holds_from_a_day_on_and_takes_along_what_was_arranged(place: Place) -> None:
    press(place, place.member("odile"), "take", "slot:jeudi/2026-12-10")
    past = made(place, "", date(2026, 10, 1), date(2026, 12, 2))
    form = {"weekday": "thu", "hours": "19 h – 23 h", "every": "1", "since": "03/12/2026", "gardien": ""}
    assert save(place, was=was(place, "jeudi"), **form)[0] == 303
    assert made(place, "", date(2026, 10, 1), date(2026, 12, 2)) == past
    thursdays = made(place, "rota-", date(2026, 12, 3), date(2026, 12, 17))
    assert thursdays == [("2026-12-03", None), ("2026-12-10", "odile"), ("2026-12-17", None)]


def test_a_change_for_the_past_is_refused(place: Place) -> None:
    for form in (
        {"since": "23/11/2026"},
        {"since": ""},
        {"hours": "quand on veut"},
        {"every": "0"},
        {"gardien": "zoe"},
    ):
        status, _page = save(place, **form)
        assert status == 400
    seen = was(place, "jeudi")
    status, page = save(place, was=seen, since="01/11/2026")
    assert (status, "ce qui a eu lieu ne change pas" in page) == (400, True)
    status, page = press(place, place.staff(), "evenings/end", was=seen, last="01/11/2026")
    assert (status, "Il n’est pas avant hier" in page) == (400, True)


def test_two_hours_in_the_wrong_order_make_no_evening_of_twenty(place: Place) -> None:
    status, page = save(place, hours="22 h – 18 h")
    assert (status, "Une garde dure 12 heures au plus" in page) == (400, True)
    assert save(place, hours="20 h – 2 h")[0] == 303


def test_an_evening_of_each_second_week_keeps_its_weeks_when_it_is_changed(place: Place) -> None:
    save(place)
    which = next(one.id for one in place.publisher.current.bundle.rota if one.every == 2)
    place.now += 8 * DAY  # Wednesday 2 December: the week of the 30th has had its evening
    form = re.search(
        rf'id="since-{which}"[^>]*value="([^"]+)"', place.staff().get(f"/gardiens/evenings?evening={which}").text
    )
    assert form is not None
    assert form[1] == "14/12/2026"
    status, page = save(place, was=was(place, which), since="08/12/2026", gardien="", hours="19 h – 22 h")
    assert (status, "depuis le lun. 14 déc." in page.replace("\N{NO-BREAK SPACE}", " ")) == (303, True)
    found = made(place, "rota-", date(2026, 11, 24), date(2027, 1, 12))
    assert found == [("2026-11-30", "tarek"), ("2026-12-14", None), ("2027-01-11", None)], "closed on 28 December"


def test_an_evening_of_each_second_week_moves_to_the_other_weeks(place: Place) -> None:
    save(place)
    which = next(one.id for one in place.publisher.current.bundle.rota if one.every == 2)
    odile = place.member("odile")
    page = place.staff().get(f"/gardiens/evenings?evening={which}").text.replace("\N{NO-BREAK SPACE}", " ")
    assert re.findall(r'<option value="\d"[^>]*>([^<]+)', page.split('name="weeks"')[1].split("</select>")[0]) == [
        "les mêmes : le 30 nov., puis le 14 déc.",
        "d’autres : le 7 déc., puis le 21 déc.",
    ]
    assert press(place, odile, "take", f"slot:{which}/2026-12-14")[0] == 409, "tarek has it"
    status, page = save(place, was=was(place, which), since="14/12/2026", weeks="1")
    assert (status, "depuis le lun. 21 déc." in page.replace("\N{NO-BREAK SPACE}", " ")) == (303, True)
    found = made(place, "rota-", date(2026, 11, 24), date(2027, 1, 12))
    assert found == [("2026-11-30", "tarek"), ("2026-12-21", "tarek"), ("2027-01-04", "tarek")]


def test_what_was_arranged_for_a_week_that_is_left_goes(place: Place) -> None:
    save(place, gardien="")
    which = next(one.id for one in place.publisher.current.bundle.rota if one.every == 2)
    for day in ("2026-11-30", "2026-12-14"):
        press(place, place.member("odile"), "take", f"slot:{which}/{day}")
    assert save(place, was=was(place, which), since="07/12/2026", gardien="", weeks="1")[0] == 303
    found = made(place, "rota-", date(2026, 11, 24), date(2026, 12, 31))
    assert found == [("2026-11-30", "odile"), ("2026-12-07", None), ("2026-12-21", None)]
    assert [one.date.isoformat() for one in place.publisher.current.bundle.rota_changes] == ["2026-11-30"]


def test_an_evening_of_each_week_has_no_other_weeks(place: Place) -> None:
    assert 'name="weeks"' not in place.staff().get("/gardiens/evenings?evening=jeudi").text
    assert save(place, was=was(place, "jeudi"), since="14/12/2026", every="2", weeks="1")[0] == 303
    assert made(place, "rota-", date(2026, 11, 24), date(2026, 12, 20)) == [("2026-12-14", "tarek")]


def test_a_day_that_no_calendar_has_is_said_to_be_none(place: Place) -> None:
    for typed in ("31/02/2027", "2027-02-31", "1.13.2027"):
        status, page = save(place, since=typed)
        assert (status, f"Le {typed} n’existe pas : vérifiez" in plain(page)) == (400, True), typed
        assert "Il n’est pas passé" not in page
    assert "Il n’est pas passé" in save(place, since="bientôt")[1]


def test_the_same_evening_is_not_kept_twice(place: Place) -> None:
    gap = {"gardien": "", "weekday": "wed", "every": "2"}
    assert save(place, **gap)[0] == 303
    for other in ({"until": "31/12/2026"}, {"since": "14/12/2026"}, {"holidays": "1"}):
        status, page = save(place, **gap | other)
        assert (status, "déjà au planning, aux mêmes heures" in page) == (400, True), other
    assert save(place, **gap | {"since": "07/12/2026"})[0] == 303, "the weeks between them"
    assert save(place, **gap | {"gardien": "tarek"})[0] == 303, "two may hold one evening"
    once = next(one.id for one in place.publisher.current.bundle.rota if one.every == 2 and one.gardien is None)
    assert save(place, was=was(place, once), **gap | {"hours": "19 h – 22 h"})[0] == 303


def test_of_two_who_hold_one_evening_both_may_give_theirs_up(place: Place) -> None:
    assert save(place, gardien="")[0] == 303
    assert save(place)[0] == 303
    held = next(one.id for one in place.publisher.current.bundle.rota if one.every == 2 and one.gardien == "tarek")
    assert save(place, was=was(place, held), gardien="")[0] == 303, "the evening looks for two"
    assert save(place, gardien="")[0] == 400


def test_nobody_gets_two_evenings_at_one_time(place: Place) -> None:
    status, page = save(place, weekday="fri", hours="20 h – 23 h", every="1")
    assert (status, "deux gardes en même temps" in page) == (400, True)


def test_an_evening_ends_and_of_two_who_change_it_the_second_is_told(place: Place) -> None:
    seen = was(place, "vendredi")
    assert press(place, place.staff(), "evenings/end", was=seen, last="27/11/2026")[0] == 303
    assert holder_at(place, "slot:vendredi/2026-11-27") == "tarek"
    assert made(place, "vendredi", date(2026, 11, 28), date(2027, 1, 31)) == []
    status, page = press(place, place.staff(), "evenings/end", was=seen, last="31/12/2026")
    assert (status, "quelqu’un a changé cette soirée" in plain(page)) == (409, True)


def test_of_an_evening_that_has_not_begun_what_was_arranged_for_a_week_that_is_left_goes_too(place: Place) -> None:
    """Else it would hold again once the evening came back to those weeks."""
    save(place, gardien="", since="07/12/2026")
    which = next(one.id for one in place.publisher.current.bundle.rota if one.every == 2)
    for day in ("2026-12-07", "2026-12-21"):
        assert press(place, place.member("odile"), "take", f"slot:{which}/{day}")[0] == 303
    assert save(place, was=was(place, which), since="07/12/2026", gardien="", weeks="1")[0] == 303
    assert made(place, "rota-", date(2026, 11, 24), date(2026, 12, 20)) == [("2026-12-14", None)]
    assert place.publisher.current.bundle.rota_changes == ()
    assert press(place, place.member("odile"), "take", f"slot:{which}/2026-12-14")[0] == 303
    assert save(place, was=was(place, which), since="14/12/2026", gardien="", hours="19 h – 22 h")[0] == 303
    assert made(place, "rota-", date(2026, 11, 24), date(2026, 12, 20)) == [("2026-12-14", "odile")], "its own weeks"
