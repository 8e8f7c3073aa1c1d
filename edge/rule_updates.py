"""How do rules come into force? They are checked, written to the disk, and only then given to the controller."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from edge.config import Config
from edge.events import Event, RulesConfirmed, RulesSwapped
from edge.held import HeldRules
from edge.journal_writer import RETRY, JournalWriter
from edge.message_verifier import MessageVerifier
from edge.ports import Clock
from edge.rules import check_newer, confirmation, opened
from policy.terms import ClockState
from wire.errors import WireError
from wire.messages import Fresh, Rules
from wire.topics import Topics

log = logging.getLogger("loquet.edge")

RULES, FRESH = "rules", "fresh"
"""Names of what is kept: the signed messages as they came, checked anew at each start."""


class Untaken(NamedTuple):
    """Rules that the disk did not take, checked already. payload: the message as it came."""

    message: Rules
    payload: bytes
    rules: HeldRules


class RuleUpdates:
    """The rules of one edge: on its disk, and in force. tell: gives an event to the controller."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        verifier: MessageVerifier,
        writer: JournalWriter,
        tell: Callable[[Event], None],
    ) -> None:
        self.held: HeldRules | None = None
        self._config = config
        self.topic = Topics(config.site).rules
        self._fresh_topic = Topics(config.site).fresh
        self._clock = clock
        self._verifier = verifier
        self._writer = writer
        self._tell = tell
        self._untaken: Untaken | None = None
        self._again_at = 0.0

    @property
    def deadline(self) -> float | None:
        """When to call `try_again`, in monotonic seconds."""
        return self._again_at if self._untaken else None

    def load(self, kept: Mapping[str, bytes]) -> None:
        """Take up what lies on the disk. Rules that are damaged, or not fit for this edge any more, are left there."""
        if RULES not in kept:
            return
        try:
            rules = self._verifier.recall(Rules, self.topic, kept[RULES])
            self.held = opened(rules, self._config)
            self._warn_of_other_key(self.held)
            if FRESH in kept:
                self._extend(self._verifier.recall(Fresh, self._fresh_topic, kept[FRESH]))
        except WireError as error:
            self._verifier.refuse("rules on the disk", error)

    def rules(self, message: Rules, payload: bytes, checked: HeldRules | None = None) -> None:
        """New rules, or those held once more. Raises WireError when they are refused.

        payload: the message as it came. checked: what is in it, where that was opened before.
        """
        if self.held is not None and message.version == self.held.version:
            self.confirm(message, RULES, payload)
            return
        trusted = self._clock.state() is not ClockState.UNKNOWN
        check_newer(message, self.held, self._clock.now() if trusted else None)
        new = checked or opened(message, self._config)
        if not self._writer.keep({RULES: payload, FRESH: None}, copied_within=0):
            self._untaken, self._again_at = Untaken(message, payload, new), self._clock.monotonic() + RETRY
            return
        self.held, self._untaken = new, None
        log.info("rules: version %d in force, confirmed until %s", new.version, message.not_after)
        self._warn_of_other_key(new)
        now, mono = self._clock.now(), self._clock.monotonic()
        self._tell(RulesSwapped(now, mono, new))

    def try_again(self) -> None:
        """Rules that the disk did not take, when it is time. Raises WireError when others came meanwhile."""
        if self._untaken is not None and self._clock.monotonic() >= self._again_at:
            untaken, self._untaken = self._untaken, None
            self.rules(*untaken)

    def fresh(self, message: Fresh, payload: bytes) -> None:
        """The rules held, or others, are confirmed. Raises WireError when that is refused."""
        self.confirm(message, FRESH, payload)

    def confirm(self, message: Rules | Fresh, name: str, payload: bytes) -> None:
        """Hold the rules for longer. What the disk does not take is not held: the server says it again each hour."""
        if confirmation(message, self.held) is None or not self._writer.keep({name: payload}, copied_within=0):
            return
        not_after = self._extend(message)
        if not_after is not None:
            self._tell(RulesConfirmed(self._clock.now(), self._clock.monotonic(), not_after))

    def _warn_of_other_key(self, held: HeldRules) -> None:
        """The door goes by the rules all the same; but nobody believes what this edge signs."""
        known = held.rules.edges.get(self._config.edge)
        ours = self._config.keys.own.public_key().public_bytes_raw().hex()
        if known is not None and known != ours:
            log.warning(
                "rules: version %d has another public key for this edge, so nobody believes what it says: see that"
                " keys.own is of the folder of %r, and server.toml's public_key of it: %s",
                held.version,
                self._config.edge,
                ours,
            )

    def _extend(self, message: Rules | Fresh) -> int | None:
        not_after = confirmation(message, self.held)
        if not_after is not None and self.held is not None:
            self.held = replace(self.held, not_after=not_after)
        return not_after
