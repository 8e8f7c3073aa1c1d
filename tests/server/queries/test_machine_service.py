"""Maintenance by hours of running: counted over sessions kept and forgotten, on both databases."""

import pytest
from sqlmodel import select

from policy.terms import DAY, HOUR, MINUTE, Instant
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.changes.machine_sheet import describe, serviced
from server.changes.purge import purge
from server.database.engine import Database
from server.database.types import moment
from server.models import MachineSession, MachineSheet
from server.publish.bundle import calendar_of
from server.queries.machine_service import Service, services
from tests.support_server import DECIDED, whole_bundle
from tests.support_site import at

MACHINE = whole_bundle().machines[0].id
PLAN = {"consumables": "", "manual": "", "video": "", "service_hours": "50", "service_days": ""}


@pytest.fixture
def site(database: Database) -> Database:
    with database.transaction() as session:
        import_bundle(session, whole_bundle(), DECIDED)
    with database.transaction() as session:
        describe(session, Decided("test", at(8)), MACHINE, PLAN)
    return database


def ran(database: Database, start: Instant, **more: object) -> None:
    known = {"machine": MACHINE, "member": "remy", "kind": "cnc", "cuts": True, "edge": "x", "heard": moment(start)}
    with database.transaction() as session:
        session.add(MachineSession(**known | {"started": moment(start)} | more))


def service(database: Database, now: Instant) -> Service:
    with database.reading() as session:
        return services(session, calendar_of(session), now)[MACHINE]


def test_a_session_counts_until_it_ended_until_its_hour_or_until_now(site: Database) -> None:
    ran(site, at(9), ended=moment(at(10, 30)))
    ran(site, at(11), until=moment(at(12)))
    ran(site, at(13), until=moment(at(14)), ended=moment(at(14, 20)), cuts=False)
    ran(site, at(15), until=moment(at(16)))
    assert service(site, at(15, 15)).ran.whole == (90 + 60 + 80 + 15) * 60
    assert service(site, at(15, 15)).left == (50 * 60 - 245) * 60


def test_maintenance_sets_the_hours_back_and_what_is_forgotten_still_counts(site: Database) -> None:
    ran(site, at(9), ended=moment(at(11)))
    with site.transaction() as session:
        assert not serviced(session, Decided("test", at(10)), MACHINE, "Fabien R.", "")
        assert serviced(session, Decided("test", at(10)), MACHINE, "Fabien R.", "courroie")
    assert (service(site, at(12)).ran.whole, service(site, at(12)).ran.since) == (2 * 3600, 3600)
    ran(site, at(12), ended=moment(at(12, 30)))
    before = service(site, at(13)).ran
    later = at(13) + 40 * DAY
    for _ in range(2):
        with site.transaction() as session:
            purge(session, later, 30)
    with site.reading() as session:
        assert session.exec(select(MachineSession)).all() == []
        assert [one.serviced_by for one in session.exec(select(MachineSheet))] == [""], "who it was is forgotten"
    assert service(site, later).ran == before


@pytest.mark.parametrize(("hours", "near", "overdue"), [(37, False, False), (38, True, False), (50, True, True)])
def test_it_is_announced_when_a_quarter_is_left_and_overdue_at_the_end(
    site: Database, hours: int, near: bool, overdue: bool
) -> None:
    ran(site, at(9), until=None, ended=moment(at(9) + hours * HOUR), cuts=False)
    now = service(site, at(9) + 3 * DAY)
    assert (now.near, now.overdue) == (near, overdue)


def test_by_days_it_counts_from_the_last_one_that_was_noted(site: Database) -> None:
    with site.transaction() as session:
        describe(session, Decided("test", at(8)), MACHINE, PLAN | {"service_hours": "", "service_days": "40"})
    assert (service(site, at(9)).due, service(site, at(9)).near) == (None, False)
    with site.transaction() as session:
        serviced(session, Decided("test", at(9)), MACHINE, "Fabien R.", "graissée")
    days = [
        (service(site, at(9) + days * DAY + MINUTE).near, service(site, at(9) + days * DAY).overdue)
        for days in (29, 30, 40, 41)
    ]
    assert days == [(False, False), (True, False), (True, False), (True, True)]
