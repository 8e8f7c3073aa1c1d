"""What is in force? The bundle, and the rules that were compiled from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from policy.bundle import Bundle, Credential, Machine
from policy.calendar import Calendar
from policy.compile import shift_table
from policy.ruleset import RuleSet
from policy.spans import Spans
from policy.terms import DAY, Instant
from server.queries.names import Called, called
from server.queries.people import Directory
from server.queries.public_holidays import holidays_of


@dataclass(frozen=True)
class Current:
    """What is in force: the bundle and what was compiled from it at `at`. pseudonym: of a UID."""

    at: Instant
    version: int
    rules: RuleSet
    body: bytes
    bundle: Bundle
    zone: ZoneInfo
    pseudonym: Callable[[bytes], str]
    memory: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was reckoned of each member, by what for, beside all that it followed from: the next Current has it, too."""

    @cached_property
    def calendar(self) -> Calendar:
        """How the site reckons time."""
        return Calendar(self.zone, self.bundle.site.day_cutoff)

    @cached_property
    def machines(self) -> Mapping[str, Machine]:
        """As the bundle has them, by id, in its order."""
        return {machine.id: machine for machine in self.bundle.machines}

    @cached_property
    def shifts(self) -> Mapping[str, Spans]:
        """Without lead and grace; worked out when a page asks, so that no edge waits for it."""
        holidays = holidays_of(self.bundle.site.holidays, kept=True)
        return shift_table(self.bundle, zone=self.zone, holidays=holidays, since=self.at - DAY)

    @cached_property
    def badges(self) -> Mapping[str, Credential]:
        """The credentials by pseudonym; as `shifts`."""
        return {self.pseudonym(bytes.fromhex(badge.uid)): badge for badge in self.bundle.credentials}

    @cached_property
    def called(self) -> Called:
        """What the pages call everybody and everything."""
        known: Called = self._from_before("called", called)
        return known

    @cached_property
    def reports(self) -> dict[Any, Any]:
        """What server/queries/treasury.py reckoned by these carnets."""
        return {}

    @cached_property
    def people(self) -> Directory:
        """All members, A to Z."""
        known: Directory = self._from_before("people", Directory)
        return known

    def _from_before(self, what: str, make: Callable[[Bundle, Any], Any]) -> Any:
        """What `make` makes of the bundle and of the last pair of a bundle and what it made of that, if any."""
        last = self.memory.setdefault(what, {})
        made = make(self.bundle, last.get("all"))
        last["all"] = self.bundle, made  # which another thread may replace at once, by what is of an older bundle
        return made
