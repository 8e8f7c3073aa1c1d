"""A small site for tests of the rules: one door, three tiers, and whoever a test adds."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from policy import instants
from policy.bundle import Bundle
from policy.compile import EdgeKey, compile_rules
from policy.door import Decision, SiteState, Tap, decide
from policy.parse import parse
from policy.presence import Move, Moves
from policy.ruleset import RuleSet
from policy.terms import DAY, Instant
from wire.credential import pseudonym

PARIS = ZoneInfo("Europe/Paris")
KEY = bytes(32)
SCENARIOS = Path(__file__).parent / "scenarios"
TUESDAY = "2026-11-24T"
"""A working day in winter time."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
EDGES = {"front": EdgeKey("ab" * 32, ("front",))}


def at(written: str) -> Instant:
    """The instant of a time in Paris winter time, or of one with its own offset."""
    plain = "+" not in written[10:] and not written.endswith("Z")
    return instants.instant(written + ("+01:00" if plain else ""))


def site(**changes: Any) -> dict[str, Any]:
    """A valid bundle as JSON would hold it. changes: collections, or keys of the site as site_xxx."""
    bundle: dict[str, Any] = {
        "format": "loquet.bundle/1",
        "site": {
            "id": "casaco",
            "name": "Casaco",
            "timezone": "Europe/Paris",
            "staff_hours": {day: [["09:00", "18:00"]] for day in WEEKDAYS},
        },
        "access_points": [
            {"id": "front", "readers": {"in": "front-in", "out": "front-out"}},
            {"id": "garage", "readers": {"in": "garage-in"}},
        ],
        "tiers": [
            {"id": "resident", "grounds": ["always"]},
            {"id": "nomad", "grounds": ["staffed", "held"]},
            {"id": "studio", "grounds": ["staffed", "held"], "access_points": ["front"]},
        ],
        "members": [
            {"id": "brigitte", "name": "Brigitte", "tier": "nomad"},
            {"id": "gregoire", "name": "Grégoire", "tier": "nomad", "roles": ["gardien"]},
            {"id": "alice", "name": "Alice", "tier": "nomad", "roles": ["staff"]},
            {"id": "remy", "name": "Rémy", "tier": "resident"},
            {"id": "sarah", "name": "Sarah", "tier": "studio"},
        ],
        "credentials": [
            {"uid": "04B10000", "member": "brigitte"},
            {"uid": "04610000000001", "member": "gregoire"},
            {"uid": "04A11CE0", "member": "alice"},
            {"uid": "04C30000", "member": "remy"},
            {"uid": "04D40000", "member": "sarah"},
        ],
        "shifts": [{"id": "s1", "gardien": "gregoire", "start": TUESDAY + "18:00", "end": TUESDAY + "22:00"}],
    }
    for key, value in changes.items():
        target, name = (bundle["site"], key[5:]) if key.startswith("site_") else (bundle, key)
        target[name] = value
    return bundle


def read(bundle: dict[str, Any]) -> Bundle:
    return parse(json.dumps(bundle).encode(), "site.json", ZoneInfo)


def compiled(
    bundle: Bundle,
    when: Instant,
    days: int = 20,
    holidays: Callable[[int], Collection[date]] = lambda year: (),
    edges: Mapping[str, EdgeKey] = EDGES,
) -> RuleSet:
    return compile_rules(
        bundle,
        zone=ZoneInfo(bundle.site.timezone),
        holidays=holidays,
        pseudonym=badge_of,
        edges=edges,
        at=when,
        days=days,
    )


def badge_of(uid: bytes) -> str:
    return pseudonym(KEY, uid)


def badge(uid: str) -> str:
    """The keyed hash of a UID in hex."""
    return badge_of(bytes.fromhex(uid))


def ruling(**changes: Any) -> RuleSet:
    """The rules of the small site on the working Tuesday."""
    return compiled(read(site(**changes)), at(TUESDAY + "12:00"))


def in_since(written: str, *members: str) -> Moves:
    return {member: Move(at(written), inside=True) for member in members}


def decided(
    rules: RuleSet, reader: str, uid: str, when: str, moves: Moves | None = None, *, clock_trusted: bool = True
) -> Decision:
    """What a tap at the reader leads to, under rules that were just confirmed."""
    instant = at(when)
    state = SiteState(moves or {}, instant + 14 * DAY, clock_trusted)
    return decide(rules, state, Tap(reader, badge(uid)), instant)
