"""A server's half of a site for tests: a database with a small bundle, and an edge that signs what it says."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Raw
from msgspec.structs import replace as replace_parts
from sqlalchemy import event

from policy.bundle import (
    AccessPoint,
    Booking,
    BookingTerms,
    Bundle,
    Certification,
    Closure,
    Credential,
    Credit,
    Event,
    Invitation,
    LockOut,
    Machine,
    Member,
    Opening,
    Pass,
    Pattern,
    Quota,
    Readers,
    Role,
    RotaChange,
    Shift,
    Site,
    Tier,
)
from policy.bundle import Kind as MachineKind
from policy.instants import text
from policy.reasons import Reason
from policy.ruleset import Ground
from policy.terms import SECOND, ClockState, Instant
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.database.engine import Database
from server.database.schema import upgrade
from server.ingest.messages import Ingest, Owed
from server.models import Edge
from server.troubles import Troubles
from tests.support_site import ALICE, BRIGITTE, GREGOIRE, REMY, at
from wire import row as wire_row
from wire.envelope import seal
from wire.messages import Events, Status, encode
from wire.row import Kind, Row
from wire.topics import Topics

DECIDED = Decided("tests", at(19, 12))
TOPICS = Topics("casaco")
FRONT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
GARAGE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
LATE = at(23)
WORKDAYS: tuple[Literal["mon", "tue", "wed", "thu", "fri"], ...] = ("mon", "tue", "wed", "thu", "fri")
STAFF_DAY = (("09:00", "18:00"),)


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def small_bundle() -> Bundle:
    """Casaco with five members; Grégoire holds the place on Tuesday 24 November 2026 from 18 to 22."""
    always, open_ = (Ground.ALWAYS, Ground.STAFFED, Ground.HELD), (Ground.STAFFED, Ground.HELD)
    return Bundle(
        format="loquet.bundle/1",
        site=Site(
            id="casaco",
            name="Casaco, Malakoff",
            timezone="Europe/Paris",
            holidays="FR",
            capacity=100,
            staff_hours=dict.fromkeys(WORKDAYS, STAFF_DAY),
            closures=(Closure(first=date(2026, 12, 24), last=date(2027, 1, 1)),),
            openings=(Opening(date=date(2026, 11, 28), hours=(("10:00", "17:00"),)),),
        ),
        access_points=(
            AccessPoint(id="front", readers=Readers(in_="front-in", out="front-out")),
            AccessPoint(id="garage", readers=Readers(in_="garage-in")),
        ),
        tiers=(
            Tier(id="team", grounds=always),
            Tier(id="resident", grounds=always),
            Tier(id="nomad", grounds=open_, access_points=("front",)),
            Tier(id="carnet", grounds=open_, pass_="half_day"),
        ),
        members=(
            Member(id="alice", name="Alice Étienne", tier="team", roles=(Role.STAFF,)),
            Member(id="gregoire", name="Grégoire Vasseur", tier="nomad", roles=(Role.GARDIEN,)),
            Member(id="brigitte", name="Brigitte Oudin", tier="nomad", valid_until=date(2026, 12, 31)),
            Member(id="remy", name="Rémy Quentin", tier="resident", valid_from=date(2026, 1, 5)),
            Member(id="zoe", name="Zoé Wibaux", tier="carnet", status="suspended"),
        ),
        credentials=(
            Credential(uid=ALICE.hex().upper(), member="alice"),
            Credential(uid=BRIGITTE.hex().upper(), member="brigitte", status="lost"),
            Credential(uid=GREGOIRE.hex().upper(), member="gregoire"),
            Credential(uid=REMY.hex().upper(), member="remy", valid_until=date(2027, 6, 30)),
        ),
        passes=(Pass(id="c1", member="zoe", unit="half_day", total=15, used=("2026-11-20am", "2026-11-20pm")),),
        shifts=(
            Shift(id="s1", gardien="gregoire", start="2026-11-24T18:00", end="2026-11-24T22:00"),
            Shift(id="s2", gardien="gregoire", start="2026-11-26T18:00+01:00", end="2026-11-26T20:00+01:00"),
        ),
    )


def whole_bundle() -> Bundle:
    """The small one with something of everything, each key used."""
    small = small_bundle()
    night: dict[Literal["sat"], tuple[tuple[str, str], ...]] = {"sat": (("20:00", "02:00"),)}
    return replace_parts(
        small,
        site=replace_parts(
            small.site,
            anti_passback="soft",
            at_capacity="deny",
            adhoc_hours=3,
            offline_days=7,
            rota_notice=24,
            booking=BookingTerms(longest=240, buffer=10, week_hours=12, notice=30),
        ),
        access_points=tuple(replace_parts(point, name=f"Porte {point.id}") for point in small.access_points),
        tiers=(*small.tiers, Tier(id="night", grounds=(Ground.HOURS,), hours=night, name="Formule de nuit")),
        events=(
            Event(
                id="e1", title="Portes ouvertes", start="2026-11-28T14:00", end="2026-11-28T18:00", audience="public"
            ),
            Event(
                id="e2",
                title="Repair café",
                start="2026-11-24T19:00+01:00",
                end="2026-11-24T22:00+01:00",
                audience="members",
                free=True,
                access_points=("front",),
            ),
        ),
        invitations=(
            Invitation(id="i1", member="remy", start="2026-11-28T09:00", end="2026-11-28T20:00"),
            Invitation(
                id="i2",
                member="zoe",
                start="2026-11-29T09:00",
                end="2026-11-29T10:00",
                access_points=("front", "garage"),
            ),
        ),
        machines=(
            Machine(
                id="laser",
                kind="laser",
                reader="laser-tap",
                hours=dict.fromkeys(WORKDAYS, (("09:00", "21:00"),)),
                min_people=2,
                on_end="cut",
                attended=False,
                locked_out=LockOut(by="Alice", why="lentille fendue", urgent=True),
            ),
            Machine(id="printer", kind="printer", reader="printer-tap", name="Imprimante 3D"),
        ),
        certifications=(
            Certification(member="brigitte", kind="laser", until=date(2027, 1, 31)),
            Certification(member="brigitte", kind="printer"),
            Certification(member="alice", kind="laser"),
        ),
        quotas=(Quota(kind="laser", minutes=240, period="week"), Quota(kind="printer", minutes=0, period="month")),
        bookings=(
            Booking(id="b1", machine="laser", member="brigitte", start="2026-11-24T20:00", end="2026-11-24T21:00"),
            Booking(
                id="b2", machine="laser", member="remy", start="2026-11-24T18:00+01:00", end="2026-11-24T19:00+01:00"
            ),
        ),
        passes=(*small.passes, Pass(id="c2", member="zoe", unit="half_day", total=1, valid_from=date(2027, 1, 1))),
        kinds=(
            MachineKind(id="printer", name="Imprimante 3D"),
            MachineKind(id="laser", requires=("printer",), valid_months=12, refresher_months=6, notes="lunettes"),
        ),
        rota=(
            Pattern(id="mardi", weekday="tue", start="18:00", end="22:00"),
            Pattern(
                id="samedi",
                weekday="sat",
                start="18:00",
                end="02:00",
                every=2,
                since=date(2026, 1, 3),
                until=date(2027, 6, 30),
                holidays=True,
            ),
        ),
        rota_changes=(
            RotaChange(rota="samedi", date=date(2026, 12, 5), gardien=None, start="19:00", end="23:00"),
            RotaChange(rota="samedi", date=date(2026, 12, 19), cancelled=True),
        ),
        credits=(
            Credit(id="k1", member="zoe", minutes=120, date=date(2026, 11, 20), why="travaux", by="remy"),
            Credit(
                id="k2",
                member="remy",
                minutes=-60,
                date=date(2026, 11, 20),
                why="don",
                by="remy",
                attested="alice",
                pair="d",
            ),
        ),
    )


def site_database(folder: Path, bundle: Bundle | None = None) -> Database:
    """A new SQLite database in the folder, see `furnished`."""
    return furnished(Database(f"sqlite:///{folder}/loquet.db"), bundle)


def furnished(database: Database, bundle: Bundle | None = None) -> Database:
    """A database, until now empty, that holds the bundle and the edges `front` and `garage`."""
    upgrade(database, lambda line: None)
    with database.transaction() as session:
        import_bundle(session, bundle or small_bundle(), DECIDED)
        session.add(Edge(id="front", public_key=public(FRONT_KEY), access_points=["front"], readers={}))
        session.add(Edge(id="garage", public_key=public(GARAGE_KEY), access_points=["garage"], readers={}))
    return database


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database while the block runs."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    for engine in (database._writer, database._readers):
        event.listen(engine, "before_cursor_execute", note)
    yield asked
    for engine in (database._writer, database._readers):
        event.remove(engine, "before_cursor_execute", note)


class Desk:
    """The ingest of a site whose clock the test sets. changes: how often it said that something changed."""

    def __init__(self, database: Database, now: Instant = LATE) -> None:
        self.database = database
        self.now = now
        self.changes = 0
        self.troubles = Troubles()
        self.ingest = Ingest(database, TOPICS, lambda: self.now, self.troubles, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def take(self, rows: Sequence[Row | bytes], journal: str = "j1") -> Owed | None:
        """What edge `front` sends as events."""
        return self.ingest.take(TOPICS.events("front"), events(rows, journal))

    def say(self, status: Status) -> None:
        self.ingest.take(TOPICS.status("front"), seal(FRONT_KEY, "front", TOPICS.status("front"), encode(status)))


def events(rows: Sequence[Row | bytes], journal: str = "j1") -> bytes:
    """A signed message of edge `front` with these rows, or bytes that stand where a row should."""
    raws = tuple(Raw(row if isinstance(row, bytes) else wire_row.encode(row)) for row in rows)
    return seal(FRONT_KEY, "front", TOPICS.events("front"), encode(Events(journal, raws)))


class Journal:
    """Writes the rows of edge `front` with rising numbers, as its door would."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, when: Instant, kind: Kind, **fields: object) -> Row:
        written = {"access_point": "front", "rules_version": 1} | fields
        make: Callable[..., Row] = Row
        row = make(len(self.rows) + 1, text(when), when % 10**9, "boot", ClockState.SYNCED, kind, **written)
        self.rows.append(row)
        return row

    def tap_in(
        self, when: Instant, member: str | None, reason: Reason = Reason.STAFFED_HOURS, *, granted: bool = True
    ) -> Row:
        """A tap at the `in` reader; a granted one waits for the door."""
        return self.add(
            when,
            Kind.TAP,
            reader="front-in",
            credential=f"hash of {member}",
            member=member,
            granted=granted,
            reason=reason,
            pending=granted,
        )

    def enters(self, when: Instant, member: str, reason: Reason = Reason.STAFFED_HOURS) -> None:
        """A granted tap, and the door opened two seconds later."""
        tap = self.tap_in(when, member, reason)
        self.add(when + 2 * SECOND, Kind.DOOR_OPENED, member=member, settles=tap.seq)
        self.add(when + 5 * SECOND, Kind.DOOR_CLOSED)

    def leaves(self, when: Instant, member: str | None) -> None:
        self.add(
            when,
            Kind.TAP,
            reader="front-out",
            credential=f"hash of {member}",
            member=member,
            granted=True,
            reason=Reason.EGRESS,
        )

    def closes(self, when: Instant, gardien: str, *left: str) -> None:
        """The gardien's second tap on the way out: who was left is out."""
        self.leaves(when, gardien)
        self.add(when, Kind.CLOSED, reader="front-out", member=gardien)
        for who in left:
            self.add(when, Kind.CHECKED_OUT, reader="front-out", member=who, by=gardien)
