"""What is left on a carnet is derived from what the bundle says was used and from what the doors were told since."""

import pytest
from msgspec.structs import replace

from policy.bundle import Bundle, Pass
from policy.instants import text
from policy.reasons import Reason
from policy.terms import DAY, HOUR
from server.changes import bundle as importer
from server.queries.history import last_passages
from server.queries.people import carnets
from server.text.carnets import said
from tests.support_pages import Place
from tests.support_server import DECIDED, small_bundle, whole_bundle
from tests.support_site import at
from wire.row import Kind

AM, PM = "2026-11-24am", "2026-11-24pm"

pytestmark = pytest.mark.sqlite


def zoe_pays(place: Place, when: int, unit: str) -> None:
    """Zoé comes in and pays for the half-day."""
    tap = place.journal.tap_in(when, "zoe")
    place.journal.rows[-1] = replace(tap, pays=unit)
    place.journal.add(when + 2000, Kind.DOOR_OPENED, member="zoe", settles=tap.seq, pays=unit)
    place.tell()


def left(place: Place, *members: str, when: int = at(19)) -> dict[str, int]:
    with place.database.reading() as session:
        people = place.publisher.current.people.people
        wanted = [people[member] for member in members if member in people]
        return {who: left.units for who, left in carnets(session, place.publisher.current, wanted, when).items()}


def give(place: Place, bundle: Bundle) -> None:
    with place.database.transaction() as session:
        importer.import_bundle(session, bundle, DECIDED)
    place.publisher.publish()


def test_units_are_taken_from_what_the_bundle_left(place: Place) -> None:
    assert left(place, "zoe", "remy", "nobody") == {"zoe": 13}
    zoe_pays(place, at(9), AM)
    zoe_pays(place, at(10), AM)
    assert left(place, "zoe") == {"zoe": 12}
    zoe_pays(place, at(14), PM)
    assert left(place, "zoe") == {"zoe": 11}
    assert left(place, "zoe", when=at(19) + DAY) == {"zoe": 11}


def test_a_half_day_that_the_bundle_says_already_is_not_taken_twice(place: Place) -> None:
    zoe_pays(place, at(9), AM)
    carnet = replace(small_bundle().passes[0], used=("2026-11-20am", "2026-11-20pm", "2026-11-24am"))
    give(place, replace(small_bundle(), passes=(carnet,)))
    assert left(place, "zoe") == {"zoe": 12}


@pytest.mark.parametrize(
    ("units", "french", "english"),
    [
        (0, "carnet : reste 0 demi-journée", "carnet: 0 half-days left"),
        (1, "carnet : reste 1 demi-journée", "carnet: 1 half-day left"),
        (7, "carnet : reste 7 demi-journées", "carnet: 7 half-days left"),
    ],
)
def test_how_it_is_said(place: Place, units: int, french: str, english: str) -> None:
    for path, expected in (("/", french), ("/?lang=en", english)):
        with place.app.test_request_context(path):
            assert said(place.publisher.current, "zoe", units).replace("\N{NO-BREAK SPACE}", " ") == expected


def test_days_are_called_days(place: Place) -> None:
    bundle = small_bundle()
    tiers = tuple(replace(tier, pass_="day") if tier.id == "carnet" else tier for tier in bundle.tiers)
    give(place, replace(bundle, tiers=tiers, passes=(Pass(id="c2", member="zoe", unit="day", total=5),)))
    assert left(place, "zoe") == {"zoe": 5}
    with place.app.test_request_context("/"):
        assert said(place.publisher.current, "zoe", 5) == "carnet\N{NO-BREAK SPACE}: reste 5 journées"


def test_the_page_of_the_day_says_it_beside_the_name(place: Place) -> None:
    zoe_pays(place, at(9), AM)
    page = place.page("/today", place.staff())
    assert "Zoé W. carnet : reste 12 demi-journées" in page
    assert page.count("reste") == 1
    assert "reste" not in place.page("/today")


# What a passage is about


def test_a_carnet_that_is_used_up_says_since_when(place: Place) -> None:
    zoe_pays(place, at(9), AM)
    place.journal.tap_in(at(14), "zoe", Reason.PASS_EXHAUSTED, granted=False)
    place.tell()
    assert "refusé carnet épuisé depuis le mar. 24 nov." in place.page("/", place.staff())


def test_taps_at_a_machine_are_told_with_what_is_known_of_the_session(place: Place) -> None:
    give(place, whole_bundle())
    with place.database.transaction() as session:
        session.connection().exec_driver_sql(
            "UPDATE edge SET access_points = '[\"front\", \"laser\"]' WHERE id = 'front'"
        )
    place.desk.ingest.reload()
    journal = place.journal
    here = {"access_point": "laser", "reader": "laser-tap", "credential": "c"}
    run = {"access_point": "laser", "member": "brigitte", "started": text(at(18, 30)), "until": text(at(19, 30)),
           "machine_kind": "laser", "cuts": True}  # fmt: skip
    until = text(at(19, 30))
    journal.add(at(18, 30), Kind.TAP, **here, member="brigitte", granted=True, reason=Reason.WALK_UP, until=until)
    journal.add(at(18, 30), Kind.SESSION_STARTED, **run)
    journal.add(at(18, 40), Kind.TAP, **here, member="remy", granted=False, reason=Reason.MACHINE_BUSY)
    journal.add(at(19), Kind.SESSION_ENDED, **run, ended=text(at(19)))
    journal.add(at(19), Kind.TAP, **here, member="brigitte", granted=True, reason=Reason.SESSION_ENDED)
    place.tell()
    page = place.page("/", place.staff()).replace("\N{NO-BREAK SPACE}", " ")
    assert "18 h 30 Brigitte O. machine sans réservation, jusqu’à 19 h 30" in page
    assert "18 h 40 Rémy Q. refusé occupée jusqu’à 19 h 30" in page
    assert "19 h Brigitte O. machine session terminée, 30 min" in page


def test_where_nothing_is_known_nothing_is_claimed(place: Place) -> None:
    for reason in (Reason.MACHINE_BUSY, Reason.PASS_EXHAUSTED, Reason.SESSION_ENDED):
        place.journal.tap_in(at(19), "remy", reason, granted=False)
    place.tell()
    with place.database.reading() as session:
        assert [passage.about for passage in last_passages(session, 3, at(19) + HOUR)] == [None, None, None]
