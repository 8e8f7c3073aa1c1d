"""Nobody follows: who holds the place is told half an hour before the end, and stays an hour longer in one press."""

import pytest
from msgspec.structs import replace
from sqlmodel import col, select

from policy.bundle import Pattern, Shift
from policy.instants import instant
from policy.terms import DAY, HOUR, MINUTE
from server.audit import Decided
from server.changes.lockdown import set_lockdown
from server.database.engine import Database
from server.models import AuditRow
from server.queries.rota import turn_of
from tests.support_pages import Place
from tests.support_rota import FRIDAY, plain, press, rota_bundle, rota_place
from tests.support_site import at

pytestmark = pytest.mark.sqlite

TONIGHT, FOLLOWS = "shift:s1", "personne ne prend la suite"
FRIDAY_AT_22 = instant("2026-11-27T22:00:00+01:00")


def holding(place: Place, who: str, now: int) -> Place:
    place.now = now
    place.publisher.publish()
    place.journal.enters(now - HOUR, who)
    place.tell()
    place.speak()
    return place


def tonight(database: Database, *, now: int = at(21, 40)) -> Place:
    return holding(rota_place(database), "gregoire", now)


def end_of(place: Place, key: str) -> int:
    turn = turn_of(place.publisher.current.bundle, key)
    assert turn is not None
    return turn.end


def test_the_evening_lasts_an_hour_longer_at_the_door_too(database: Database) -> None:
    place = tonight(database)
    gregoire = place.member("gregoire")
    assert FOLLOWS in plain(place.page("/", gregoire))
    assert FOLLOWS in plain(place.page("/gardiens", gregoire))
    assert FOLLOWS not in plain(place.page("/", place.staff()))
    version = place.publisher.current.version
    status, page = press(place, gregoire, "prolong", TONIGHT)
    assert (status, "la garde dure une heure de plus" in page) == (303, True)
    assert place.publisher.current.version > version
    assert place.publisher.current.rules.on_duty(at(22, 59)) == ("gregoire",)
    assert end_of(place, TONIGHT) == at(23)
    assert "Ouvert jusqu’à 23 h" in plain(place.page())
    with place.database.reading() as session:
        row = session.exec(select(AuditRow).order_by(col(AuditRow.id).desc())).first()
        assert row is not None
        assert (row.account, row.noun, row.did) == ("gregoire.compte", "shift", "changed")


def test_only_that_date_of_a_pattern_ends_later(database: Database) -> None:
    place = holding(rota_place(database), "tarek", FRIDAY_AT_22 - 20 * MINUTE)
    assert press(place, place.member("tarek"), "prolong", FRIDAY)[0] == 303
    assert end_of(place, FRIDAY) == FRIDAY_AT_22 + HOUR
    assert end_of(place, "slot:vendredi/2026-12-04") == FRIDAY_AT_22 + 7 * DAY


def test_past_midnight_too(database: Database) -> None:
    late = replace(rota_bundle(), rota=(Pattern("vendredi", "fri", "18:00", "23:30", gardien="tarek"),))
    place = holding(rota_place(database, late), "tarek", FRIDAY_AT_22 + 70 * MINUTE)
    assert press(place, place.member("tarek"), "prolong", FRIDAY)[0] == 303
    assert end_of(place, FRIDAY) == FRIDAY_AT_22 + 150 * MINUTE


def test_pressed_twice_it_is_one_hour(database: Database) -> None:
    place = tonight(database)
    press(place, place.member("gregoire"), "prolong", TONIGHT)
    status, page = press(place, place.member("gregoire"), "prolong", TONIGHT)
    assert (status, "Pas prolongée" in page) == (409, True)
    assert end_of(place, TONIGHT) == at(23)


def refused(place: Place, who: str = "gregoire") -> bool:
    said = FOLLOWS in plain(place.page("/", place.member(who)))
    status, _ = press(place, place.member(who), "prolong", TONIGHT)
    return (said, status, end_of(place, TONIGHT)) == (False, 409, at(22))


def test_refused_earlier_than_half_an_hour_before_the_end(database: Database) -> None:
    assert refused(tonight(database, now=at(21, 29)))


def test_refused_where_somebody_follows(database: Database) -> None:
    bundle = rota_bundle()
    night = Shift("nuit", "odile", "2026-11-24T22:10", "2026-11-24T23:30")
    assert refused(
        holding(rota_place(database, replace(bundle, shifts=(*bundle.shifts, night))), "gregoire", at(21, 40))
    )


def test_refused_in_a_lockdown(database: Database) -> None:
    place = tonight(database)
    with place.database.transaction() as session:
        set_lockdown(session, True, Decided("equipe", place.now))
    assert refused(place)


def test_refused_to_whoever_is_not_inside_or_has_another_shift(database: Database) -> None:
    place = tonight(database)
    place.journal.leaves(at(21, 39), "gregoire")
    place.tell()
    assert refused(place)
    assert refused(place, "odile")
