"""How is an edge described to people? One mark and a few words, each fault with what one can do about it."""

from collections.abc import Iterator
from dataclasses import dataclass

from server.models import DoorState
from server.queries.current import Current
from server.queries.names import Called
from server.queries.now import EdgeLine
from server.text.dates import hour, opens, when
from server.text.named import reader_of
from server.text.translate import gettext, language, ngettext
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
class Door:
    """kept: whether it is kept unlocked by order."""

    id: str
    name: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Line:
    """name: of its doors and machines. colour, mark: the worst of all that is said, and its word. doors: that can be
    opened from here."""

    name: str
    colour: str
    mark: str
    said: tuple[Said, ...]
    doors: tuple[Door, ...]


def line(edge: EdgeLine, current: Current, now: int) -> Line:
    """What the page says of an edge."""
    said = told(edge, current.called, now)
    colours = {s.colour for s in said}
    colour = next((c for c in ("bad", "warn") if c in colours), "good")
    marks = {"good": gettext("en ordre"), "warn": gettext("à regarder"), "bad": gettext("en panne")}
    points = {point.id for point in current.bundle.access_points}
    doors = tuple(
        Door(place, current.called.place(place) or place, place in edge.unlocked)
        for place in edge.places
        if edge.online and place in points
    )
    return Line(name_of(edge, current.called), colour, marks[colour], said, doors)


def name_of(edge: EdgeLine, called: Called) -> str:
    """Of its doors and machines."""
    return ", ".join(called.place(place) for place in edge.places) or edge.id


def told(edge: EdgeLine, called: Called, now: int) -> tuple[Said, ...]:
    """All that is said of it; how it is reached first."""
    return tuple(_said(edge, called, now))


def _said(edge: EdgeLine, called: Called, now: int) -> Iterator[Said]:
    yield _link(edge, now)
    if edge.twins:
        yield Said(
            "bad",
            gettext(
                "deux machines ont les mêmes clés et se coupent la parole sous ce nom : arrêtez celle qui est de trop"
            ),
        )
    for place, until in edge.unlocked.items():
        many = len(edge.places) > 1
        said = gettext("tenue ouverte jusqu’à %(until)s", until=when(until, now))
        yield Said("warn", f"{called.place(place) or place} : {said}" if many else said)
    for door in edge.doors:
        yield from _door(door, now)
    if edge.rules_version is not None:
        yield _rules(edge)
    for reader, why in edge.faults.items():
        known, more = reader_of(called, reader), in_english(why)
        yield Said("bad", gettext("%(reader)s en panne%(more)s : vérifiez son câble", reader=known, more=more))
    if edge.journal_fault is not None:
        more = in_english(edge.journal_fault)
        yield Said("bad", gettext("journal en défaut%(more)s : libérez ou changez la carte SD", more=more))
    yield from _warnings(edge)


def in_english(why: str) -> str:
    """What a program says of a fault, on an English page; on a French one it would be noise: the log has it, too."""
    return f" ({why})" if why and language() == "en" else ""


def _link(edge: EdgeLine, now: int) -> Said:
    if edge.online is None:
        return Said("warn", gettext("jamais vue : démarrez-la, ou vérifiez sa clé et son réseau"))
    since = when(edge.since, now) if edge.since else ""
    if edge.online:
        return Said("good", gettext("en ligne depuis %(since)s", since=since))
    return Said("bad", gettext("muette depuis %(since)s : vérifiez son réseau et son courant", since=since))


def _door(door: DoorState, now: int) -> Iterator[Said]:
    if door.fire and door.fire_at is not None:
        since = when(door.fire_at, now)
        yield Said("bad", gettext("alarme incendie depuis %(hour)s : la porte est déverrouillée", hour=since))
    if door.kind is not None and door.at is not None:
        yield _contact(Kind(door.kind), when(door.at, now))
    forced = door.forced_at
    if forced is not None and door.kind != Kind.DOOR_FORCED and now - forced.timestamp() * 1000 < DAY_MS:
        yield Said("warn", gettext("porte forcée %(at)s : voyez qui est entré", at=opens(forced, now)))


def _contact(kind: Kind, since: str) -> Said:
    states = {
        Kind.DOOR_CLOSED: Said("quiet", gettext("porte fermée")),
        Kind.DOOR_OPENED: Said("quiet", gettext("porte ouverte")),
        Kind.DOOR_FORCED: Said("bad", gettext("porte forcée et encore ouverte : allez voir")),
        Kind.DOOR_HELD: Said("warn", gettext("porte tenue ouverte depuis %(hour)s : fermez-la", hour=since)),
    }
    return states[kind]


def _rules(edge: EdgeLine) -> Said:
    if edge.behind:
        return Said(
            "warn", gettext("règles v%(held)s, la v%(new)s est en route", held=edge.rules_version or 0, new=edge.newest)
        )
    return Said("quiet", gettext("règles v%(held)s", held=edge.newest))


def _warnings(edge: EdgeLine) -> Iterator[Said]:
    if edge.clock == "unknown":
        yield Said("warn", gettext("horloge perdue : vérifiez le réseau ou la pile de l’horloge"))
    if edge.unacknowledged:
        colour = "warn" if edge.unacknowledged > MANY_UNACKNOWLEDGED else "quiet"
        count = edge.unacknowledged
        yield Said(colour, ngettext("%(num)s ligne à remettre", "%(num)s lignes à remettre", count))
    if edge.trouble is not None:
        refused = ngettext("%(num)s message refusé", "%(num)s messages refusés", edge.trouble.count)
        last, more = hour(edge.trouble.at), in_english(edge.trouble.why)
        yield Said(
            "warn",
            gettext(
                "%(refused)s, le dernier à %(hour)s%(more)s : le journal du serveur dit pourquoi",
                refused=refused,
                hour=last,
                more=more,
            ),
        )
