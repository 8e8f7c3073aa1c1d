"""What does a message say? Read as it passes, without the edge's code and without looking at its signature."""

from dataclasses import dataclass
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct

from wire.messages import Ack, Command, Facts, Rules, State
from wire.snapshot import unpack


class _Sealed(Struct):
    body: Raw


class _Seq(Struct):
    seq: int


@lru_cache(maxsize=64)
def facts_in(payload: bytes) -> tuple[str, tuple[int, ...]]:
    facts = msgspec.json.decode(msgspec.json.decode(payload, type=_Sealed).body, type=Facts)
    return facts.journal, tuple(msgspec.json.decode(row, type=_Seq).seq for row in facts.rows)


@dataclass(frozen=True, slots=True)
class StateIn:
    version: int
    lockdown: bool
    positions: dict[str, dict[str, int]]


@lru_cache(maxsize=16)
def state_in(payload: bytes) -> StateIn:
    state = msgspec.json.decode(msgspec.json.decode(payload, type=_Sealed).body, type=State)
    snapshot = unpack(state.body)
    return StateIn(state.version, snapshot.lockdown, snapshot.positions)


@lru_cache(maxsize=16)
def version_in(payload: bytes) -> int:
    return msgspec.json.decode(msgspec.json.decode(payload, type=_Sealed).body, type=Rules).version


def command_in(payload: bytes) -> Command:
    return msgspec.json.decode(msgspec.json.decode(payload, type=_Sealed).body, type=Command)


def ack_in(payload: bytes) -> Ack:
    return msgspec.json.decode(msgspec.json.decode(payload, type=_Sealed).body, type=Ack)
