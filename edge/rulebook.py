"""How do rules come into force? Read, checked, on the disk, and only then told to the controller."""

import logging
from collections.abc import Callable, Mapping

from edge.archive import RETRY, Archive
from edge.config import Config
from edge.events import Event, RulesConfirmed, RulesSwapped
from edge.inbox import Inbox
from edge.ports import Clock
from edge.post import Received
from edge.rules import Held, check_newer, confirmation, opened
from policy.terms import ClockState
from wire.errors import WireError
from wire.messages import Fresh, Rules
from wire.topics import Topics

log = logging.getLogger("loquet.edge")

RULES, FRESH = "rules", "fresh"
"""Names of what is kept: the signed messages as they came, checked anew at each start."""


class Rulebook:
    """The rules that an edge holds, on its disk and in force. tell: takes what the controller must know."""

    def __init__(
        self, config: Config, clock: Clock, inbox: Inbox, archive: Archive, tell: Callable[[Event], None]
    ) -> None:
        self.held: Held | None = None
        self._config = config
        self._topics = Topics(config.site)
        self._clock = clock
        self._inbox = inbox
        self._archive = archive
        self._tell = tell
        self._again: Received | None = None
        self._again_at = 0.0

    @property
    def deadline(self) -> float | None:
        """When to call `try_again`, in monotonic seconds."""
        return self._again_at if self._again else None

    def load(self, kept: Mapping[str, bytes]) -> None:
        """Take up what lies on the disk. Rules that are damaged, or not fit for this edge any more, are left there."""
        if RULES not in kept:
            return
        try:
            rules = self._inbox.recall(Rules, self._topics.rules, kept[RULES])
            self.held = opened(rules, self._config)
            self._say_stranger(self.held)
            if FRESH in kept:
                self._prolong(self._inbox.recall(Fresh, self._topics.fresh, kept[FRESH]))
        except WireError as error:
            self._inbox.refuse("rules on the disk", error)

    def rules(self, message: Rules, item: Received) -> None:
        """New rules, or those held once more. item: the message as it came. Raises WireError when they are refused."""
        if self.held is not None and message.version == self.held.version:
            self.confirm(message, RULES, item.payload)
            return
        trusted = self._clock.state() is not ClockState.UNKNOWN
        check_newer(message, self.held, self._clock.now() if trusted else None)
        new = opened(message, self._config)
        if not self._archive.keep({RULES: item.payload, FRESH: None}, copied_within=0):
            self._again, self._again_at = item, self._clock.monotonic() + RETRY
            return
        self.held, self._again = new, None
        log.info("rules: version %d in force, confirmed until %s", new.version, message.not_after)
        self._say_stranger(new)
        now, mono = self._clock.now(), self._clock.monotonic()
        self._tell(RulesSwapped(now, mono, new.version, new.not_after, new.rules))

    def fresh(self, message: Fresh, item: Received) -> None:
        """The rules held, or others, are confirmed. Raises WireError when that is refused."""
        self.confirm(message, FRESH, item.payload)

    def confirm(self, message: Rules | Fresh, name: str, payload: bytes) -> None:
        """Hold the rules for longer. What the disk does not take is not held: the server says it again each hour."""
        if confirmation(message, self.held) is None or not self._archive.keep({name: payload}, copied_within=0):
            return
        not_after = self._prolong(message)
        if not_after is not None:
            self._tell(RulesConfirmed(self._clock.now(), self._clock.monotonic(), not_after))

    def due(self) -> Received | None:
        """Rules that the disk did not take, when it is time to try again."""
        if self._again is None or self._clock.monotonic() < self._again_at:
            return None
        again, self._again = self._again, None
        return again

    def _say_stranger(self, held: Held) -> None:
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

    def _prolong(self, message: Rules | Fresh) -> int | None:
        not_after = confirmation(message, self.held)
        if not_after is not None and self.held is not None:
            self.held = Held(self.held.version, self.held.hash, not_after, self.held.rules)
        return not_after
