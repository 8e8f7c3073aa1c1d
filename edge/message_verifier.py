"""Is a message genuine? Checks its signature and its form; one that is not changes nothing and is counted."""

import logging
from collections import Counter
from contextlib import suppress
from typing import TypeAlias, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.config import Config
from wire.envelope import unseal, unsigned
from wire.errors import ForgedError, TooLargeError, WireError
from wire.messages import Ack, Command, Facts, Fresh, Rules, State, decode
from wire.ruleset import unpack
from wire.topics import Topics

log = logging.getLogger("loquet.edge")

SERVER = "server"

Said: TypeAlias = Rules | Fresh | State | Ack | Command
"""What the server says to an edge."""
Kind = TypeVar("Kind", bound=Said)


class OtherSiteError(WireError):
    """The server said it, but to the edges of another site."""


REMEDIES: dict[type[WireError], str] = {
    ForgedError: "see that site and keys.server in edge.toml are this server's; else somebody else writes there",
    OtherSiteError: "mend site in edge.toml; if it is right, move the journal and what lies beside it away",
    TooLargeError: "see who writes to the broker; no honest message is so large",
    WireError: "see that server and edge run the same version of Loquet",
}


class RefusalLog:
    """Counts what was refused, by kind; the log gets the first of each kind, so that a flood cannot fill the disk."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, kind: str, message: str, times: int = 1) -> None:
        first = kind not in self.counts
        self.counts[kind] += times
        if first:
            log.warning("refused: %s (said once; more of this kind are only counted)", message)


def _kinds(topics: Topics, edge: str) -> dict[str, type[Said]]:
    return {
        topics.rules: Rules,
        topics.fresh: Fresh,
        topics.state: State,
        topics.ack(edge): Ack,
        topics.command(edge): Command,
    }


def subscriptions(config: Config) -> tuple[str, ...]:
    """The topics that an edge reads."""
    topics = Topics(config.site)
    return (*_kinds(topics, config.edge), topics.all_facts)


class MessageVerifier:
    """Verifies and decodes messages of the topics that an edge reads."""

    def __init__(self, config: Config, refusals: RefusalLog) -> None:
        self._key = config.keys.server
        self._topics = Topics(config.site)
        self._edge = config.edge
        self._kinds = _kinds(self._topics, self._edge)
        self._other: Topics | None = None
        """Of the site whose rules lie on the disk, when it is not ours."""
        self._refusals = refusals

    def reads(self, topic: str) -> bool:
        """Whether a message on this topic is one that was subscribed to."""
        return topic in self._kinds or self.facts_sender(topic) is not None

    def facts_sender(self, topic: str) -> str | None:
        """The edge whose facts arrive on this topic; None for any other topic."""
        try:
            edge, leaf = self._topics.edge_of(topic)
        except WireError:
            return None
        return edge if leaf == "facts" else None

    def facts(self, key: Ed25519PublicKey, edge: str, topic: str, payload: bytes) -> Facts:
        """The facts that an edge tells, by its public key. Raises WireError as `read` does."""
        return decode(Facts, unseal(key, edge, topic, payload), topic)

    def read(self, kind: type[Kind], topic: str, payload: bytes) -> Kind:
        """The message of this kind. Raises WireError for what is forged, malformed or oversized."""
        return decode(kind, unseal(self._key, SERVER, topic, payload), topic)

    def recall(self, kind: type[Kind], topic: str, payload: bytes) -> Kind:
        """`read` of what lies on the disk: the rules first. Raises OtherSiteError when `site` was another then."""
        try:
            return self.read(kind, topic, payload)
        except ForgedError:
            if kind is Rules:
                self._other = self._site_named_in(topic, payload)
            if self._other is None:
                raise
            theirs = next(t for t, k in _kinds(self._other, self._edge).items() if k is kind)
            self.read(kind, theirs, payload)
            raise OtherSiteError(f"of site {self._other.site!r}, this edge is of site {self._topics.site!r}") from None

    def _site_named_in(self, topic: str, payload: bytes) -> Topics | None:
        """The site that rules say they are for, whoever signed them."""
        with suppress(WireError):
            site = unpack(decode(Rules, unsigned(topic, payload), topic).body).site
            return Topics(site) if site != self._topics.site else None
        return None

    def open(self, topic: str, payload: bytes) -> Said | None:
        """The message, or None once a complaint has been made."""
        kind = self._kinds.get(topic)
        if kind is None:
            self._refusals.add("topic", f"{topic}: not a topic of this edge; see what it is subscribed to")
            return None
        try:
            return self.read(kind, topic, payload)
        except WireError as error:
            self.refuse(topic, error)
            return None

    def refuse(self, topic: str, error: WireError) -> None:
        """Complain about a message. The kind: its topic's last level, and what is wrong."""
        word = getattr(error, "kind", type(error).__name__)
        remedy = REMEDIES.get(type(error))
        message = str(error) if topic in str(error) else f"{topic}: {error}"
        self._refusals.add(f"{topic.rpartition('/')[2]} {word}", f"{message}: {remedy}" if remedy else message)
