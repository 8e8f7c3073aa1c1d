"""Few half-days left, or few days to use them: told by mail once, by day, when the lamp says it, if it is wanted."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from sqlmodel import col, select, update

from policy.bundle import Pass
from policy.passes import ENDS_SOON
from policy.terms import DAY, HOUR
from server.carnet_mail import EVERY, CarnetNews
from server.changes.bundle import put
from server.database.engine import Database
from server.models import Account, AuditRow, CarnetMail, Message, PaidUnit
from tests.server.pages.test_door_pages import pressed
from tests.support_pages import Place
from tests.support_server import DECIDED, small_bundle
from tests.support_site import at

pytestmark = pytest.mark.sqlite
MAIL = "zoe@exemple.org"
USED = tuple(f"2026-11-{day:02}{half}" for day in range(2, 9) for half in ("am", "pm"))
"""14 half-days."""


@pytest.fixture
def mailing(place: Place) -> Place:
    """A site that sends mail."""
    return Place(place.database, sends_mail=True)


@pytest.fixture
def zoe(mailing: Place) -> FlaskClient:
    """Logged in; her account is an address."""
    client = mailing.member("zoe")
    with mailing.database.transaction() as session:
        session.exec(update(Account).where(col(Account.member) == "zoe").values(login=MAIL))
    return client


@pytest.fixture
def house(mailing: Place, zoe: FlaskClient) -> Place:
    """Zoé, whose account is an address, has four half-days left on a carnet of 15."""
    member = next(one for one in small_bundle().members if one.id == "zoe")
    with mailing.database.transaction() as session:
        put(session, [replace(member, status="active"), Pass("c1", "zoe", "half_day", 15, used=USED[:11])], DECIDED)
    again(mailing)
    return mailing


def again(place: Place) -> None:
    """The server starts anew."""
    place.publish()
    place.__dict__["news"] = CarnetNews(place.app, place.context(), lambda: datetime.now(UTC))


def tick(place: Place) -> int:
    news: CarnetNews = place.__dict__["news"]
    return news.tick()


def pays(database: Database, *units: str) -> None:
    with database.transaction() as session:
        session.add_all(PaidUnit(member="zoe", unit=unit, edge="front", heard=datetime.now(UTC)) for unit in units)


def mails(place: Place) -> list[tuple[str, str, str]]:
    with place.database.reading() as session:
        rows: Iterable[Message] = session.exec(select(Message).order_by(col(Message.id))).all()
        return [(row.to, row.subject.replace("\N{NO-BREAK SPACE}", " "), row.body) for row in rows]


def test_told_once_by_day_when_the_lamp_says_it(house: Place) -> None:
    house.now = at(9)
    assert tick(house) == 0, "four are left"
    pays(house.database, "2026-11-24am")
    house.now += EVERY
    assert tick(house) == 1
    [(to, subject, body)] = mails(house)
    assert (to, subject) == (MAIL, "Carnet : reste 3 demi-journées")
    assert "a un bouton pour cela" in body
    pays(house.database, "2026-11-24pm", "2026-11-25am")
    again(house)
    house.now += DAY
    assert tick(house) == 0, "one is left, and this carnet was told of"


def test_in_the_evening_it_waits_for_the_morning(house: Place) -> None:
    pays(house.database, "2026-11-24am")
    told = []
    for hour in range(19, 35):
        house.now = at(0) + hour * HOUR
        told.append(tick(house))
    assert told == [0] * 14 + [1, 0]


def test_another_carnet_is_told_of_again_and_one_that_is_followed_is_not(house: Place) -> None:
    pays(house.database, "2026-11-24am")
    house.now = at(10)
    assert tick(house) == 1
    with house.database.transaction() as session:
        put(session, [Pass("c2", "zoe", "half_day", 2)], DECIDED)
    again(house)
    assert tick(house) == 0, "five are left on both"
    pays(house.database, "2026-11-23am", "2026-11-23pm")
    house.now += HOUR
    assert tick(house) == 1
    assert len(mails(house)) == 2


def ends(place: Place, last: date, units: int = 15, carnet: str = "c1") -> None:
    with place.database.transaction() as session:
        put(session, [Pass(carnet, "zoe", "half_day", units, valid_until=last, used=USED[: units - 4])], DECIDED)
    again(place)


def test_a_carnet_that_ends_soon_is_told_of_once_for_each_last_day(house: Place) -> None:
    house.now, today = at(10), date(2026, 11, 24)
    ends(house, today + ENDS_SOON)
    assert tick(house) == 0, "the lamp says nothing yet"
    house.now += DAY
    assert tick(house) == 1
    [(to, subject, body)] = mails(house)
    assert (to, subject) == (MAIL, "Carnet : reste 4 demi-journées, jusqu’au mar. 8 déc.")
    assert "ce qui reste ne paie plus" in body
    assert "a un bouton pour cela" in body
    again(house)
    house.now += 2 * DAY
    assert tick(house) == 0, "this last day was told of"
    ends(house, today + ENDS_SOON + timedelta(1))
    assert tick(house) == 1, "another last day"
    pays(house.database, "2026-11-25am")
    house.now += EVERY
    assert tick(house) == 1, "few are left besides"
    assert mails(house)[-1][1] == "Carnet : reste 3 demi-journées, jusqu’au mer. 9 déc."


def test_a_carnet_that_ends_is_not_told_of_where_nothing_is_left_another_follows_or_nothing_is_wanted(
    house: Place, zoe: FlaskClient
) -> None:
    house.now, soon = at(10), date(2026, 11, 24) + timedelta(5)
    ends(house, soon)
    pressed(house, zoe, "/me/carnet-mail", wanted="0")
    assert tick(house) == 0
    pressed(house, zoe, "/me/carnet-mail", wanted="1")
    pays(house.database, "2026-11-23am", "2026-11-23pm", "2026-11-22am", "2026-11-22pm")
    house.now += HOUR
    assert tick(house) == 0, "nothing is left to lose"
    ends(house, soon, 20)
    ends(house, soon + timedelta(90), 8, "c2")
    assert tick(house) == 0, "another follows"
    assert mails(house) == []


def test_who_chose_none_hears_nothing_and_may_choose_again(house: Place, zoe: FlaskClient) -> None:
    assert "Quand il reste peu, ou quand le dernier jour approche, on vous l’écrit" in house.page("/me", zoe)
    assert "on ne vous écrira plus" in pressed(house, zoe, "/me/carnet-mail", wanted="0")
    pays(house.database, "2026-11-24am")
    house.now = at(10)
    assert tick(house) == 0
    assert "on vous écrira" in pressed(house, zoe, "/me/carnet-mail", wanted="1")
    house.now += HOUR
    assert tick(house) == 1
    with house.database.reading() as session:
        audited = session.exec(select(AuditRow).where(AuditRow.noun == "carnet_mail")).all()
        assert len(audited) == 2
        assert session.get_one(CarnetMail, "zoe").told == ["c1"]


def test_whom_no_mail_reaches_has_no_choice_to_make(place: Place) -> None:
    assert "Quand il reste peu" not in place.page("/me", place.member("zoe"))
