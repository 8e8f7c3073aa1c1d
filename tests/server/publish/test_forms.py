"""Edges and a server one version apart: days paid are told by their starts, as before, until every edge reads dates."""

import pytest
from alembic import command
from alembic.config import Config
from msgspec.structs import replace
from sqlalchemy import DateTime, bindparam
from sqlalchemy import text as sql
from sqlmodel import select

from policy.facts import Paid
from policy.instants import instant, text
from policy.ruleset import SPEAKS, RuleSet
from policy.terms import HOUR
from server.changes import bundle as importer
from server.database.engine import Database
from server.database.schema import MIGRATIONS, upgrade
from server.database.types import moment
from server.ingest.budget import Good
from server.models import Edge, PaidUnit
from tests.support_exchange import Office
from tests.support_server import DECIDED, TOPICS, Desk, Journal, small_bundle
from tests.support_site import at
from wire.messages import Rules, State, Status
from wire.row import Kind, Row
from wire.ruleset import unpack as unpack_rules
from wire.snapshot import unpack

MORNING = "2026-11-24am"


def paid(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [(one.member, one.unit) for one in session.exec(select(PaidUnit).order_by(PaidUnit.unit))]


def entry(journal: Journal, when: int, pays: str) -> Row:
    tap = journal.tap_in(when, "zoe")
    return journal.add(when + 2000, Kind.DOOR_OPENED, member="zoe", settles=tap.seq, pays=pays)


def test_rows_in_both_forms_are_the_same_half_days(desk: Desk, journal: Journal) -> None:
    for when, pays in ((9, text(at(4))), (10, MORNING), (14, text(at(13))), (15, "2026-11-24pm")):
        entry(journal, at(when), pays)
    desk.take(journal.rows)
    assert paid(desk.database) == [("zoe", MORNING), ("zoe", "2026-11-24pm")]


def test_of_who_pays_by_the_day_a_start_is_a_day(desk: Desk, journal: Journal) -> None:
    tiers = tuple(replace(tier, pass_="day") if tier.id == "carnet" else tier for tier in small_bundle().tiers)
    with desk.database.transaction() as session:
        importer.import_bundle(session, replace(small_bundle(), tiers=tiers, passes=()), DECIDED)
    entry(journal, at(9), text(at(4)))
    desk.take(journal.rows)
    assert paid(desk.database) == [("zoe", "2026-11-24")]


def paid_told(office: Office) -> list[object]:
    """What the state says was paid."""
    facts = unpack(office.last(State, TOPICS.state).body).facts
    return [fact.unit for fact in facts if isinstance(fact, Paid)]


def rules_told(office: Office) -> RuleSet:
    return unpack_rules(office.last(Rules, TOPICS.rules).body)


def test_what_is_told_is_in_the_old_form_until_the_edge_says_that_it_reads_the_new(office: Office) -> None:
    assert rules_told(office).speaks == SPEAKS
    entry(office.journal, at(9), MORNING)
    office.tell()
    office.front_is_there(speaks=1)
    assert (rules_told(office).speaks, rules_told(office).dates) == (1, ())
    assert isinstance(rules_told(office).passes["zoe"][0].used[0], int)
    assert paid_told(office) == [at(4)]
    versions = len(office.retained[TOPICS.rules])
    office.front_is_there(speaks=1)
    assert len(office.retained[TOPICS.rules]) == versions
    office.front_is_there(speaks=SPEAKS)
    assert rules_told(office).speaks == SPEAKS
    assert rules_told(office).passes["zoe"][0].used == ("2026-11-20am", "2026-11-20pm")
    assert paid_told(office) == [MORNING]


def test_one_edge_that_reads_the_old_form_only_is_enough(office: Office) -> None:
    office.front_is_there(speaks=SPEAKS)
    with office.database.transaction() as session:
        session.add(Edge(id="garden", public_key="00" * 32, access_points=[], readers={}))
    office.exchange.site_changed()
    assert rules_told(office).speaks == SPEAKS, "an edge that nobody ever heard of keeps nobody back"
    with office.database.transaction() as session:
        garden = session.get(Edge, "garden")
        assert garden is not None
        garden.last_seen = moment(at(18))
    office.exchange.site_changed()
    assert rules_told(office).speaks == 1


def test_one_edge_that_says_something_else_each_time_has_not_all_said_anew_each_time(office: Office) -> None:
    """Each time every edge would get other rules, and write them to its card."""
    before = len(office.retained[TOPICS.rules])
    for number in range(50):
        office.front_is_there(speaks=1 + number % 2)
        office.front_is_there(rules_version=1000 + number, rules_hash="of nothing", state_version=1000 + number)
    assert len(office.retained[TOPICS.rules]) - before <= Good.REPEATS.value.most
    office.now += HOUR
    office.front_is_there(speaks=1)
    assert rules_told(office).speaks == 1


@pytest.mark.parametrize("speaks", [-5, 0, SPEAKS + 1, 2**31 - 1])
def test_a_form_that_nobody_knows_does_no_harm(office: Office, speaks: int) -> None:
    office.front_is_there(speaks=speaks)
    assert rules_told(office).speaks in range(1, SPEAKS + 1)


def test_an_edge_that_went_reads_what_it_read(office: Office) -> None:
    office.front_is_there(speaks=1)
    office.front_says("status", Status(online=False, at=text(at(19))))
    assert rules_told(office).speaks == 1


# A database of the version before

BEFORE = "0007"
OLD = [
    ("zoe", at(4), "2026-11-24am"),
    ("zoe", at(13), "2026-11-24pm"),
    ("zoe", instant("2026-07-14T02:00Z"), "2026-07-14am"),
    ("zoe", instant("2026-07-14T11:00Z"), "2026-07-14pm"),
    ("dora", at(4), "2026-11-24"),
    ("dora", instant("2025-10-26T03:00Z"), "2025-10-26"),
    ("who left", at(4), "2026-11-24am"),
    ("who was invented", instant("0001-01-01T00:00Z"), "0001-01-01"),
    ("who was invented", instant("9999-12-31T23:59Z"), "9999-12-31"),
]
"""Of each member the start of a day or half-day as it was kept, and its name. Dora pays by the day. The version before
kept whatever instant an edge told."""


def test_a_database_of_the_version_before_migrates_and_nothing_is_lost(new: str) -> None:
    database = Database(new)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with database.transaction() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, BEFORE)
        for statement in SITE_BEFORE:
            session.connection().execute(sql(statement))
        kept = [{"member": member, "unit": moment(start).replace(tzinfo=None)} for member, start, _ in OLD]
        insert = sql("INSERT INTO paid_unit (member, unit) VALUES (:member, :unit)")
        session.connection().execute(insert.bindparams(bindparam("unit", type_=DateTime())), kept)
    upgrade(database, lambda _: None)
    assert sorted(paid(database)) == sorted((member, name) for member, _, name in OLD)
    with database.reading() as session:
        assert session.exec(select(Edge.speaks)).all() == [1]
    database.close()


SITE_BEFORE = (
    (
        "INSERT INTO site (id, name, timezone, day_cutoff, half_day_split, shift_lead, shift_grace, offline_days,"
        " staff_hours, closures, openings, at_capacity, adhoc_hours, anti_passback) VALUES"
        " ('casaco', 'Casaco', 'Europe/Paris', '04:00', '13:00', 30, 15, 14, '{}', '[]', '[]', 'warn', 0, 'off')"
    ),
    "INSERT INTO tier (id, position, grounds, hours, pass_) VALUES ('d', 0, '[]', '{}', 'day')",
    "INSERT INTO tier (id, position, grounds, hours, pass_) VALUES ('h', 1, '[]', '{}', 'half_day')",
    "INSERT INTO member (id, position, name, tier, roles, status) VALUES ('dora', 0, 'Dora', 'd', '[]', 'active')",
    "INSERT INTO member (id, position, name, tier, roles, status) VALUES ('zoe', 1, 'Zoe', 'h', '[]', 'active')",
    (
        "INSERT INTO edge (id, public_key, access_points, readers, software, unacknowledged)"
        " VALUES ('front', '00', '[]', '{}', '', 0)"
    ),
)
