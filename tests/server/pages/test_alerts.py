"""What wants somebody is said once, with what helps; who looks after it is said, too, and to nobody outside."""

import pytest

from policy.terms import DAY, MINUTE, ClockState
from tests.server.pages.test_door_pages import pressed
from tests.support_accounts import account_of
from tests.support_pages import Place
from tests.support_site import at
from wire.messages import Status
from wire.row import Kind

pytestmark = pytest.mark.sqlite


def ill(place: Place) -> Place:
    """The front door's box has lost its clock, a reader and its disk; the door was forced and stands open."""
    place.journal.add(at(19), Kind.READER_FAULT, reader="front-in", detail="silent")
    place.journal.add(at(19, 1), Kind.DOOR_FORCED)
    place.journal.add(at(19, 2), Kind.DOOR_HELD)
    place.tell()
    status = Status(
        True, clock=ClockState.UNKNOWN, readers={"front-in": "silent"}, journal_fault="the disk is full: make room"
    )
    place.desk.say(status)
    return place


def test_each_alert_says_where_since_when_and_what_helps(place: Place) -> None:
    seen = ill(place).page("/", place.staff())
    for words in (
        "Porte forcée front, à 19 h 01",
        "Allez voir qui est entré. L’alerte reste 24 h.",
        "Lecteur en panne",
        "Journal en défaut front",
        "Horloge perdue front",
        "Porte tenue ouverte front, depuis 19 h 02",
        "Badges inconnus 1 badge en 24 h, le dernier : 19 h 08",
    ):
        assert words in seen
    assert seen.index("Porte forcée front") < seen.index("Lecteur en panne") < seen.index("Badges inconnus")


def test_a_box_that_says_nothing_is_an_alert_and_health_names_its_doors(place: Place) -> None:
    assert place.client.get("/health").get_json()["doors"] == {"silent": []}
    place.speak()
    place.now += 2 * MINUTE + 1
    assert "Boîtier muet front, depuis 19 h 12" in place.page("/", place.staff())
    assert place.client.get("/health").get_json()["doors"] == {"silent": ["front"]}
    place.desk.say(Status(False))
    assert "Boîtier muet front, depuis" in place.page("/", place.staff())


def test_who_takes_it_is_said_and_who_comes_second_is_told(place: Place) -> None:
    staff, gardien = ill(place).staff(), account_of(place, "gregoire")
    key = f"forced/front/{at(19, 1)}"
    seen = pressed(place, gardien, "/alerts/take", key=key)
    assert "Grégoire Vasseur s’en occupe depuis 19 h 12." in seen
    assert "Je ne m’en occupe plus" in seen
    assert "Grégoire Vasseur s’en occupe depuis 19 h 12." in place.page("/", staff)
    seen = pressed(place, staff, "/alerts/take", key=key)
    assert "Quelqu’un s’en occupe déjà" in seen
    assert "Grégoire Vasseur s’en occupe" in seen
    assert "Grégoire Vasseur s’en occupe" in pressed(place, staff, "/alerts/give-back", key=key), "not theirs"
    assert "s’en occupe" not in pressed(place, gardien, "/alerts/give-back", key=key)


def test_what_somebody_took_who_is_gone_is_taken_over_from_whom_the_page_names(place: Place) -> None:
    staff, gardien = ill(place).staff(), account_of(place, "gregoire")
    key = f"forced/front/{at(19, 1)}"
    pressed(place, gardien, "/alerts/take", key=key)
    assert "Prendre la suite" in place.page("/", staff)
    assert "Quelqu’un s’en occupe déjà" in pressed(place, staff, "/alerts/take", key=key, instead_of="somebody")
    assert "equipe s’en occupe depuis 19 h 12." in pressed(place, staff, "/alerts/take", key=key, instead_of="gregoire")
    assert "Quelqu’un s’en occupe déjà" in pressed(place, gardien, "/alerts/take", key=key)


def test_a_later_one_of_its_kind_is_nobody_s_yet(place: Place) -> None:
    staff = ill(place).staff()
    assert "s’en occupe" in pressed(place, staff, "/alerts/take", key=f"forced/front/{at(19, 1)}")
    place.journal.add(at(19, 20), Kind.DOOR_FORCED)
    place.now = at(19, 21)
    place.tell()
    seen = place.page("/", staff)
    assert "Porte forcée front, à 19 h 20" in seen
    assert "s’en occupe" not in seen


def test_what_was_yesterday_is_said_with_its_day(place: Place) -> None:
    staff = ill(place).staff()
    place.now = at(3) + DAY
    place.desk.say(Status(True, clock=ClockState.SYNCED))
    seen = place.page("/", staff)
    assert "Porte forcée front, hier à 19 h 01" in seen
    assert "porte forcée hier à 19 h 01 : voyez qui est entré" in seen
    assert "porte tenue ouverte depuis hier à 19 h 02 : fermez-la" in seen


@pytest.mark.parametrize("key", ["", "forced/front/0", "forced/back/1", "fire/front/0", "x" * 5000])
def test_what_is_no_alert_is_taken_by_nobody(place: Place, key: str) -> None:
    staff = ill(place).staff()
    answer = staff.post("/alerts/take", data={"csrf_token": place.form_token(staff, "/account"), "key": key})
    assert answer.status_code == 404


def test_neither_public_nor_members_see_alerts(place: Place) -> None:
    ill(place)
    for client in (place.app.test_client(), account_of(place, "remy")):
        seen = place.page("/", client)
        assert "Porte forcée" not in seen
        assert "Je m’en occupe" not in seen


def test_after_a_day_it_is_told_no_more(place: Place) -> None:
    staff = ill(place).staff()
    place.now = at(19, 2) + DAY
    place.desk.say(Status(True, clock=ClockState.SYNCED))
    assert "Porte forcée front" not in place.page("/", staff)
