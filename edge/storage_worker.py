"""Who waits for disk and network? Here rows are written and sent; rules and state are kept and come into force.

It never holds up the door: whatever takes long here (an SD card that syncs, a rule set that unpacks) only lets rows
wait. `handle` is its only way in; it has no thread of its own.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.actions import Alive, BadgeLaid, SensedChanged
from edge.commands import CommandHandler
from edge.config import Config
from edge.core import Memory
from edge.events import Event, LinkChanged, PlugSaid, PrinterSaid, ReaderFault, ReaderRecovered
from edge.inbound_queue import InboundQueue
from edge.journal import Told
from edge.journal_errors import JournalDamagedError, JournalError
from edge.journal_writer import JournalWriter
from edge.machine import MachineSetup
from edge.memory import OwnRows, recall, unended
from edge.message_verifier import MessageVerifier, RefusalLog
from edge.observer import Observer
from edge.ports import Clock, Connection
from edge.rule_updates import RuleUpdates
from edge.rules import RefusedError
from edge.salvage import read_unopened
from edge.screen import Shown, write
from edge.sender import Sender
from edge.server_time import ServerTime
from edge.site_updates import SiteUpdates
from edge.status import Health
from edge.work_items import (
    LinkDown,
    LinkUp,
    MessagesWaiting,
    Received,
    RowToWrite,
    UnrecordedCount,
    WorkItem,
)
from policy.instants import instant
from policy.terms import ClockState, Instant
from wire.errors import WireError
from wire.facts import facts_of
from wire.messages import Ack, Command, Fresh, Rules, State
from wire.row import Kind

log = logging.getLogger("loquet.edge")

HOUR = 3600.0
ALIVE = "alive"
"""Name of what is kept: the last instant (ms) at which a session ran."""
SERVER_BEHIND = ("older", "twin")
"""Why rules or state of a server restored from a backup are refused. The next status says what is held here."""


class StorageWorker:
    """One edge's journal, rules and messages. tell: gives an event to the controller. boot: the id of this start.

    inbound: where messages wait. connection: the way out; None for an edge without a link.

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
        inbound: InboundQueue,
        connection: Connection | None,
    ) -> None:
        self.inbound = inbound
        self.refusals = RefusalLog()
        self.verifier = MessageVerifier(config, self.refusals)
        self.writer = JournalWriter(config.journal, boot, clock, tell, observer)
        self.rule_updates = RuleUpdates(config, clock, self.verifier, self.writer, tell)
        self.server_time = ServerTime(clock)
        self.site_updates = SiteUpdates(
            config, clock, self.verifier, self.writer, self.rule_updates, self.server_time, tell
        )
        self.commands = CommandHandler(config, clock, self.writer, self.server_time, tell, self.refusals)
        self.sender = Sender(config, clock, self.writer, health, observer, self.server_time, connection)
        self._machines = [place.machine for place in config.places if isinstance(place, MachineSetup)]
        self._clock = clock
        self._tell = tell
        self._boot = boot
        self._health = health
        self._prune_at = 0.0
        self._down = ""
        self._alive_at: Instant | None = None
        self._screen, self._screen_trouble = config.screen, ""

    def recover(self) -> Memory:
        """What the edge found on its disk, for the controller. Damage that shows only now keeps no door shut."""
        try:
            return self._recovered()
        except JournalDamagedError as error:
            self.writer.replace_at_start(str(error))
        except JournalError as error:
            self.writer.unusable_at_start(str(error))
        try:
            return self._recovered()
        except JournalError as error:
            self.writer.unusable_at_start(str(error))
            return self._recovered()

    def _recovered(self) -> Memory:
        """From the journal; from what can be seen of it where it cannot be opened. Raises JournalError."""
        journal = self.writer.journal
        if journal is not None:
            return self._memory(self.writer.kept(journal), OwnRows.of(journal), journal.heard())
        saved = read_unopened(self.writer.path)
        written = OwnRows.seen(saved)
        self.writer.start_without(written.last_seq)
        return self._memory(saved.kept, written, saved.heard)

    def _memory(self, kept: Mapping[str, bytes], written: OwnRows, heard: list[Told]) -> Memory:
        self.rule_updates.load(kept)
        self.site_updates.load(kept)
        self.commands.load(kept)
        self._note()
        alive_at = int(kept[ALIVE]) if kept.get(ALIVE, b"").isdigit() else None
        found = Memory(
            self._boot,
            written.last_seq,
            self.site_updates.starting_knowledge(),
            self.rule_updates.held,
            alive_at=alive_at,
            trouble=self.writer.found,
        )
        reached = self.site_updates.reached if self.site_updates.held else None
        memory = recall(
            self.commands.noting_commands(written.newest_first()), found, written.reached(reached) if reached else None
        )
        if alive_at is not None:
            for row in unended(written.newest_first(), self._machines, alive_at):
                memory.knowledge.add_own(row.seq, facts_of(row, instant(row.at)))
        self.site_updates.add_kept_rows(memory, heard)
        self.server_time.load(memory.last_at)
        if self.writer.found is not None:
            self.commands.doubt(memory.last_at)
        return memory

    def handle(self, items: Sequence[WorkItem]) -> None:
        """Own rows first, onto the disk and on their way; then what came, in order; then all that is due."""
        self.server_time.look()
        came = [item for item in items if not isinstance(item, RowToWrite)]
        for item in items:
            if isinstance(item, RowToWrite):
                self._recorded(item)
        if came and len(came) < len(items):
            self.writer.write()
            self.sender.send()
        for item in came:
            _HANDLERS[type(item)](self, item)
        self._retry_rules()
        self.writer.write()
        self._keep_alive()
        self._prune()
        self._note()
        self.sender.send()

    def deadline(self) -> float:
        """When to call `handle` again if nothing comes, in monotonic seconds."""
        due = (self._prune_at, self.writer.deadline, self.rule_updates.deadline, self.sender.deadline)
        return min(moment for moment in due if moment is not None)

    def close(self) -> None:
        """Write what waits and let go of the journal."""
        self.writer.write()
        self.writer.close()

    def _recorded(self, item: RowToWrite) -> None:
        self.writer.add(item)
        self._health.note(item.row)
        if item.row.kind is Kind.COMMAND:
            self.sender.reply(item.row)

    def _unrecorded(self, item: UnrecordedCount) -> None:
        self._health.unrecorded = item.count

    def _alive(self, item: Alive) -> None:
        self._alive_at = item.at

    def _badge_laid(self, item: BadgeLaid) -> None:
        self.sender.badge_laid(item)

    def _keep_alive(self) -> None:
        """The newest second alone: a slow disk writes no earlier one after it."""
        well = self._clock.monotonic() >= self.writer.retry_at
        if self._alive_at is not None and well and self.writer.keep({ALIVE: b"%d" % self._alive_at}):
            self._alive_at = None

    def _sensed(self, item: SensedChanged) -> None:
        self._health.sensed[item.machine] = item.sensed
        key = "turned" if item.sensed.service else "not turned"
        log.warning("%s: service key %s%s", item.machine, key, ", current without power" * item.sensed.unpowered)

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
        if up != self.sender.connected:
            self._tell(LinkChanged(self._clock.now(), self._clock.monotonic(), up))
        self.sender.connection_changed(up)

    def _reader_fault(self, item: ReaderFault) -> None:
        log.error("reader %s: %s", item.reader, item.why)
        self._health.readers[item.reader] = item.why

    def _reader_recovered(self, item: ReaderRecovered) -> None:
        log.warning("reader %s: answers again", item.reader)
        self._health.readers[item.reader] = None

    def _printer_said(self, item: PrinterSaid) -> None:
        if self._health.note_printer(item):
            log.info("%s: %s%s", item.name, item.state, f" ({item.why})" if item.why else "")

    def _show(self, item: Shown) -> None:
        """Said once: a screen that shows nothing new keeps nobody out."""
        if self._screen is not None:
            why = write(self._screen, item)
            if why and why != self._screen_trouble:
                log.error("screen: %s: not written; make the folder, the edge's user's own", why)
            self._screen_trouble = why

    def _plug_said(self, item: PlugSaid) -> None:
        machine, plug = item.name.rpartition(".")[0], item.plug
        before, self._health.plugs[machine] = self._health.plugs.get(machine), plug
        if before is None or (before.fault, before.wrong) != (plug.fault, plug.wrong):
            log.warning("%s: %s %s", item.name, plug.fault or "well", plug.wrong)

    def _messages_waiting(self, _: MessagesWaiting) -> None:
        messages, dropped = self.inbound.drain()
        if dropped:
            self.refusals.add(
                "overrun", "messages came faster than they could be read; the oldest were dropped", dropped
            )
        for message in messages:
            self._received(message)

    def _received(self, item: Received) -> None:
        try:
            sender_id = self.verifier.facts_sender(item.topic)
            if sender_id is not None:
                self.site_updates.facts(sender_id, item)
                return
            message = self.verifier.open(item.topic, item.payload)
            if isinstance(message, Rules | Fresh | State | Command):
                self.server_time.heard(message.issued)
            if isinstance(message, Rules):
                self.rule_updates.rules(message, item.payload)
            elif isinstance(message, Fresh):
                self.rule_updates.fresh(message, item.payload)
            elif isinstance(message, State):
                self.site_updates.state(message, item.payload)
            elif isinstance(message, Ack):
                self.sender.acknowledged(message)
            elif isinstance(message, Command):
                self.commands.handle(message)
        except WireError as error:
            self._refuse(item.topic, error)

    def _retry_rules(self) -> None:
        try:
            self.rule_updates.try_again()
        except WireError as error:
            self._refuse(self.rule_updates.topic, error)

    def _refuse(self, topic: str, error: WireError) -> None:
        self.verifier.refuse(topic, error)
        if isinstance(error, RefusedError) and error.kind in SERVER_BEHIND:
            self._health.refused = str(error)

    def _note(self) -> None:
        """What the status message says of journal, rules and state."""
        self._health.trouble, self._health.damaged = self.writer.trouble, self.writer.damaged
        rules, state = self.rule_updates.held, self.site_updates.held
        self._health.rules_version, self._health.rules_hash = (rules.version, rules.hash) if rules else (None, None)
        self._health.rules_until = rules.not_after if rules else None
        self._health.state_version, self._health.state_hash = (state.version, state.hash) if state else (None, None)

    def _prune(self) -> None:
        """Each hour, by a clock that can be believed."""
        if self._clock.monotonic() < self._prune_at:
            return
        self._prune_at = self._clock.monotonic() + HOUR
        if self._clock.state() is not ClockState.UNKNOWN:
            self.writer.prune(self._clock.now())


_HANDLERS: dict[type[WorkItem], Callable[[StorageWorker, Any], None]] = {
    UnrecordedCount: StorageWorker._unrecorded,
    Alive: StorageWorker._alive,
    BadgeLaid: StorageWorker._badge_laid,
    SensedChanged: StorageWorker._sensed,
    LinkUp: StorageWorker._link_up,
    LinkDown: StorageWorker._link_down,
    ReaderFault: StorageWorker._reader_fault,
    ReaderRecovered: StorageWorker._reader_recovered,
    PrinterSaid: StorageWorker._printer_said,
    PlugSaid: StorageWorker._plug_said,
    Shown: StorageWorker._show,
    Received: StorageWorker._received,
    MessagesWaiting: StorageWorker._messages_waiting,
}
