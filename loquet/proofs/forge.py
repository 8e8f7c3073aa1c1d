"""Are forged, altered, older or expired messages refused? Each round is one forgery; nothing may come of it.

Before the rounds each genuine message is shown to be believed: else a site that hears nothing would pass.
"""

import logging
from collections import Counter
from collections.abc import Callable, Generator
from random import Random
from typing import Any

from loquet.proofs.attacked import Attacked
from loquet.proofs.forgeries import (
    SEEN,
    TAMPERINGS,
    Letters,
    Message,
    dishonest_to_edge,
    dishonest_to_server,
    moved,
    refused_commands,
)
from loquet.proofs.proof import BrokenError, Proof, Rounds, Task

GENUINE = ("rules", "fresh", "state", "ack", "command", "facts", "events", "status")
TOLD_EVERY = 100
DISHONEST = 0.2
"""The share of forgeries under an honest signature."""


def run(task: Task) -> Rounds:
    logging.disable(logging.ERROR)  # what is refused is said once and counted; here that would be a flood
    try:
        _believes_the_genuine(task.first)
        counted = yield from _rounds(task)
    finally:
        logging.disable(logging.NOTSET)
    return f"{task.rounds} forgeries of {len(counted)} sorts: 0 accepted"


def _rounds(task: Task) -> Generator[int, None, Counter[str]]:
    counted: Counter[str] = Counter()
    attack = Attack()
    try:
        for done, number in enumerate(task.numbers, 1):
            name, wrong = attack.attempt(task.random(number))
            counted[name] += 1
            if wrong:
                raise BrokenError(number, f"{name}: {wrong}")
            if done % TOLD_EVERY == 0:
                yield done
    finally:
        attack.close()
    return counted


class Attack:
    """One site, attacked again and again. Close it."""

    def __init__(self) -> None:
        self.site = Attacked()
        letters = Letters(self.site)
        self.site.say(*letters.server(self.site.topics.command("front"), letters.command(SEEN)))
        self.site.tap("alice")
        self.site.pass_time(6.0)
        for topic, payload in self.site.sent:
            self.site.tell(topic, payload)
        self._to_edge, self._to_server = letters.to_edge(), letters.to_server()
        self._dishonest = dishonest_to_edge(letters), refused_commands(letters), dishonest_to_server(letters)

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
        before = look(self.site)
        (self.site.say if at_edge else self.site.tell)(*message)
        after = look(self.site)
        return (
            name,
            None if before == after else f"{message[0]} was believed: {message[1][:300]!r}: {_other(before, after)}",
        )

    def _dishonest_one(
        self, luck: Random, at_edge: bool
    ) -> "tuple[str, Message, Callable[[Attacked], dict[str, Any]]]":
        to_edge, commands, to_server = self._dishonest
        letters = (commands if luck.random() < 0.4 else to_edge) if at_edge else to_server
        name = luck.choice(list(letters))
        look = command_digest if letters is commands else edge_digest if at_edge else server_digest
        return name, letters[name], look


def _tampered(luck: Random, letters: dict[str, Message]) -> tuple[str, Message]:
    tampering = luck.choice((*TAMPERINGS, moved))
    if tampering is moved:
        return "moved", moved(luck, letters)
    return tampering.__name__, tampering(luck, luck.choice(list(letters.values())))  # type: ignore[operator]


def _believes_the_genuine(number: int) -> None:
    """Raises BrokenError when a genuine message changes nothing."""
    for name in GENUINE:
        site = Attacked()
        try:
            site.tap("alice")
            letters = Letters(site)
            at_edge = name in letters.to_edge()
            look = edge_digest if at_edge else server_digest
            before = look(site)
            (site.say if at_edge else site.tell)(*(letters.to_edge() | letters.to_server())[name])
            if look(site) == before:
                raise BrokenError(number, f"the genuine {name} message was not believed, so that nothing is shown")
        finally:
            site.close()


def edge_digest(site: Attacked) -> dict[str, Any]:
    """All that an edge knows, holds and drives."""
    journal = site.edge.keeper.archive.journal
    held = (journal.kept(), journal.id, journal.acknowledged, journal.last_seq) if journal else None
    return command_digest(site) | {"journal": held}


def command_digest(site: Attacked) -> dict[str, Any]:
    """The same without its journal, where a refused command leaves a row."""
    core = site.edge.front.controller.core
    state = core.state
    return {
        "rules": core.held.version if core.held else None,
        "not_after": state.not_after,
        "flags": (state.clock_trusted, state.link_up, state.lockdown),
        "inside": dict(state.presence.moves),
        "paid": {member: set(units) for member, units in state.units.items() if units},
        "strike": site.unlocked,
        "moves": len(site.pins.moves),
    }


def server_digest(site: Attacked) -> dict[str, Any]:
    """What the server knows of people and of the front door's edge; refused rows are kept, and count for nothing."""
    with site.database.reading() as session:
        ask = session.connection().exec_driver_sql
        return {
            "rows": ask("SELECT count(*) FROM journal_row WHERE kind <> 'refused'").scalar(),
            "inside": ask("SELECT * FROM presence ORDER BY member").fetchall(),
            "paid": ask("SELECT * FROM paid_unit ORDER BY member, unit").fetchall(),
            "edge": ask("SELECT * FROM edge WHERE id = 'front'").fetchall(),
        }


def _other(before: dict[str, Any], after: dict[str, Any]) -> str:
    return "; ".join(f"{key} was {before[key]!r}, is {after[key]!r}" for key in before if before[key] != after[key])[
        :400
    ]


PROOF = Proof(
    "forged, altered, older and expired messages are refused", "forgeries", ci=10_000, release=1_000_000, run=run
)
