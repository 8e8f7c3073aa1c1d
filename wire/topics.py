"""Which topics are there? Every MQTT topic is built and read here only."""

import re
from dataclasses import dataclass

from wire.errors import WireError

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

    def events(self, edge: str) -> str:
        return self._of_edge(edge, "events")

    def ack(self, edge: str) -> str:
        return self._of_edge(edge, "ack")

    def status(self, edge: str) -> str:
        return self._of_edge(edge, "status")

    def edge_of(self, topic: str) -> tuple[str, str]:
        """(edge id, last level) of a topic below edge/. Raises WireError for any other."""
        prefix = f"loquet/{self.site}/edge/"
        edge, _, leaf = topic.removeprefix(prefix).partition("/")
        if not topic.startswith(prefix) or leaf not in ("events", "ack", "status"):
            raise WireError(f"topic {topic!r}: expected {prefix}<id>/events, ack or status")
        return check_id("edge", edge), leaf

    def _of_edge(self, edge: str, leaf: str) -> str:
        return f"loquet/{self.site}/edge/{check_id('edge', edge)}/{leaf}"
