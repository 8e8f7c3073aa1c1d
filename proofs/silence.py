"""Can one edge's key silence a site? Each round is a stolen key, used as badly as it can be, until revoked and after.

Meanwhile the other door must hear of a lockdown, of a blocked badge and of a command, and be heard, all in time. The
state that the server tells must be small enough, of known people, and without the thief's words once it is revoked.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from random import Random

from sqlmodel import Session, func, select

from policy.facts import Fact, Moved, Ran, Stopped
from policy.terms import HOUR, SECOND, Instant
from proofs.misuses import MEMBERS, MISUSES, SELDOM, SELDOM_EVERY, Said, Thief
from proofs.proof import BrokenError, Proof, Rounds, Task
from proofs.silenced import THIEVES, TICK, Silenced, Template
from server.ingest.budget import Good
from server.ingest.queue import EACH
from server.models import JournalRow, Position
from server.publish import state
from server.queries import history
from server.queries.now import edge_lines, picture
from wire.envelope import MAX_BYTES
from wire.messages import MAX_ROWS
from wire.row import MAX_BYTES as MAX_ROW
from wire.row import Order

BROKERS = (MAX_BYTES, 12_000)
"""Bytes that the broker passes on: the second is soon reached."""
IN_TIME: Instant = SECOND
"""From a lockdown, a command or a blocked badge until the other door has it, and from its own row until it is told."""
AT_ONCE = 8
"""Messages of the thief in one tick: some 160 in a second."""
MISUSED = 3
"""Misuses in a round before the revocation."""
KINDS = frozenset({"laser"})


def run(task: Task) -> Rounds:
    counted: Counter[str] = Counter()
    logging.disable(logging.CRITICAL)
    try:
        with closing(Template()) as template:
            for done, number in enumerate(task.numbers, 1):
                try:
                    _round(template, number, task.random(number), counted)
                except BrokenError:
                    raise
                except Exception as error:
                    raise BrokenError(number, f"something broke down: {type(error).__name__}: {error}") from error
                yield done
    finally:
        logging.disable(logging.NOTSET)
    return (
        f"{task.rounds} stolen keys, {counted['said']} messages in {counted['misuses']} misuses:"
        f" {counted['in time']} lockdowns, commands, blocked badges and rows of the other door, all within"
        f" {IN_TIME // SECOND} s; the slowest took {counted['slowest']} ms; 0 states too large, 0 with inventions"
    )


def _round(template: Template, number: int, luck: Random, counted: Counter[str]) -> None:
    largest, edge = luck.choice(BROKERS), luck.choice(list(THIEVES))
    with closing(Silenced(template.copied(), largest)) as site:
        watch = _Watch(site, number, counted)
        watch.settle()
        thief = Thief(edge, luck, site.clock.now)
        _honest(site, thief)
        watch.settle()
        before, stolen = set(site.told), site.clock.now()
        misuses = luck.sample(MISUSES, MISUSED)
        if number % SELDOM_EVERY == 0:
            misuses.append(SELDOM)
        for misuse in misuses:
            watch.during(misuse.__name__, thief, misuse(thief))
        watch.look(thief)
        site.revoke(edge, stolen)
        watch.settle()
        watch.left(before)
        misuse = luck.choice(MISUSES)
        watch.during(f"revoked: {misuse.__name__}", thief, misuse(thief))
        watch.left(before)


def _honest(site: Silenced, thief: Thief) -> None:
    """What the edge said before it was stolen."""
    rows = [thief.session(started=thief.instant())]
    if thief.at_door:
        rows = [thief.passage("zoe", pays=thief.instant())]
    for said in thief.rows(rows, "honest"):
        site.say(thief.edge, *said)


class _Watch:
    """What is asked of one site, and how long it takes."""

    def __init__(self, site: Silenced, number: int, counted: Counter[str]) -> None:
        self._site = site
        self._number = number
        self._counted = counted
        self._misuse = ""

    def settle(self) -> None:
        """Let a second pass."""
        for _ in range(SECOND // TICK):
            self._site.tick()

    def during(self, name: str, thief: Thief, said: Iterator[Said]) -> None:
        """The thief speaks on while the others want something."""
        self._misuse = name
        self._counted["misuses"] += 1
        for demand in (self._lock_down, self._own_rows, self._command, self._block, self._lift):
            demand(thief, said)
        while self._speak(thief, said):
            self._site.tick()
        self.settle()
        if self._site.cut_off:
            self._break(f"the server is cut off: {self._site.cut_off}")

    def look(self, thief: Thief) -> None:
        """What the thief left: nothing that nobody knows, no more than one edge may, nothing that stops a page."""
        told = self._site.told
        strange = [fact for fact in told if not _is_known(fact)]
        if strange:
            self._break(f"the state tells of {strange[0]}")
        with self._site.database.reading() as session:
            shares = _shares(session, thief.edge, self._site.clock.now())
            _pages(self._site, session)
        for what, (seen, most) in shares.items():
            if seen > most:
                self._break(f"the thief left {seen} {what}, {most} at most")

    def left(self, before: set[Fact]) -> None:
        """After the revocation: what was told before is there, but for a running session; what came since is not."""
        stays = {fact for fact in before if not isinstance(fact, Ran)}
        told = {fact for fact in self._site.told if not (isinstance(fact, Moved) and fact.member == "alice")}
        if told != stays:
            self._break(f"revoked; of before {stays - told or 0} is gone, {told - stays or 0} is new")
        moves = {Moved(who, move.at, move.inside) for who, move in self._site.state.presence.moves.items()}
        if moves - {fact for fact in self._site.told if isinstance(fact, Moved)}:
            self._break(f"revoked, and the other door believes {moves - told}")

    def _lock_down(self, thief: Thief, said: Iterator[Said]) -> None:
        self._site.exchange.lock_down(True, "silence")
        self._await("a lockdown", thief, said, lambda: self._site.state.lockdown)

    def _lift(self, thief: Thief, said: Iterator[Said]) -> None:
        self._site.exchange.lock_down(False, "silence")
        self._await("its end", thief, said, lambda: not self._site.state.lockdown)

    def _own_rows(self, thief: Thief, said: Iterator[Said]) -> None:
        journal = self._site.journal
        before = journal.last_seq
        self._site.tap("alice")
        self._await(
            "a row of the other door",
            thief,
            said,
            lambda: journal.last_seq > before and journal.acknowledged == journal.last_seq,
        )

    def _command(self, thief: Thief, said: Iterator[Said]) -> None:
        given = self._site.exchange.orders.give(Order.OPEN, "front", "silence")
        self._await("a command", thief, said, lambda: given.reply is not None and given.reply.done)

    def _block(self, thief: Thief, said: Iterator[Said]) -> None:
        self._site.block("remy")
        version = self._site.exchange.publisher.current.version
        core = self._site.edge.control.controller.core
        self._await("a blocked badge", thief, said, lambda: core.held is not None and core.held.version == version)

    def _await(self, what: str, thief: Thief, said: Iterator[Said], there: Callable[[], bool]) -> None:
        begun = self._site.clock.now()
        while not there():
            took = self._site.clock.now() - begun
            if took > IN_TIME:
                self._break(f"{what} is not there after {took} ms")
            self._speak(thief, said)
            self._site.tick()
        self._counted["in time"] += 1
        self._counted["slowest"] = max(self._counted["slowest"], self._site.clock.now() - begun)

    def _speak(self, thief: Thief, said: Iterator[Said]) -> bool:
        """What the thief says in one tick, as much as the server lets wait; False when there is no more."""
        for _ in range(AT_ONCE):
            if self._site.waits > EACH // 2:
                break
            message = next(said, None)
            if message is None:
                return False
            self._counted["said"] += 1
            self._site.say(thief.edge, *message)
        return True

    def _break(self, why: str) -> None:
        raise BrokenError(self._number, f"{self._misuse}: {why}")


def _is_known(fact: Fact) -> bool:
    if isinstance(fact, Stopped):
        return True
    if isinstance(fact, Ran):
        return fact.session.member in MEMBERS and fact.session.kind in KINDS
    return fact.member in MEMBERS


def _shares(session: Session, edge: str, now: Instant) -> dict[str, tuple[int, int]]:
    """Of what a thief leaves in the database: how much there is, and how much there may be."""
    _, tellers = state.told(session, now)
    journals = session.exec(select(func.count()).select_from(Position).where(Position.edge == edge)).one()
    longest = session.exec(
        select(func.max(func.length(JournalRow.detail) + func.length(func.coalesce(JournalRow.raw, "")))).where(
            JournalRow.edge == edge
        )
    ).one()
    return {
        "journals": (journals, Good.JOURNALS.value.most + 1),
        "characters of a row": (longest or 0, 2 * MAX_ROW),
        "things in the state": (tellers.count(edge), Good.FACTS.value.most + MAX_ROWS),
    }


def _pages(site: Silenced, session: Session) -> None:
    """What the pages ask: no row stops them. Raises whatever they would."""
    now, current = site.clock.now(), site.exchange.publisher.current
    day = current.rules.day_start(now)
    picture(session, current, now)
    edge_lines(session, current.version, site.exchange.troubles, now)
    newest = history.last_passages(session, 50, now)
    history.arrivals(session, day, now)
    history.hours(session, day, now + HOUR)
    history.refusals(session, day, now, 50)
    if any(passage.at > now for passage in newest):
        raise ValueError("a passage is of the future")


PROOF = Proof("one edge's key silences nobody else", "stolen keys", ci=16, release=1000, run=run)
