"""A small site for tests of the rules: two doors, three tiers, a fablab, and whoever a test adds."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from policy import door, instants, machine
from policy.bundle import Bundle
from policy.case import Decision, Tap
from policy.compile import EdgeKey, compile_rules
from policy.parse import parse
from policy.presence import Move, Presence
from policy.ruleset import SPEAKS, RuleSet
from policy.sessions import Session, Sessions
from policy.state import SiteState
from policy.terms import DAY, Instant
from wire.credential import pseudonym

PARIS = ZoneInfo("Europe/Paris")
KEY = bytes(32)
SCENARIOS = Path(__file__).parent / "scenarios"
TUESDAY = "2026-11-24T"
"""A working day in winter time."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
BRIGITTE, GREGOIRE, ALICE, REMY, SARAH = "04B10000", "04610000000001", "04A11CE0", "04C30000", "04D40000"
"""The badges of the members of the small site."""
UNKNOWN = "DEADBEEF"
EDGES = {"front": EdgeKey("ab" * 32, ("front",))}


def in_paris(written: str) -> Instant:
    """The instant of a time on a clock in Paris, whatever the season."""
    return instants.of(datetime.fromisoformat(written).replace(tzinfo=PARIS))


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


def fablab(**changes: Any) -> dict[str, Any]:
    """The small site with a laser cutter, which cuts, and two printers, which warn. Brigitte and Rémy know them all."""
    machines = [
        {"id": "laser", "kind": "laser", "reader": "laser-reader", "on_end": "cut"},
        {"id": "prusa", "kind": "printer", "reader": "prusa-reader"},
        {"id": "voron", "kind": "printer", "reader": "voron-reader"},
    ]
    certifications = [
        {"member": member, "kind": kind}
        for member in ("brigitte", "remy", "gregoire", "alice")
        for kind in ("laser", "printer")
    ]
    return site(**{"machines": machines, "certifications": certifications, **changes})


def with_part(collection: str, key: str, **changes: Any) -> list[dict[str, Any]]:
    """A collection of the fablab with one of its parts changed. key: the id or UID of that part."""
    parts = fablab()[collection]
    assert any(key in (part.get("id"), part.get("uid")) for part in parts), key
    return [{**part, **changes} if key in (part.get("id"), part.get("uid")) else part for part in parts]


def read(bundle: dict[str, Any]) -> Bundle:
    return parse(json.dumps(bundle).encode(), "site.json", ZoneInfo)


def compiled(
    bundle: Bundle,
    when: Instant,
    holidays: Callable[[int], Collection[date]] = lambda year: (),
    edges: Mapping[str, EdgeKey] = EDGES,
    speaks: int = SPEAKS,
) -> RuleSet:
    return compile_rules(
        bundle,
        zone=ZoneInfo(bundle.site.timezone),
        holidays=holidays,
        pseudonym=badge_of,
        edges=edges,
        at=when,
        speaks=speaks,
    )


def badge_of(uid: bytes) -> str:
    return pseudonym(KEY, uid)


def badge(uid: str) -> str:
    """The keyed hash of a UID in hex."""
    return badge_of(bytes.fromhex(uid))


def ruling(**changes: Any) -> RuleSet:
    """The rules of the small site on the working Tuesday."""
    return compiled(read(site(**changes)), at(TUESDAY + "12:00"))


def fab_rules(**changes: Any) -> RuleSet:
    """The same with its fablab."""
    return compiled(read(fablab(**changes)), at(TUESDAY + "12:00"))


def in_since(written: str, *members: str) -> Presence:
    """Who came in then."""
    return Presence((member, Move(at(written), inside=True)) for member in members)


def session(machine: str, member: str, start: str, end: str | None = None, **fields: Any) -> Session:
    """A session on a machine of the fablab; one that cuts on the laser. until: as a time."""
    kind = "laser" if machine == "laser" else "printer"
    until = fields.pop("until", None)
    return Session(
        machine,
        kind,
        member,
        at(start),
        until=None if until is None else at(until),
        cuts=fields.pop("cuts", machine == "laser"),
        end=None if end is None else at(end),
    )


def known(when: str, presence: Presence | None = None, *sessions: Session, **fields: Any) -> SiteState:
    """What an edge knows whose rules were just confirmed. fields: of the state."""
    return SiteState(
        presence=presence or Presence(), sessions=Sessions(sessions), **{"not_after": at(when) + 14 * DAY, **fields}
    )


def decided(
    rules: RuleSet,
    reader: str,
    uid: str,
    when: str,
    presence: Presence | None = None,
    *sessions: Session,
    second: bool = False,
    **fields: Any,
) -> Decision:
    """What a tap at the reader leads to, with `known` for a state."""
    decide = machine.decide if rules.readers[reader].direction is None else door.decide
    return decide(rules, known(when, presence, *sessions, **fields), Tap(reader, badge(uid), second), at(when))
