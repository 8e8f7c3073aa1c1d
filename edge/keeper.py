"""What goes on behind the door? Rows go to the disk and on to the server; rules come in, go to the disk and into force.

The keeper never holds up the door: whatever takes long here (an SD card that syncs, a rule set that unpacks) only lets
rows wait. `take` is its only way in; it has no thread of its own.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.actions import Alive
from edge.archive import Archive
from edge.config import Config
from edge.core import Memory
from edge.dispatch import Dispatch
from edge.events import Event, LinkChanged, ReaderFault, ReaderRecovered
from edge.hearing import Hearing
from edge.inbox import Complaints, Inbox
from edge.journal import Told
from edge.journal_errors import JournalDamagedError, JournalError
from edge.letterbox import Letterbox
from edge.memory import Written, recall
from edge.observer import Observer
from edge.orders import Orders
from edge.ports import Clock
from edge.post import Item, LinkDown, LinkUp, Mail, Post, Received, Recorded, Unrecorded
from edge.remains import looked_at
from edge.rulebook import Rulebook
from edge.rules import RefusedError
from edge.server_time import ServerTime
from edge.status import Health
from policy.terms import ClockState, Instant
from wire.errors import WireError
from wire.messages import Ack, Command, Fresh, Rules, State
from wire.row import Kind

log = logging.getLogger("loquet.edge")

HOUR = 3600.0
ALIVE = "alive"
"""Name of what is kept: the last instant (ms) at which a session ran."""
OUTDONE = ("older", "twin")
"""Why rules or state are refused of a server that was restored from a backup: it is told at once what is held here."""


class Keeper:
    """One edge's journal, rules and messages. tell: takes what the controller must know. boot: the id of this start.

    letterbox: where messages wait. post: the way out; None for an edge without a link.

    A journal that cannot be opened or read keeps no edge from starting; JournalMistakeError for what is none.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        tell: Callable[[Event], None],
        observer: Observer,
        boot: str,
        health: Health,
        letterbox: Letterbox,
        post: Post | None,
    ) -> None:
        self.letterbox = letterbox
        self.complaints = Complaints()
        self.inbox = Inbox(config, self.complaints)
        self.archive = Archive(config.journal, boot, clock, tell, observer)
        self.rulebook = Rulebook(config, clock, self.inbox, self.archive, tell)
        self.server_time = ServerTime(clock)
        self.hearing = Hearing(config, clock, self.inbox, self.archive, self.rulebook, self.server_time, tell)
        self.orders = Orders(config, clock, self.archive, self.server_time, tell, self.complaints)
        self.dispatch = Dispatch(config, clock, self.archive, health, observer, self.server_time, post)
        self._clock = clock
        self._tell = tell
        self._boot = boot
        self._health = health
        self._prune_at = 0.0
        self._down = ""
        self._alive_at: Instant | None = None

    def remember(self) -> Memory:
        """What the edge found on its disk, for the controller. Damage that shows only now keeps no door shut."""
        try:
            return self._recalled()
        except JournalDamagedError as error:
            self.archive.begin_anew(str(error))
        except JournalError as error:
            self.archive.fail(str(error))
        try:
            return self._recalled()
        except JournalError as error:
            self.archive.fail(str(error))
            return self._recalled()

    def _recalled(self) -> Memory:
        """From the journal; from what can be seen of it where it cannot be opened. Raises JournalError."""
        journal = self.archive.journal
        if journal is not None:
            return self._memory(self.archive.kept(journal), Written.of(journal), journal.heard())
        saved = looked_at(self.archive.path)
        written = Written.seen(saved)
        self.archive.stand_in(written.last_seq)
        return self._memory(saved.kept, written, saved.heard)

    def _memory(self, kept: Mapping[str, bytes], written: Written, heard: list[Told]) -> Memory:
        self.rulebook.load(kept)
        self.hearing.load(kept)
        self.orders.load(kept)
        self._note()
        alive_at = int(kept[ALIVE]) if kept.get(ALIVE, b"").isdigit() else None
        found = Memory(
            self._boot,
            written.last_seq,
            self.hearing.known(),
            self.rulebook.held,
            alive_at=alive_at,
            trouble=self.archive.found,
        )
        reached = self.hearing.reached if self.hearing.held else None
        memory = recall(
            self.orders.reminded(written.newest_first()), found, written.reached(reached) if reached else None
        )
        self.hearing.remind(memory, heard)
        self.server_time.load(memory.last_at)
        if self.archive.found is not None:
            self.orders.doubt(memory.last_at)
        return memory

    def take(self, items: Sequence[Item]) -> None:
        """Own rows first, onto the disk and on their way; then what came, in order; then all that is due."""
        self.server_time.look()
        came = [item for item in items if not isinstance(item, Recorded)]
        for item in items:
            if isinstance(item, Recorded):
                self._recorded(item)
        if came and len(came) < len(items):
            self.archive.write()
            self.dispatch.send()
        for item in came:
            _HANDLERS[type(item)](self, item)
        self._retry_rules()
        self.archive.write()
        self._keep_alive()
        self._prune()
        self._note()
        self.dispatch.send()

    def deadline(self) -> float:
        """When to call `take` again if nothing comes, in monotonic seconds."""
        due = (self._prune_at, self.archive.deadline, self.rulebook.deadline, self.dispatch.deadline)
        return min(moment for moment in due if moment is not None)

    def close(self) -> None:
        """Write what waits and let go of the journal."""
        self.archive.write()
        self.archive.close()

    def _recorded(self, item: Recorded) -> None:
        self.archive.add(item)
        if item.row.kind is Kind.COMMAND:
            self.dispatch.reply(item.row)

    def _unrecorded(self, item: Unrecorded) -> None:
        self._health.unrecorded = item.count

    def _alive(self, item: Alive) -> None:
        self._alive_at = item.at

    def _keep_alive(self) -> None:
        """The newest second alone: a slow disk writes no earlier one after it."""
        well = self._clock.monotonic() >= self.archive.retry_at
        if self._alive_at is not None and well and self.archive.keep({ALIVE: b"%d" % self._alive_at}):
            self._alive_at = None

    def _link_up(self, _: LinkUp) -> None:
        log.info("link: connected to the broker")
        self._down = ""
        self._link(up=True)

    def _link_down(self, item: LinkDown) -> None:
        if item.why != self._down:
            log.warning("link: %s", item.why)
        self._down = item.why
        self._link(up=False)

    def _link(self, up: bool) -> None:
        if up != self.dispatch.connected:
            self._tell(LinkChanged(self._clock.now(), self._clock.monotonic(), up))
        self.dispatch.link(up)

    def _reader_fault(self, item: ReaderFault) -> None:
        log.error("reader %s: %s", item.reader, item.why)
        self._health.readers[item.reader] = item.why

    def _reader_recovered(self, item: ReaderRecovered) -> None:
        log.warning("reader %s: answers again", item.reader)
        self._health.readers[item.reader] = None

    def _mail(self, _: Mail) -> None:
        letters, dropped = self.letterbox.taken()
        if dropped:
            self.complaints.add(
                "overrun", "messages came faster than they could be read; the oldest were dropped", dropped
            )
        for letter in letters:
            self._received(letter)

    def _received(self, item: Received) -> None:
        try:
            teller = self.inbox.teller(item.topic)
            if teller is not None:
                self.hearing.facts(teller, item)
                return
            message = self.inbox.open(item.topic, item.payload)
            if isinstance(message, Rules | Fresh | State | Command):
                self.server_time.heard(message.issued)
            if isinstance(message, Rules):
                self.rulebook.rules(message, item.payload)
            elif isinstance(message, Fresh):
                self.rulebook.fresh(message, item.payload)
            elif isinstance(message, State):
                self.hearing.state(message, item.payload)
            elif isinstance(message, Ack):
                self.dispatch.acknowledged(message)
            elif isinstance(message, Command):
                self.orders.take(message)
        except WireError as error:
            self._refuse(item.topic, error)

    def _retry_rules(self) -> None:
        try:
            self.rulebook.try_again()
        except WireError as error:
            self._refuse(self.rulebook.topic, error)

    def _refuse(self, topic: str, error: WireError) -> None:
        self.inbox.refuse(topic, error)
        if isinstance(error, RefusedError) and error.kind in OUTDONE:
            self._health.refused = str(error)

    def _note(self) -> None:
        """What the status message says of journal, rules and state."""
        self._health.trouble, self._health.damaged = self.archive.trouble, self.archive.damaged
        rules, state = self.rulebook.held, self.hearing.held
        self._health.rules_version, self._health.rules_hash = (rules.version, rules.hash) if rules else (None, None)
        self._health.state_version, self._health.state_hash = (state.version, state.hash) if state else (None, None)

    def _prune(self) -> None:
        """Each hour, by a clock that can be believed."""
        if self._clock.monotonic() < self._prune_at:
            return
        self._prune_at = self._clock.monotonic() + HOUR
        if self._clock.state() is not ClockState.UNKNOWN:
            self.archive.prune(self._clock.now())


_HANDLERS: dict[type[Item], Callable[[Keeper, Any], None]] = {
    Unrecorded: Keeper._unrecorded,
    Alive: Keeper._alive,
    LinkUp: Keeper._link_up,
    LinkDown: Keeper._link_down,
    ReaderFault: Keeper._reader_fault,
    ReaderRecovered: Keeper._reader_recovered,
    Received: Keeper._received,
    Mail: Keeper._mail,
}
