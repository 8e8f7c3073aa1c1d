"""What is so on the server at a step of a story, and what of it was expected otherwise?"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from msgspec import UNSET
from sqlmodel import Session, col, func, select

from loquet.ask.scenario import Expect, Moment
from policy import passes, quota
from policy.bank import Bank
from policy.instants import text
from policy.rota import rota_of, slot_on
from policy.ruleset import RuleSet
from policy.sessions import Session as MachineUse
from policy.state import SiteState, is_held, is_staffed
from policy.terms import Instant
from server.models import JournalRow
from server.queries.current import Current
from server.queries.public_holidays import holidays_of
from wire.row import Kind

Line: TypeAlias = dict[str, Any]
NO_SLOT = "none"
"""What stands for the gardien of a slot that there is not: none on that date, or cancelled."""


class ReplayError(ValueError):
    """A question that the site cannot answer, as for somebody who is not a member."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that did not hold."""

    file: str
    step: int
    key: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        expected, got = (json.dumps(value, ensure_ascii=False) for value in (self.expected, self.got))
        return f"{self.file} step {self.step}: expected {self.key} {expected} got {got}"


class Asked(NamedTuple):
    """The server at the instant of a question."""

    file: str
    current: Current
    state: SiteState
    session: Session
    now: Instant
    bank: Bank

    @property
    def rules(self) -> RuleSet:
        return self.current.rules

    def member(self, who: str) -> str:
        """The id itself. Raises ReplayError when nobody has it."""
        if who not in self.rules.members:
            raise ReplayError(f"{self.file}: {who!r} is expected to have something, but is no member")
        return who

    def day(self, written: str) -> date:
        """The date that a slot's name ends with. Raises ReplayError."""
        try:
            return date.fromisoformat(written)
        except ValueError:
            why = f"{written!r} is no date: name a slot as rota/2026-11-24"
            raise ReplayError(f"{self.file}: expect.slots: {why}") from None


def questions(expect: Expect) -> list[str]:
    """What of the expected only the server can say."""
    return [name for name in ANSWERS if getattr(expect, name) is not UNSET]


def answers(asked: Asked, expect: Expect) -> Line:
    """What is so on the server, for each thing that is expected of it. Raises ReplayError."""
    return {name: ANSWERS[name](asked, getattr(expect, name)) for name in questions(expect)}


def _inside(asked: Asked, _: Any) -> list[str]:
    return sorted(asked.state.presence.inside(asked.rules.day_start(asked.now)))


def _held(asked: Asked, _: Any) -> bool:
    return is_held(asked.rules, asked.state, asked.now)


def _staffed(asked: Asked, _: Any) -> bool:
    return is_staffed(asked.rules, asked.now)


def _pass_left(asked: Asked, wanted: dict[str, int]) -> dict[str, int]:
    return {asked.member(who): passes.left(asked.rules, asked.state, who, asked.now) for who in wanted}


def _running(asked: Asked, wanted: dict[str, str | None]) -> dict[str, str | None]:
    found: dict[str, MachineUse | None] = {name: asked.state.sessions.running(name, asked.now) for name in wanted}
    return {name: session.member if session else None for name, session in found.items()}


def _quota_left(asked: Asked, wanted: dict[str, int]) -> dict[str, int | None]:
    pairs = {name: name.partition(":")[::2] for name in wanted}
    return {
        name: quota.left(asked.rules, asked.state, asked.member(who), kind, asked.now)
        for name, (who, kind) in pairs.items()
    }


def _slots(asked: Asked, wanted: dict[str, str | None]) -> dict[str, str | None]:
    """Of each slot its gardien; NO_SLOT where the rota makes none on that date. Raises ReplayError."""
    bundle = asked.current.bundle
    rota = rota_of(bundle, asked.current.zone, holidays_of(bundle.site.holidays, kept=True))
    patterns = {pattern.id: pattern for pattern in bundle.rota}
    found: dict[str, str | None] = {}
    for name in wanted:
        pattern, _, written = name.rpartition("/")
        day = asked.day(written)
        slot = slot_on(rota, patterns[pattern], day) if pattern in patterns else None
        found[name] = NO_SLOT if slot is None else slot.gardien
    return found


def _bank(asked: Asked, wanted: dict[str, int]) -> dict[str, int]:
    return {asked.member(who): asked.bank.minutes.get(who, 0) for who in wanted}


def _minted(asked: Asked, wanted: dict[str, int]) -> dict[str, int]:
    return {asked.member(who): len(asked.bank.minted.get(who, ())) for who in wanted}


def _history(asked: Asked, _: Any) -> dict[str, int]:
    taps = select(func.count()).select_from(JournalRow).where(col(JournalRow.kind) == Kind.TAP)
    granted = taps.where(col(JournalRow.granted).is_(True))
    return {"taps": asked.session.exec(taps).one(), "granted": asked.session.exec(granted).one()}


ANSWERS: dict[str, Callable[[Asked, Any], Any]] = {
    "inside": _inside,
    "held": _held,
    "staffed": _staffed,
    "pass_left": _pass_left,
    "running": _running,
    "quota_left": _quota_left,
    "history": _history,
    "slots": _slots,
    "bank": _bank,
    "minted": _minted,
}


def differences(moment: Moment, seen: Line) -> Iterator[tuple[str, Any]]:
    """(key, what was expected) of each expectation that does not hold."""
    expect = moment.step.expect
    if expect is UNSET:
        return
    for key in expect.__struct_fields__:
        wanted = getattr(expect, key)
        if wanted is UNSET:
            continue
        if key == "until":
            wanted = None if moment.until is None else text(moment.until)  # type: ignore[arg-type]
        if key == "inside":
            wanted = sorted(wanted)
        if key == "history":
            wanted = {
                name: count
                for name, count in (("taps", wanted.taps), ("granted", wanted.granted))
                if count is not UNSET
            }
            if all(seen["history"][name] == count for name, count in wanted.items()):
                continue
        if key not in seen or seen[key] != wanted:
            yield key, wanted
