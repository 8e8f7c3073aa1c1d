"""What does this edge send? Rows and its status to the server, and facts to the other edges."""

import logging

from edge.actions import BadgeLaid
from edge.config import Config
from edge.journal import Journal
from edge.journal_writer import JournalWriter
from edge.knowledge import MOST_HEARD
from edge.observer import Observer
from edge.outbox import Answer, Outbox, facts, judge, message
from edge.ports import Clock, Connection
from edge.server_time import ServerTime
from edge.status import EVERY, Health
from wire.enrolment import seal as sealed
from wire.envelope import seal
from wire.messages import MAX_ROWS, Ack, Reply, encode
from wire.row import Order, Row
from wire.topics import Topics

log = logging.getLogger("loquet.edge")

UNHEARD = (
    "rows are sent, and for %.0f s nobody acknowledged any: connects anew, as the broker may have forgotten what this "
    "edge is to hear; see that the server runs and knows this edge"
)


class Sender:
    """The way out of one edge. connection: None for an edge without a link."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        writer: JournalWriter,
        health: Health,
        observer: Observer,
        time: ServerTime,
        connection: Connection | None,
    ) -> None:
        self._connection = connection
        self._edge = config.edge
        self._key = config.keys.own
        self._topics = Topics(config.site)
        self._clock = clock
        self._writer = writer
        self._health = health
        self._observer = observer
        self._time = time
        self._outbox = Outbox()
        self._sending = ""
        self._facts_sent = 0
        self._lost: int | None = None
        self._noted: tuple[object, ...] = ()
        self._status_at = 0.0

    @property
    def connected(self) -> bool:
        return self._outbox.connected

    @property
    def deadline(self) -> float | None:
        """When to call `send` again if nothing happens, in monotonic seconds."""
        due = (self._facts_due(), self._rows_due(), self._status_due())
        return min((moment for moment in due if moment is not None), default=None)

    def connection_changed(self, up: bool) -> None:
        """The connection came up or broke: begin again with the first unacknowledged row."""
        self._outbox.reset(up)
        self._facts_sent = 0
        self._noted = ()

    def acknowledged(self, ack: Ack) -> None:
        """The server answered."""
        journal = self._writer.journal
        self._outbox.heard()
        if journal is None:
            return
        before = journal.outgoing
        if self._writer.attempt(lambda journal: journal.settle(ack.journal, ack.seq)):
            if journal.outgoing != before:  # else nothing came of it: what is under way waits for its answer
                self._outbox.reset(self._outbox.connected)
            return
        answer = judge(ack, journal.id, journal.acknowledged, journal.last_seq)
        if answer is Answer.ABOVE:
            self._writer.outran(ack.seq)
        elif answer is Answer.BELOW:
            self._send_again(journal, ack.seq)
        elif answer is Answer.NEW:
            journal.acknowledge(ack.seq)
            self._outbox.answered(ack.seq)
            self._observer.acknowledged(ack.seq + self._writer.shift, self._clock.monotonic() - self._outbox.sent_at)

    def reply(self, row: Row) -> None:
        """Answer a command: carried out or not, and why. Then reconnect, if that was the order."""
        done = row.granted is True
        reply = Reply(row.nonce or "", done, "" if done else row.detail or "")
        self._publish(self._topics.reply(self._edge), encode(reply))
        if done and row.order is Order.REREAD and self._connection is not None:
            self._connection.reconnect("connects anew, as the server ordered")

    def badge_laid(self, item: BadgeLaid) -> None:
        """Answer an order to enrol once more. Raises WireError for a key that is none: nothing is said then."""
        number = None if item.uid is None else sealed(item.key, item.nonce, item.uid)
        self._publish(
            self._topics.reply(self._edge),
            encode(Reply(item.nonce, done=True, laid=item.laid, sealed=number, member=item.member)),
        )

    def send(self) -> None:
        """Send and say what is due."""
        self._notice_new_journal()
        now = self._clock.monotonic()
        facts_due, rows_due, status_due = self._facts_due(), self._rows_due(), self._status_due()
        if facts_due is not None and now >= facts_due:
            self._send_facts()
        if rows_due is not None and now >= rows_due:
            self._send_rows(now)
        if status_due is not None and now >= status_due:
            self._send_status(now)

    def _notice_new_journal(self) -> None:
        """Nothing of another journal is under way in a new one."""
        journal = self._writer.journal
        if journal is not None and journal.outgoing.journal != self._sending:
            self._sending, self._facts_sent = journal.outgoing.journal, 0
            self._outbox.reset(self._outbox.connected)

    def _send_again(self, journal: Journal, seq: int) -> None:
        """The server lost rows that it had; it gets them again."""
        found = self._writer.attempt(lambda journal: journal.rewind(seq))
        if found:
            log.warning("journal: the server has rows up to %d only (restored from a backup?); sent again", seq)
            self._outbox.reset(self._outbox.connected)
        elif found is not None and self._lost != seq:
            self._lost = seq
            log.error(
                "journal: the server asks for row %d, which is deleted here: move %s away and start again; rows in it"
                " are not sent any more",
                seq + 1,
                journal.path,
            )

    def _facts_due(self) -> float | None:
        """At once when rows are on the disk whose facts the other edges may not have."""
        journal = self._writer.journal
        if journal is None or not self._outbox.connected or self._facts_known(journal) >= journal.last_seq:
            return None
        return self._writer.retry_at

    def _facts_known(self, journal: Journal) -> int:
        """The row up to which the other edges have all facts: the server sends them what it has."""
        return max(self._facts_sent, journal.acknowledged, journal.last_seq - MOST_HEARD)

    def _send_facts(self) -> None:
        rows = self._writer.attempt(lambda journal: journal.rows(self._facts_known(journal) + 1, MAX_ROWS))
        if rows and self._writer.journal is not None:
            self._facts_sent = rows[-1].seq
            told = facts(self._writer.journal.id, rows)
            if told is not None:
                self._publish(self._topics.facts(self._edge), encode(told))

    def _rows_due(self) -> float | None:
        journal = self._writer.journal
        due = self._outbox.deadline(*journal.outgoing[1:]) if journal else None
        return None if due is None else max(due, self._writer.retry_at)

    def _send_rows(self, now: float) -> None:
        """Rows, and again their facts where no answer came: an edge that was away then hears them now."""
        unheard = self._outbox.given_up(now)
        if unheard is not None and self._connection is not None:
            self._connection.reconnect(f"{UNHEARD % unheard}; the next try in {self._outbox.patience / 60:.0f} min")
            return
        rows = self._writer.attempt(lambda journal: journal.to_send(MAX_ROWS))
        if rows and self._writer.journal is not None:
            if self._outbox.under_way:
                self._facts_sent = 0
            events, last = message(self._writer.journal.outgoing.journal, rows)
            self._publish(self._topics.events(self._edge), encode(events))
            self._outbox.sent(last, now)

    def _status_due(self) -> float | None:
        """At once when something changed that is worth it."""
        if not self._outbox.connected:
            return None
        return 0.0 if self._noteworthy() != self._noted else self._status_at

    def _noteworthy(self) -> tuple[object, ...]:
        """What is worth a status when it changes."""
        return (*self._health.key(self._clock.state()), self._time.in_doubt)

    def _send_status(self, now: float) -> None:
        journal = self._writer.journal
        waiting = journal.unacknowledged if journal else 0
        self._noted, self._status_at = self._noteworthy(), now + EVERY
        status = self._health.status(self._clock.now(), self._clock.state(), waiting, self._time.question())
        self._publish(self._topics.status(self._edge), encode(status), retain=True)

    def _publish(self, topic: str, body: bytes, retain: bool = False) -> None:
        if self._connection is not None:
            self._connection.publish(topic, seal(self._key, self._edge, topic, body), retain)
