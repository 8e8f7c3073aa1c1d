"""What in a bundle that is in order will hardly be what was meant? It is said, and the bundle is taken."""

from collections.abc import Iterator

from policy import uids
from policy.bundle import Bundle
from policy.errors import Problem, shown
from policy.letters import looks_like, odd

IDS = ("access_points", "tiers", "members", "machines", "kinds", "rota")
"""Collections whose ids are named by others."""


def doubtful(bundle: Bundle) -> Iterator[Problem]:
    """Badges that no reader will show twice, and ids that look alike."""
    yield from uids.doubtful(bundle)
    for collection in IDS:
        seen: dict[str, int] = {}
        for index, part in enumerate(getattr(bundle, collection)):
            before = seen.setdefault(looks_like(part.id), index)
            if before != index:
                other = getattr(bundle, collection)[before].id
                strange = f", whose {odd(other)}" if odd(other) else ""
                why = f"{collection}[{before}].id, {shown(other)}{strange}, looks like it and is another: is one meant?"
                yield Problem(f"{collection}[{index}].id", part.id, why)
