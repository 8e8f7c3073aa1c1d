"""What in a bundle that is in order will hardly be what was meant? It is said, and the bundle is taken."""

from collections.abc import Iterator
from difflib import get_close_matches

from policy import uids
from policy.bundle import Bundle
from policy.errors import Problem, shown
from policy.letters import looks_like, odd

IDS = ("access_points", "tiers", "members", "machines", "kinds", "rota")
"""Collections whose ids are named by others."""


def _held_by_no_gardien(bundle: Bundle) -> Iterator[Problem]:
    """Shifts that open nothing (docs/rules.md, line 10)."""
    gardiens = {member.id for member in bundle.members if "gardien" in member.roles}
    named = [(f"shifts[{index}]", shift.gardien, shift.id) for index, shift in enumerate(bundle.shifts)]
    named += [(f"rota[{index}]", part.gardien, part.id) for index, part in enumerate(bundle.rota) if part.gardien]
    for index, change in enumerate(bundle.rota_changes):
        if isinstance(change.gardien, str):
            named.append((f"rota_changes[{index}]", change.gardien, f"{change.rota}/{change.date}"))
    for key, who, of in named:
        if who not in gardiens:
            why = "has not the role gardien, so this shift opens nothing: give the role, or name a gardien"
            yield Problem(f"{key}.gardien", who, why, of)


def _of_no_machine(bundle: Bundle) -> Iterator[Problem]:
    """Kinds that nobody uses: mistyped, as a rule, and then the member is refused at the machine."""
    known = {machine.kind for machine in bundle.machines} | {kind.id for kind in bundle.kinds}
    named = [
        (f"certifications[{index}].kind", part.kind, part.member) for index, part in enumerate(bundle.certifications)
    ]
    named += [(f"quotas[{index}].kind", part.kind, part.kind) for index, part in enumerate(bundle.quotas)]
    for key, kind, of in named:
        if kind not in known:
            close = get_close_matches(kind, sorted(known), n=1, cutoff=0.7)
            meant = f" ({shown(close[0])}?)" if close else ""
            yield Problem(key, kind, f"no machine is of this kind, and kinds has none{meant}: is it written so?", of)


def doubtful(bundle: Bundle) -> Iterator[Problem]:
    """Badges that no reader will show twice, shifts and trainings that let nobody in, ids that look alike."""
    yield from uids.doubtful(bundle)
    yield from _held_by_no_gardien(bundle)
    yield from _of_no_machine(bundle)
    for collection in IDS:
        seen: dict[str, int] = {}
        for index, part in enumerate(getattr(bundle, collection)):
            before = seen.setdefault(looks_like(part.id), index)
            if before != index:
                other = getattr(bundle, collection)[before].id
                strange = f", whose {odd(other)}" if odd(other) else ""
                why = f"{collection}[{before}].id, {shown(other)}{strange}, looks like it and is another: is one meant?"
                yield Problem(f"{collection}[{index}].id", part.id, why)
