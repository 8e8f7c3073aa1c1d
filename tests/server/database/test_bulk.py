"""Many rows at once: what is stored is what SQLAlchemy would have stored, and reads back the same."""

from datetime import UTC, datetime, timedelta, timezone

from sqlmodel import select

from server.database.engine import Database
from server.ingest import bulk
from server.models import PaidUnit, Presence

NOON = datetime(2026, 11, 24, 12, 0, 0, 125_000, tzinfo=UTC)
PRESENCE = Presence.__table__  # type: ignore[attr-defined]
NAMES = ("member", "at", "inside")
PAID = PaidUnit.__table__  # type: ignore[attr-defined]


def presence(database: Database) -> dict[str, tuple[datetime, bool]]:
    with database.reading() as session:
        return {row.member: (row.at, row.inside) for row in session.exec(select(Presence))}


def test_rows_come_back_as_those_of_the_mapper_do(database: Database) -> None:
    with database.transaction() as session:
        session.add(Presence(member="mapped", at=NOON, inside=True))
        session.flush()
        bulk.insert(session.connection(), PRESENCE, NAMES, [("driven", NOON, True)])
        raw = session.connection().exec_driver_sql("SELECT at, inside FROM presence").fetchall()
    assert raw[0] == raw[1]
    assert presence(database) == {"mapped": (NOON, True), "driven": (NOON, True)}


def test_the_whole_second_is_written_like_any_other(database: Database) -> None:
    whole = NOON.replace(microsecond=0)
    with database.transaction() as session:
        bulk.insert(session.connection(), PRESENCE, NAMES, [("zoe", whole, False)])
    assert presence(database) == {"zoe": (whole, False)}


def test_a_row_takes_the_place_of_the_one_with_its_key(database: Database) -> None:
    rows = [{"member": who, "at": NOON, "inside": True} for who in ("alice", "zoe")]
    later = [{"member": "zoe", "at": NOON + timedelta(hours=1), "inside": False}]
    with database.transaction() as session:
        bulk.upsert(session.connection(), PRESENCE, rows)
        bulk.upsert(session.connection(), PRESENCE, later)
    assert presence(database) == {"alice": (NOON, True), "zoe": (NOON + timedelta(hours=1), False)}


def test_a_row_gives_way_only_if_what_is_asked_holds(database: Database) -> None:
    newer = "excluded.at > presence.at"
    with database.transaction() as session:
        for hours, inside in ((1, True), (0, False), (2, False)):
            row = {"member": "zoe", "at": NOON + timedelta(hours=hours), "inside": inside}
            bulk.upsert(session.connection(), PRESENCE, [row], newer)
            if hours != 2:
                raw = session.connection().exec_driver_sql("SELECT inside FROM presence").scalar()
                assert bool(raw) is True
    assert presence(database) == {"zoe": (NOON + timedelta(hours=2), False)}


def test_what_has_nothing_but_its_key_is_stored_once(database: Database) -> None:
    with database.transaction() as session:
        for _ in range(2):
            bulk.upsert(session.connection(), PAID, [{"member": "zoe", "unit": "2026-11-24am"}])
    with database.reading() as session:
        assert [(unit.member, unit.unit) for unit in session.exec(select(PaidUnit))] == [("zoe", "2026-11-24am")]


def test_no_rows_are_no_statement(database: Database) -> None:
    with database.transaction() as session:
        bulk.insert(session.connection(), PRESENCE, NAMES, [])
        bulk.upsert(session.connection(), PRESENCE, [])
    assert presence(database) == {}


def test_moments_are_utc_wherever_they_come_from() -> None:
    """What is handed over is UTC already: `server.db.moment` makes it, `server.rows` turns what rows say."""
    assert bulk._text(NOON) == "2026-11-24 12:00:00.125000"
    assert bulk._naive(NOON) == datetime(2026, 11, 24, 12, 0, 0, 125_000)  # noqa: DTZ001
    assert NOON.astimezone(timezone(timedelta(hours=1))) == NOON
