"""What does an edge hold that the server gave it? Values, shared by those who check them and those who go by them."""

from dataclasses import dataclass

from policy.ruleset import RuleSet
from policy.terms import Instant
from wire.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class HeldRules:
    """The rules in force. hash: of their packed form. not_after: until when the server confirmed them."""

    version: int
    hash: str
    not_after: Instant
    rules: RuleSet


@dataclass(frozen=True, slots=True)
class HeldState:
    """The newest state of the server. hash: of its packed form."""

    version: int
    hash: str
    snapshot: Snapshot
