"""How is an edge described to people? One mark and a few words, each fault with what one can do about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from server.language import hour, when
from server.models import DoorState
from server.now import EdgeLine
from server.translate import gettext, ngettext
from wire.row import Kind

MANY_UNACKNOWLEDGED = 100
"""Rows above which a backlog is worth a word of warning."""
DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Said:
    """colour: good, warn or bad; quiet for what is only told."""

    colour: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """colour, mark: the worst of all that is said, and its word."""

    id: str
    colour: str
    mark: str
    said: tuple[Said, ...]


def line(edge: EdgeLine, version: int, now: int) -> Line:
    """What the page says of an edge. version: of the newest rules."""
    said = tuple(_said(edge, version, now))
    colours = {s.colour for s in said}
    colour = next((c for c in ("bad", "warn") if c in colours), "good")
    marks = {"good": gettext("en ordre"), "warn": gettext("à regarder"), "bad": gettext("en panne")}
    return Line(edge.id, colour, marks[colour], said)


def _said(edge: EdgeLine, version: int, now: int) -> Iterator[Said]:
    yield _link(edge, now)
    if edge.twins:
        yield Said(
            "bad",
            gettext(
                "deux machines ont les mêmes clés et se coupent la parole sous ce nom : arrêtez celle qui est de trop"
            ),
        )
    for door in edge.doors:
        yield from _door(door, now)
    if edge.rules_version is not None:
        yield _rules(edge, version)
    for reader, why in edge.faults.items():
        yield Said("bad", gettext("lecteur %(reader)s en panne (%(why)s) : vérifiez son câble", reader=reader, why=why))
    if edge.journal_fault is not None:
        yield Said(
            "bad", gettext("journal en défaut (%(why)s) : libérez ou changez la carte SD", why=edge.journal_fault)
        )
    yield from _warnings(edge)


def _link(edge: EdgeLine, now: int) -> Said:
    if edge.online is None:
        return Said("warn", gettext("jamais vue : démarrez-la, ou vérifiez sa clé et son réseau"))
    since = when(edge.since, now) if edge.since else ""
    if edge.online:
        return Said("good", gettext("en ligne depuis %(since)s", since=since))
    return Said("bad", gettext("muette depuis %(since)s : vérifiez son réseau et son courant", since=since))


def _door(door: DoorState, now: int) -> Iterator[Said]:
    if door.fire and door.fire_at is not None:
        since = hour(door.fire_at)
        yield Said("bad", gettext("alarme incendie depuis %(hour)s : la porte est déverrouillée", hour=since))
    if door.kind is not None and door.at is not None:
        yield _contact(Kind(door.kind), door.at)
    forced = door.forced_at
    if forced is not None and door.kind != Kind.DOOR_FORCED and now - forced.timestamp() * 1000 < DAY_MS:
        yield Said("warn", gettext("porte forcée à %(hour)s : voyez qui est entré", hour=hour(forced)))


def _contact(kind: Kind, at: datetime) -> Said:
    states = {
        Kind.DOOR_CLOSED: Said("quiet", gettext("porte fermée")),
        Kind.DOOR_OPENED: Said("quiet", gettext("porte ouverte")),
        Kind.DOOR_FORCED: Said("bad", gettext("porte forcée et encore ouverte : allez voir")),
        Kind.DOOR_HELD: Said("warn", gettext("porte tenue ouverte depuis %(hour)s : fermez-la", hour=hour(at))),
    }
    return states[kind]


def _rules(edge: EdgeLine, version: int) -> Said:
    if edge.behind:
        return Said(
            "warn", gettext("règles v%(held)s, la v%(new)s est en route", held=edge.rules_version or 0, new=version)
        )
    return Said("quiet", gettext("règles v%(held)s", held=version))


def _warnings(edge: EdgeLine) -> Iterator[Said]:
    if edge.clock == "unknown":
        yield Said("warn", gettext("horloge perdue : vérifiez le réseau ou la pile de l’horloge"))
    if edge.unacknowledged:
        colour = "warn" if edge.unacknowledged > MANY_UNACKNOWLEDGED else "quiet"
        count = edge.unacknowledged
        yield Said(colour, ngettext("%(num)s ligne à remettre", "%(num)s lignes à remettre", count))
    if edge.trouble is not None:
        count, why = edge.trouble.count, edge.trouble.why
        refused = ngettext("%(num)s message refusé", "%(num)s messages refusés", count)
        yield Said(
            "warn",
            gettext(
                "%(refused)s, le dernier à %(hour)s : %(why)s", refused=refused, hour=hour(edge.trouble.at), why=why
            ),
        )
