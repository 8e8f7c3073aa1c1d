"""What the rota says by itself: gaps the day before at noon, a late gardien, a gap offered in turn; each once."""

from collections.abc import Iterator

import pytest
from sqlmodel import col, select

from policy.bundle import Member, Pattern, Role
from policy.instants import instant
from policy.terms import HOUR
from server.changes.bundle import put
from server.changes.rota_news import News
from server.database.engine import Database
from server.models import RotaOffer
from server.rota_news import RotaNews
from tests.support_pages import Place
from tests.support_rota import GAP, holder_at, mails, plain, press, rota_place, with_mail
from tests.support_server import DECIDED

pytestmark = pytest.mark.sqlite
THIS_GAP = "slot:jeudi/2026-11-26"


@pytest.fixture
def place(database: Database) -> Place:
    """No evening has a gardien but Tuesday's and Friday's; everybody's account is an address."""
    found = rota_place(database)
    with_mail(found, "odile", "tarek", "gregoire", "alice")
    return found


def tick(place: Place, at: str) -> News | None:
    """By a server started anew."""
    place.now = instant(at)
    place.publish()
    return RotaNews(place.app, place.context()).tick()


def asked(place: Place, key: str) -> list[tuple[str | None, str]]:
    with place.database.reading() as session:
        row = RotaOffer
        rows = session.exec(select(row).where(row.kind == "asked", row.turn == key).order_by(col(row.id))).all()
        return [(one.member, one.outcome) for one in rows]


def subjects(place: Place, start: str) -> Iterator[tuple[str, str]]:
    return ((to, subject) for to, subject in mails(place) if subject.startswith(start))


def test_gaps_are_told_the_day_before_at_noon_to_gardiens_and_team_once(place: Place) -> None:
    assert (found := tick(place, "2026-11-25T11:59:00+01:00")) is None or not found.gaps
    found = tick(place, "2026-11-25T12:00:00+01:00")
    assert found is not None
    assert ([one.key for one in found.gaps], [one.key for one in found.others]) == ([THIS_GAP], [GAP])
    tick(place, "2026-11-25T12:01:00+01:00")
    told = list(subjects(place, "Personne pour ouvrir"))
    assert [to.partition("@")[0] for to, _ in told] == ["gregoire", "odile", "tarek", "alice"]
    assert {subject for _, subject in told} == {"Personne pour ouvrir : jeu. 26 nov., 18 h – 22 h"}


def test_who_is_not_there_a_quarter_of_an_hour_after_the_start_is_told_to_the_others_once(place: Place) -> None:
    assert (found := tick(place, "2026-11-27T18:14:00+01:00")) is None or not found.late
    for minute in (15, 16, 40):
        tick(place, f"2026-11-27T18:{minute}:00+01:00")
    told = list(subjects(place, "Tarek B. n’est pas là"))
    assert [to.partition("@")[0] for to, _ in told] == ["gregoire", "odile", "alice"]


def test_a_gap_is_offered_to_one_after_the_other_least_held_first_and_never_twice(place: Place) -> None:
    """Odile holds more than Grégoire and Tarek."""
    tick(place, "2026-11-25T09:00:00+01:00")
    first = asked(place, GAP)
    assert len(first) == 1
    who = first[0][0]
    assert who in ("gregoire", "tarek")
    tick(place, "2026-11-25T11:59:00+01:00")
    assert asked(place, GAP) == first
    tick(place, "2026-11-25T12:00:00+01:00")
    assert [outcome for _, outcome in asked(place, GAP)] == ["over", ""]
    second = asked(place, GAP)[1][0]
    assert second not in (None, who)
    with_page = place.member_at(f"{second}@exemple.org")
    assert "C’est à vous qu’on le demande" in plain(place.page("/gardiens", with_page))
    status, page = press(place, with_page, "decline", GAP)
    assert (status, "on ne vous le demande plus" in page) == (303, True)
    assert press(place, with_page, "decline", GAP)[0] == 409
    tick(place, "2026-11-25T12:05:00+01:00")
    third = asked(place, GAP)[2][0]
    assert {who, second, third} == {"gregoire", "tarek", "odile"}
    for hour in range(16, 21):
        tick(place, f"2026-11-25T{hour}:00:00+01:00")
    assert len(asked(place, GAP)) == 3
    assert len(list(subjects(place, "Et vous ? Soirée sans gardien : jeu. 3 déc."))) == 3


def test_nobody_is_asked_at_night_and_whoever_takes_it_ends_the_asking(place: Place) -> None:
    assert (found := tick(place, "2026-11-25T03:00:00+01:00")) is None or not found.asks
    tick(place, "2026-11-25T10:00:00+01:00")
    client = place.member_at("odile@exemple.org")
    assert press(place, client, "take", GAP)[0] == 303
    assert [outcome for _, outcome in asked(place, GAP)] == ["taken"]
    tick(place, "2026-11-25T18:00:00+01:00")
    assert (len(asked(place, GAP)), holder_at(place, GAP)) == (1, "odile")


def test_twenty_gardiens_are_asked_one_by_one(place: Place) -> None:
    many = [Member(id=f"g{n:02}", name=f"Gardien {n:02}", tier="nomad", roles=(Role.GARDIEN,)) for n in range(17)]
    evenings = [Pattern(f"p{n}", "wed", "18:00", "22:00", gardien=one.id) for n, one in enumerate(many)]
    with place.database.transaction() as session:
        put(session, [*many, *evenings], DECIDED)
    start = instant("2026-11-25T09:00:00+01:00")
    for number in range(4):
        place.now = start + number * 3 * HOUR
        place.publish()
        RotaNews(place.app, place.context()).tick()
    told = [who for who, _ in asked(place, GAP)]
    assert len(told) == len(set(told)) == 4


def test_whoever_is_away_or_holds_another_evening_then_is_not_asked(place: Place) -> None:
    press(place, place.member_at("odile@exemple.org"), "absences", first="01/12/2026", last="04/12/2026")
    with place.database.transaction() as session:
        put(session, [Pattern("atelier", "thu", "20:00", "23:00", gardien="tarek")], DECIDED)
    for hour in range(9, 21):
        tick(place, f"2026-11-25T{hour:02}:00:00+01:00")
    assert [who for who, _ in asked(place, GAP)] == ["gregoire"]


def test_what_is_over_is_closed_and_a_gap_given_back_is_not_asked_of_whoever_gave_it(place: Place) -> None:
    tarek = place.member_at("tarek@exemple.org")
    press(place, tarek, "give-back", "slot:vendredi/2026-12-04")
    press(place, tarek, "offer", "slot:vendredi/2026-11-27")
    for hour in range(9, 21):
        tick(place, f"2026-11-25T{hour:02}:00:00+01:00")
    assert "tarek" not in [who for who, _ in asked(place, "slot:vendredi/2026-12-04")]
    found = tick(place, "2026-11-27T22:00:00+01:00")
    assert found is not None
    assert "slot:vendredi/2026-11-27" in [row.turn for row in found.over]
