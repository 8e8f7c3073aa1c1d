"""What is in force? The bundle, and the rules that were compiled from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from policy.bundle import Bundle, Credential
from policy.ruleset import RuleSet
from policy.spans import Spans
from policy.terms import Instant
from server.queries.names import Called, called


@dataclass(frozen=True)
class Current:
    """What is in force: the bundle and what was compiled from it at `at`.

    shifts: without lead and grace. badges: the credentials by pseudonym.
    """

    at: Instant
    version: int
    rules: RuleSet
    body: bytes
    bundle: Bundle
    zone: ZoneInfo
    shifts: Mapping[str, Spans]
    badges: Mapping[str, Credential]

    @cached_property
    def called(self) -> Called:
        """What the pages call everybody and everything."""
        return called(self.bundle)
