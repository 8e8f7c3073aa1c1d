"""What does this edge tell the server? Its rows, until they are acknowledged, and how it is."""

from edge.archive import Archive
from edge.config import Config
from edge.observer import Observer
from edge.outbox import Answer, Outbox, judge, message
from edge.ports import Clock
from edge.post import Post
from edge.status import EVERY, Health, offline
from wire.envelope import seal
from wire.messages import MAX_ROWS, Ack, encode
from wire.topics import Topics


class Dispatch:
    """The way out of one edge. post: None until the link is there."""

    def __init__(self, config: Config, clock: Clock, archive: Archive, health: Health, observer: Observer) -> None:
        self.post: Post | None = None
        self._edge = config.edge
        self._key = config.keys.own
        self._topics = Topics(config.site)
        self._clock = clock
        self._archive = archive
        self._health = health
        self._observer = observer
        self._outbox = Outbox()
        self._journal_id = ""
        self._said: tuple[object, ...] = ()
        self._say_at = 0.0

    @property
    def connected(self) -> bool:
        return self._outbox.connected

    @property
    def deadline(self) -> float | None:
        """When to call `send` again if nothing happens, in monotonic seconds."""
        return min((moment for moment in (self._rows_due(), self._status_due()) if moment is not None), default=None)

    def link(self, up: bool) -> None:
        """The connection came up or broke: begin again with the first unacknowledged row."""
        self._outbox.reset(up)
        self._said = ()

    def acknowledged(self, ack: Ack) -> None:
        """The server answered."""
        journal = self._archive.journal
        if journal is None:
            return
        answer = judge(ack, journal.id, journal.acknowledged, journal.last_seq)
        if answer is Answer.ABOVE:
            self._archive.outran(ack.seq)
        elif answer is Answer.NEW:
            journal.acknowledge(ack.seq)
            self._outbox.answered(ack.seq)
            self._observer.acknowledged(ack.seq + self._archive.shift, self._clock.monotonic() - self._outbox.sent_at)

    def send(self) -> None:
        """Send and say what is due."""
        self._begin_anew()
        now = self._clock.monotonic()
        rows_due, status_due = self._rows_due(), self._status_due()
        if rows_due is not None and now >= rows_due:
            self._send_rows(now)
        if status_due is not None and now >= status_due:
            self._say(now)

    def farewell(self) -> tuple[str, bytes]:
        """The status of an edge that is gone, signed: its topic and its bytes."""
        topic = self._topics.status(self._edge)
        return topic, seal(self._key, self._edge, topic, encode(offline(self._clock.now())))

    def _begin_anew(self) -> None:
        """Nothing of another journal is under way in a new one."""
        journal = self._archive.journal
        if journal is not None and journal.id != self._journal_id:
            self._journal_id = journal.id
            self._outbox.reset(self._outbox.connected)

    def _rows_due(self) -> float | None:
        journal = self._archive.journal
        due = self._outbox.deadline(journal.acknowledged, journal.last_seq) if journal else None
        return None if due is None else max(due, self._archive.retry_at)

    def _send_rows(self, now: float) -> None:
        rows = self._archive.attempt(lambda journal: journal.after(journal.acknowledged, MAX_ROWS))
        if rows and self._archive.journal is not None:
            events, last = message(self._archive.journal.id, rows)
            self._publish(self._topics.events(self._edge), encode(events))
            self._outbox.sent(last, now)

    def _status_due(self) -> float | None:
        """At once when something changed that is worth it."""
        if not self._outbox.connected:
            return None
        return 0.0 if self._health.key(self._clock.state()) != self._said else self._say_at

    def _say(self, now: float) -> None:
        journal = self._archive.journal
        waiting = journal.last_seq - journal.acknowledged if journal else 0
        clock = self._clock.state()
        self._publish(
            self._topics.status(self._edge),
            encode(self._health.status(self._clock.now(), clock, waiting)),
            retain=True,
        )
        self._said, self._say_at = self._health.key(clock), now + EVERY

    def _publish(self, topic: str, body: bytes, retain: bool = False) -> None:
        if self.post is not None:
            self.post.publish(topic, seal(self._key, self._edge, topic, body), retain)
