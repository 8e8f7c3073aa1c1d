"""Are forged, altered, older or expired messages refused? Each round is one forgery; nothing may come of it.

A site that hears nothing would pass: so each one that was attacked must at its end still believe what is genuine.
"""

import logging
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from random import Random
from typing import Any, TypeAlias

from proofs.attacked import Attacked
from proofs.forgeries import (
    PENDING,
    SEEN,
    TAMPERINGS,
    Letters,
    Message,
    dishonest_to_edge,
    dishonest_to_server,
    moved,
    refused_commands,
)
from proofs.proof import BrokenError, Proof, Rounds, Task
from server.database.types import moment
from server.models import GivenOrder
from wire.row import Order

Digest: TypeAlias = dict[str, Any]
TOLD_EVERY = 100
SITE = 1000
"""Rounds before a site must believe what is genuine, and a fresh one takes its place."""
DISHONEST = 0.2
"""The share of forgeries under an honest signature."""


def run(task: Task) -> Rounds:
    counted: Counter[str] = Counter()
    logging.disable(logging.ERROR)  # what is refused is said once and counted; here that would be a flood
    try:
        for since in task.numbers[::SITE]:
            with closing(Attack()) as attack:
                yield from _rounds(task, range(since, min(since + SITE, task.numbers.stop)), attack, counted)
    finally:
        logging.disable(logging.NOTSET)
    return f"{task.rounds} forgeries of {len(counted)} sorts: 0 accepted"


def _rounds(task: Task, numbers: range, attack: "Attack", counted: Counter[str]) -> Generator[int, None, None]:
    """Those of one site."""
    for number in numbers:
        name, wrong = attack.attempt(task.random(number))
        counted[name] += 1
        if wrong:
            raise BrokenError(number, f"{name}: {wrong}", since=numbers[0])
        if counted.total() % TOLD_EVERY == 0:
            yield counted.total()
    deaf_to = attack.deaf_to()
    if deaf_to:
        why = f"the genuine {deaf_to} message was not believed, so that nothing is shown"
        raise BrokenError(numbers[-1], why, since=numbers[0])


class Attack:
    """One site, attacked again and again. Close it."""

    def __init__(self) -> None:
        self.site = Attacked()
        self._letters = letters = Letters(self.site)
        self.site.say(*letters.server(self.site.topics.command("front"), letters.command(SEEN)))
        self.site.tap("alice")
        self.site.pass_time(6.0)
        self.site.exchange()
        with self.site.database.transaction() as session:
            at = moment(self.site.clock.now())
            session.add(GivenOrder(nonce=PENDING, at=at, order=Order.OPEN, place="front", edge="front", by="forge"))
        self._to_edge, self._to_server = letters.to_edge(), letters.to_server()
        self._dishonest_to_edge = dishonest_to_edge(letters)

    def close(self) -> None:
        self.site.close()

    def attempt(self, luck: Random) -> tuple[str, str | None]:
        """One forgery: its name, and what came of it, None for nothing."""
        at_edge = luck.random() < 0.7
        if luck.random() < DISHONEST:
            name, message, look = self._dishonest_one(luck, at_edge)
        else:
            name, message = _tampered(luck, self._to_edge if at_edge else self._to_server)
            look = edge_digest if at_edge else server_digest
        changed = self._changed_by(message, at_edge, look)
        self.site.exchange()  # a command from the future tells a time: until the edge knows better, all others are late
        return name, changed and f"{message[0]} was believed: {message[1][:300]!r}: {changed}"

    def deaf_to(self) -> str | None:
        """The first genuine message that is not believed, None when all are. The site is spent then."""
        for letters, at_edge in ((self._to_edge, True), (self._to_server, False)):
            for name, message in letters.items():
                # a refused command leaves a row: its journal alone does not show that an edge believed
                look = server_digest if not at_edge else edge_digest if name == "ack" else command_digest
                if not self._changed_by(message, at_edge, look):
                    return name
        return None

    def _changed_by(self, message: Message, at_edge: bool, look: Callable[[Attacked], Digest]) -> str | None:
        before = look(self.site)
        (self.site.say if at_edge else self.site.tell)(*message)
        after = look(self.site)
        return None if before == after else _other(before, after)

    def _dishonest_one(self, luck: Random, at_edge: bool) -> tuple[str, Message, Callable[[Attacked], Digest]]:
        letters, look, mark = self._dishonest_to_edge, edge_digest, f"{luck.getrandbits(64):x}"
        if not at_edge:
            letters, look = dishonest_to_server(self._letters, mark), server_digest
        elif luck.random() < 0.4:
            letters, look = refused_commands(self._letters, mark), command_digest
        name = luck.choice(list(letters))
        return name, letters[name], look


def _tampered(luck: Random, letters: dict[str, Message]) -> tuple[str, Message]:
    tampering = luck.choice((*TAMPERINGS, moved))
    if tampering is moved:
        return "moved", moved(luck, letters)
    return tampering.__name__, tampering(luck, luck.choice(list(letters.values())))  # type: ignore[operator]


def edge_digest(site: Attacked) -> Digest:
    """All that an edge knows, holds and drives."""
    journal = site.edge.storage.writer.journal
    held = (journal.kept(), journal.id, journal.acknowledged, journal.last_seq) if journal else None
    return command_digest(site) | {"journal": held}


def command_digest(site: Attacked) -> Digest:
    """The same without its journal, where a refused command leaves a row."""
    core = site.edge.control.controller.core
    state = core.state
    return {
        "rules": core.held.version if core.held else None,
        "not_after": state.not_after,
        "flags": (state.clock_trusted, state.link_up, state.lockdown),
        "inside": dict(state.presence.moves),
        "paid": {member: set(units) for member, units in state.units.items() if units},
        "strike": site.unlocked,
        "moves": len(site.pins.moves),
        "done": site.done,
    }


def server_digest(site: Attacked) -> Digest:
    """What the server knows of people and of the front door's edge; refused rows are kept, and count for nothing."""
    with site.database.reading() as session:
        ask = session.connection().exec_driver_sql
        return {
            "rows": ask("SELECT count(*) FROM journal_row WHERE kind <> 'refused'").scalar(),
            "inside": ask("SELECT * FROM presence ORDER BY member").fetchall(),
            "paid": ask("SELECT * FROM paid_unit ORDER BY member, unit").fetchall(),
            "edge": ask("SELECT * FROM edge WHERE id = 'front'").fetchall(),
            "orders": ask("SELECT nonce, answered, done, why FROM given_order").fetchall(),
        }


def _other(before: Digest, after: Digest) -> str:
    return "; ".join(f"{key} was {before[key]!r}, is {after[key]!r}" for key in before if before[key] != after[key])[
        :400
    ]


PROOF = Proof(
    "forged, altered, older and expired messages are refused", "forgeries", ci=10_000, release=1_000_000, run=run
)
