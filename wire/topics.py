"""Which topics are there? Every MQTT topic is built and read here only."""

import re
from dataclasses import dataclass

from wire.errors import WireError

LEAVES = ("facts", "events", "ack", "status", "command", "reply")
"""The last level of the topics that each edge has."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_id(kind: str, value: str) -> str:
    """The id itself when it can stand in a topic. Raises WireError otherwise."""
    if not _ID.fullmatch(value):
        raise WireError(f"{kind} {value!r}: use 1 to 64 letters, digits, - or _")
    return value


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one site."""

    site: str

    def __post_init__(self) -> None:
        check_id("site", self.site)

    @property
    def rules(self) -> str:
        return f"loquet/{self.site}/rules"

    @property
    def fresh(self) -> str:
        return f"loquet/{self.site}/rules/fresh"

    @property
    def state(self) -> str:
        return f"loquet/{self.site}/state"

    @property
    def all_facts(self) -> str:
        """What an edge subscribes to so as to hear every other edge."""
        return f"loquet/{self.site}/edge/+/facts"

    def facts(self, edge: str) -> str:
        return self._of_edge(edge, "facts")

    def events(self, edge: str) -> str:
        return self._of_edge(edge, "events")

    def ack(self, edge: str) -> str:
        return self._of_edge(edge, "ack")

    def status(self, edge: str) -> str:
        return self._of_edge(edge, "status")

    def command(self, edge: str) -> str:
        return self._of_edge(edge, "command")

    def reply(self, edge: str) -> str:
        return self._of_edge(edge, "reply")

    def edge_of(self, topic: str) -> tuple[str, str]:
        """(edge id, last level) of a topic below edge/. Raises WireError for any other."""
        prefix = f"loquet/{self.site}/edge/"
        edge, _, leaf = topic.removeprefix(prefix).partition("/")
        if not topic.startswith(prefix) or leaf not in LEAVES:
            raise WireError(f"topic {topic!r}: expected {prefix}<id>/ and one of {', '.join(LEAVES)}")
        return check_id("edge", edge), leaf

    def _of_edge(self, edge: str, leaf: str) -> str:
        return f"loquet/{self.site}/edge/{check_id('edge', edge)}/{leaf}"
