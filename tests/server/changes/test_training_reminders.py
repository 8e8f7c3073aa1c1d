"""A certification's end is told 30 days before and 7, once each, by day, and to nobody who was just certified."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace
from sqlmodel import col, select

from policy.bundle import Certification, Role
from policy.terms import DAY, HOUR
from server.changes.bundle import import_bundle, put
from server.database.engine import Database
from server.models import Account, CertificationEntry, Message
from server.reminders import Reminders
from tests.support_pages import CHEAP_HASH, Place
from tests.support_server import DECIDED, small_bundle, whole_bundle
from tests.support_site import at

END = date(2026, 12, 31)
MAIL = "brigitte@exemple.org"


@pytest.fixture
def lab(database: Database) -> Place:
    """Brigitte, whose account is an address, and Zoé, who has none, may print until the last day of the year."""
    gregoire = replace(next(m for m in small_bundle().members if m.id == "gregoire"), roles=(Role.FAB_MANAGER,))
    with database.transaction() as session:
        import_bundle(session, replace(whole_bundle(), certifications=()), DECIDED)
        put(session, [gregoire, *(Certification(who, "printer", END) for who in ("brigitte", "zoe"))], DECIDED)
        session.add(Account(login=MAIL, member="brigitte", password_hash=CHEAP_HASH, made=datetime.now(UTC)))
    return Place(database, sends_mail=True)


def mails(place: Place) -> list[tuple[str, str]]:
    with place.database.reading() as session:
        rows = session.exec(select(Message).order_by(col(Message.id))).all()
        return [(row.to, row.subject.replace("\N{NO-BREAK SPACE}", " ")) for row in rows]


def days(place: Place, first: int, last: int) -> Iterator[int]:
    """How many were written to on each of these days after 24 November, asked each hour by a server started anew."""
    for day in range(first, last):
        hours = (Reminders(place.app, place.context(), lambda: datetime.now(UTC)) for _ in range(24))
        told = []
        for hour, reminders in enumerate(hours):
            place.now = at(0) + day * DAY + hour * HOUR
            told.append(reminders.tick())
        assert not any(told[:9] + told[19:])
        yield sum(told)


def test_told_30_days_before_and_7_once_each_by_day(lab: Place) -> None:
    """31 December is day 37."""
    assert list(days(lab, 5, 9)) == [0, 0, 1, 0]
    assert list(days(lab, 29, 32)) == [0, 1, 0]
    assert list(days(lab, 37, 39)) == [0, 0]
    assert mails(lab) == [(MAIL, "Votre formation Imprimante 3D finit le jeu. 31 déc.")] * 2
    with lab.database.reading() as session:
        rows = session.exec(select(CertificationEntry).order_by(col(CertificationEntry.id))).all()
        assert [(row.did, row.member, row.until) for row in rows] == [
            ("told_30", "brigitte", END),
            ("told_7", "brigitte", END),
        ]


def test_a_server_that_was_off_tells_the_nearer_one_alone(lab: Place) -> None:
    assert list(days(lab, 33, 35)) == [1, 0]
    assert len(mails(lab)) == 1


@pytest.mark.sqlite
def test_who_was_just_certified_for_a_week_is_not_told_and_renewed_it_begins_anew(lab: Place) -> None:
    desk = lab.staff()
    form = {"csrf_token": lab.form_token(desk, "/account"), "kind": "printer", "evidence": "exam", "day": "24/11/2026"}
    assert desk.post("/members/brigitte/trainings", data=form | {"last": "30/11/2026"}).status_code == 303
    assert list(days(lab, 0, 8)) == [0] * 8
    lab.now = at(19)
    assert desk.post("/members/brigitte/trainings", data=form | {"last": "31/01/2027"}).status_code == 303
    assert list(days(lab, 38, 40)) == [1, 0]
    assert mails(lab) == [(MAIL, "Votre formation Imprimante 3D finit le dim. 31 janv.")]


@pytest.mark.sqlite
def test_fab_managers_see_whom_it_concerns(lab: Place) -> None:
    lab.now = at(19) + 20 * DAY
    page = lab.page("/trainings", lab.member("gregoire")).replace("\N{NO-BREAK SPACE}", " ")
    assert "À renouveler Brigitte Oudin finit le jeu. 31 déc. Imprimante 3D Zoé Wibaux finit le jeu. 31 déc." in page
    assert "À renouveler" not in lab.page("/trainings", lab.member("zoe"))
