"""What does a story lead to? A scenario in virtual time, played through the code of the edges and of the server.

Rules, controllers, journals, rows, merge and ingest are the real ones; reader, pins, clock, network and power are
played (loquet/ask/replay_edge.py). Lamps and buzzers are not looked at. The network is quiet before the next step. The
same scenario gives the same lines each time.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import UNSET
from sqlmodel import Session, SQLModel

from edge.knowledge import Knowledge
from loquet.ask.replay_answers import Asked, Failure, Line, ReplayError, answers, differences, questions
from loquet.ask.replay_books import Books
from loquet.ask.replay_edge import CREDENTIAL_KEY, ReplayEdge
from loquet.ask.scenario import Expect, Moment, Story, credits_of
from policy import uids
from policy.bank_site import SiteThen
from policy.bundle import Bundle
from policy.instants import text
from policy.presence import Move
from policy.ruleset import RuleSet
from policy.terms import SECOND, ClockState, Instant
from server.audit import Decided
from server.changes.bundle import ALL, import_bundle
from server.changes.corrections import correct
from server.changes.lockdown import set_lockdown
from server.database.engine import Database
from server.database.schema import upgrade
from server.errors import ImportRefusedError
from server.ingest.messages import Ingest
from server.models import Edge as EdgeRow
from server.publish.rules import Publisher
from server.publish.state import snapshot
from server.queries.public_holidays import holidays_of
from server.troubles import Troubles
from wire.messages import Facts
from wire.ruleset import unpack
from wire.snapshot import Snapshot
from wire.snapshot import pack as pack_snapshot
from wire.snapshot import unpack as unpack_snapshot
from wire.topics import Topics

SERVER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - a disk that forgets is what a replay wants


class Desk:
    """A place to play stories, one after the other: the database is made once and emptied between them.

    chatty: the server tells the edges what it knows after every step, not only when one of them was away or it alone
    knows. What happens is the same.
    """

    def __init__(self, chatty: bool = False) -> None:
        self._chatty = chatty
        self._folder = TemporaryDirectory(prefix="loquet-replay-", dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None)
        self.path = Path(self._folder.name)
        self.database = Database(f"sqlite:///{self.path / 'server.db'}")
        upgrade(self.database, lambda _: None)
        self._stories = 0

    def play(self, story: Story) -> Iterator[tuple[Line, list[Failure]]]:
        """Each step's line, and the expectations that it did not meet. Raises ReplayError."""
        self._stories += 1
        folder = self.path / str(self._stories)
        folder.mkdir()
        try:
            with ExitStack() as disks:
                site = Site(story, folder, self.database, disks, self._chatty)
                for number, moment in enumerate(story.moments, 1):
                    line, failures = site.play(number, moment)
                    yield {"file": story.file, "step": number, "at": text(site.now)} | line, failures
        except ImportRefusedError as error:  # holidays of no country that is known
            raise ReplayError(f"{story.file}: bundle: {error}") from None

    def close(self) -> None:
        self.database.close()
        self._folder.cleanup()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Site:
    """The server, the edges and their network, at one virtual instant. disks: closes those of the edges."""

    def __init__(self, story: Story, folder: Path, database: Database, disks: ExitStack, chatty: bool) -> None:
        self.start = self.now = story.start
        self.file = story.file
        self.bundle = story.bundle
        self.database = database
        self._books = Books(database, self._then(story.bundle, credits_of(story.bundle)))
        self.bundle = self._books.bundle
        self._folder = folder
        self._disks = disks
        self._chatty = chatty
        self._news = True
        self._known: tuple[int, Snapshot] | None = None
        self._rules: tuple[int, RuleSet] | None = None
        self._edges: dict[str, ReplayEdge] = {}
        self._edge_of: dict[str, str] = {}
        with database.transaction() as session:
            _empty(session)
            import_bundle(session, self.bundle, Decided("scenario", self.now))
            self._install(session, story.edges)
        self._publisher = Publisher(
            database, SERVER_KEY, CREDENTIAL_KEY, lambda: self.now, lambda *_: None, lambda _: self.bundle
        )
        self._ingest = Ingest(database, Topics(story.bundle.site.id), lambda: self.now, Troubles(), lambda: None)
        self._publisher.publish()
        for edge in self._edges.values():
            edge.switch_on(ClockState.SYNCED)

    def _install(self, session: Session, edges: dict[str, tuple[str, ...]]) -> None:
        """Edges that are new: their keys are known to the server. They are off."""
        for name, places in edges.items():
            if places and name not in self._edges:
                key = Ed25519PrivateKey.from_private_bytes((len(self._edges) + 1).to_bytes(32))
                public = key.public_key().public_bytes_raw().hex()
                session.add(EdgeRow(id=name, public_key=public, access_points=list(places), readers={}))
                self._edges[name] = ReplayEdge(self, name, places, key, self._folder)
                self._disks.callback(self._edges[name].close)
                self._edge_of |= dict.fromkeys(places, name)

    def play(self, number: int, moment: Moment) -> tuple[Line, list[Failure]]:
        """One step: let time pass until it, do it, and compare."""
        self._pass_time(moment.at)
        line: Line = {}
        for name, act in ACTS.items():
            if getattr(moment.step, name) is not UNSET:
                line = act(self, moment)
        if self._chatty:
            self.quiet()
        if moment.step.expect is UNSET:
            return line, []
        seen = line | self._answers(moment.step.expect)
        differing = differences(moment, seen)
        return seen, [Failure(self.file, number, key, wanted, seen.get(key)) for key, wanted in differing]

    def _pass_time(self, until: Instant) -> None:
        """Jump from deadline to deadline of the edges, and from day to day of the server."""
        while True:
            due = [edge.due() for edge in self._edges.values()]
            following = min([self._publisher.current.rules.day_end(self._publisher.current.at), *filter(None, due)])
            if following > until:
                break
            self.now = max(self.now, following)
            self._new_day()
            for edge in self._edges.values():
                edge.wake()
        self.now = until
        for edge in self._edges.values():
            edge.wake()

    def _new_day(self) -> None:
        current = self._publisher.current
        if current.rules.day_start(self.now) != current.rules.day_start(current.at):
            self._flush()
            self._books.settle(self.now)
            self._store(self._books.bundle)
            self._publish()

    def _store(self, bundle: Bundle) -> None:
        """The tables hold what the site says from now on, the units of the bank among the carnets."""
        if bundle != self.bundle:
            self.bundle, self._news = bundle, True
            with self.database.transaction() as session:
                import_bundle(session, bundle, Decided("scenario", self.now), unblock=ALL)

    def _then(self, bundle: Bundle, stored: frozenset[str]) -> SiteThen:
        """The site as it is from now on. stored: the credits that were stored now."""
        site = bundle.site
        return SiteThen(self.now, bundle, ZoneInfo(site.timezone), holidays_of(site.holidays), stored)

    def _publish(self) -> None:
        """Compile, and give the rules to every edge that can hear."""
        self._publisher.publish()
        for edge in self._edges.values():
            edge.hear_rules()

    def _flush(self) -> None:
        """What the linked edges recorded reaches the server."""
        for edge in self._edges.values():
            self._news |= edge.deliver()

    # What an edge has around it (loquet/ask/replay_edge.py)

    def rules(self) -> tuple[int, RuleSet]:
        current = self._publisher.current
        if self._rules is None or self._rules[0] != current.version:
            self._rules = (current.version, unpack(current.body))
        return self._rules

    def tell_others(self, teller: ReplayEdge, told: Facts) -> None:
        for edge in self._edges.values():
            if edge is not teller:
                edge.hear(teller.name, told)

    def ingest(self, topic: str, payload: bytes) -> int:
        owed = self._ingest.take(topic, payload)
        if owed is None:
            raise ReplayError(f"{self.file}: the server does not take what came on {topic}")
        return owed.ack.seq

    def quiet(self) -> None:
        version, known = self._said()
        for edge in self._edges.values():
            edge.hear_state(version, known)

    def _said(self) -> tuple[int, Snapshot]:
        """What the server says of the site, once it has all rows that can reach it."""
        self._flush()
        if self._news or self._known is None:
            with self.database.reading() as session:
                said = pack_snapshot(snapshot(session, self.now))
            self._news = False
            self._known = (self._known[0] + 1 if self._known else 1, unpack_snapshot(said))
        return self._known

    def _answers(self, expect: Expect) -> Line:
        """What is so on the server: what follows from what it says."""
        if not questions(expect):
            return {}
        _, known = self._said()
        state = Knowledge(known.facts).state
        with self.database.reading() as session:
            asked = Asked(self.file, self._publisher.current, state, session, self.now, self._books.bank)
            return answers(asked, expect)

    # What steps do

    def tap(self, moment: Moment) -> Line:
        step = moment.step
        if step.tap is UNSET:
            return {}
        line: Line = {"tap": {"reader": step.tap.reader, "uid": step.tap.uid}}
        edge = self._edges[self._edge_of[self._place_of(step.tap.reader)]]
        for number in range(step.taps):
            self._pass_time(moment.at + number * SECOND)
            line |= edge.tap(step.tap.reader, uids.number(step.tap.uid))
        return line

    def _place_of(self, reader: str) -> str:
        return str(self._publisher.current.rules.readers[reader].access_point)

    def change(self, moment: Moment) -> Line:
        self._flush()
        self._books.bank.change(self._then(moment.bundle, moment.stored))
        self._store(self._books.bundle)
        known = set(self._edges)
        with self.database.transaction() as session:
            self._install(session, moment.edges)
        self._ingest.reload()
        self._publish()
        for name in self._edges.keys() - known:
            self._edges[name].switch_on(ClockState.SYNCED)
        self.quiet()
        return {"rules_version": self._publisher.current.version}

    def lockdown(self, moment: Moment) -> Line:
        on = bool(moment.step.lockdown)
        with self.database.transaction() as session:
            set_lockdown(session, on, Decided("scenario", self.now))
        self._news = True
        self.quiet()
        return {"lockdown": on}

    def correct(self, moment: Moment) -> Line:
        step = moment.step.correct
        if step is not UNSET:
            self._flush()
            with self.database.transaction() as session:
                move = Move(moment.corrected, step.inside)
                correct(session, Decided(step.by, self.now, "scenario"), step.member, [move])
            self._news = True
            self.quiet()
            said = {"member": step.member, "inside": step.inside, "at": text(moment.corrected)}
            return {"correct": said}
        return {}

    def link(self, moment: Moment) -> Line:
        step = moment.step.link
        if step is not UNSET:
            self.quiet()
            self._edges[step.edge].link(step.up)
            return {"link": {"edge": step.edge, "up": step.up}}
        return {}

    def power(self, moment: Moment) -> Line:
        step = moment.step.power
        if step is not UNSET:
            edge = self._edges[step.edge]
            if step.up:
                edge.switch_on(ClockState.RTC if step.clock == "trusted" else ClockState.UNKNOWN)
            else:
                self.quiet()
                edge.cut()
            return {"power": {"edge": step.edge, "up": step.up, "clock": step.clock}}
        return {}

    def estop(self, moment: Moment) -> Line:
        step = moment.step.estop
        if step is not UNSET:
            self._edges[self._edge_of[step.machine]].press(step.machine)
            return {"estop": step.machine}
        return {}

    def extend(self, moment: Moment) -> Line:
        """The order goes to the machine's edge, which says until when its session may go on then."""
        step = moment.step.extend
        if step is UNSET:
            return {}
        return {"extend": step.machine} | self._edges[self._edge_of[step.machine]].extend(step.machine)


def _empty(session: Session) -> None:
    for table in reversed(SQLModel.metadata.sorted_tables):
        if table.name != "alembic_version":
            session.connection().exec_driver_sql(f"DELETE FROM {table.name}")  # noqa: S608 - a name of ours


ACTS: dict[str, Callable[[Site, Moment], Line]] = {
    "tap": Site.tap,
    "change": Site.change,
    "remove": Site.change,
    "lockdown": Site.lockdown,
    "link": Site.link,
    "power": Site.power,
    "estop": Site.estop,
    "extend": Site.extend,
    "correct": Site.correct,
}
