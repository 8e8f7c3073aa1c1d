"""What does a screen at the door read when the server is down? One page without names, written by the edge.

Whether it is open, until when, and what is to come until the site day ends, by the degrees that the server's pages go
by (policy/degrees.py), from the rules and from who is inside as this edge knows it. Neither names nor titles of events
lie on an edge. A browser that shows the page notices itself when nobody writes it any more.
"""

import logging
import os
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from edge.core import Core, Now
from policy.degrees import Known, Stretch, degree, stretches
from policy.opening import Degree, opening
from policy.presence import Presence
from policy.ruleset import RuleSet
from policy.state import SiteState
from policy.terms import MINUTE, ClockState, Instant

log = logging.getLogger("loquet.edge")

EVERY = 60.0
"""Seconds after which the page is written anew, even if nothing is new; half of what a browser waits for."""
SILENT: Instant = 2 * MINUTE
"""A page that is older says so, and no more whether it is open."""
SURENESS = {Degree.SURE: "", Degree.PROBABLE: " probable / likely", Degree.UNCERTAIN: " pas sûr / not sure"}
LAMP = ("Regardez la lampe de la porte", "Look at the lamp of the door")


@dataclass(frozen=True, slots=True)
class Screen:
    """Where the page is written, what the place is called on it, and by which clock its hours are told."""

    path: Path
    name: str
    zone: ZoneInfo


class Shown(Struct, frozen=True):
    """What the page is made of. known: None where nothing can be said. confirmed: until when the rules are."""

    at: Instant
    known: Known | None
    confirmed: Instant = 0


class ScreenTimer:
    """When is the page to be written anew? Asked after each step of the controller, which owns what is known."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._rules: RuleSet | None = None
        self._revision = -1
        self.deadline = 0.0
        """Monotonic seconds."""

    def due(self, now: Now) -> Shown | None:
        """What it is to show; None while it need not be written."""
        core, held = self._core, self._core.held
        rules, revision = (None if held is None else held.rules), core.knowledge.revision
        if rules is self._rules and revision == self._revision and now.mono < self.deadline:
            return None
        self._rules, self._revision, self.deadline = rules, revision, now.mono + EVERY
        if held is None or now.clock is ClockState.UNKNOWN or held.not_after < now.at:
            return Shown(now.at, None)
        state = SiteState(
            Presence(core.state.presence.moves.items()),
            not_after=held.not_after,
            lockdown=core.state.lockdown,
            adhoc={who: set(times) for who, times in core.state.adhoc.items()},
        )
        rules = held.rules
        return Shown(now.at, Known(rules, rules.planned_shifts, state, now.at, offered=rules.offered), held.not_after)


def write(screen: Screen, shown: Shown) -> str:
    """Whole or not at all: a browser never reads half of it. What stood in the way; empty where nothing did."""
    beside = screen.path.with_name(f".{screen.path.name}.new")
    try:
        beside.write_text(page(screen, shown), encoding="utf-8")
        beside.chmod(0o644)
        os.replace(beside, screen.path)
    except OSError as error:
        return f"{screen.path}: {error.strerror or error}"
    return ""


def page(screen: Screen, shown: Shown) -> str:
    """In French, then English, on one sheet that asks for nothing else."""
    said, english, colour = _answer(screen, shown)
    coming = "".join(f"<li>{one}</li>" for one in _coming(screen, shown))
    as_of = f"D’après les règles de {escape(screen.name)}, à jour à {_hour(screen, shown.at)}, sans le serveur."
    lamp = "".join(f"<p>{one}</p>" for one in LAMP)
    return PAGE.format(
        name=escape(screen.name),
        colour=colour,
        said=said,
        english=english,
        coming=f"<ul>{coming}</ul>" if coming else "",
        as_of=as_of,
        at=shown.at,
        silent=SILENT,
        lamp=lamp,
    )


def _answer(screen: Screen, shown: Shown) -> tuple[str, str, str]:
    """French, English, and the colour's name: open, shut or need."""
    known = shown.known
    if known is None:
        return *LAMP, "need"
    if known.state.lockdown:
        return "Lieu confiné : seule l’équipe entre", "Lockdown: only the team enters", "need"
    now = opening(known.rules, known.shifts, known.state, known.at)
    if not now.open:
        if degree(known, known.at).degree is Degree.UNCERTAIN:
            return "Pas sûr pour l’instant", "Not sure for now", "need"
        return "Fermé", "Closed", "shut"
    if now.endless:
        return "Ouvert", "Open", "open"
    if now.until is None or now.until <= known.at:
        return "Ouvert, pour quelques minutes encore", "Open for some minutes more", "open"
    hour = _hour(screen, now.until)
    return f"Ouvert jusqu’à {hour}", f"Open until {hour}", "open"


def _coming(screen: Screen, shown: Shown) -> list[str]:
    """What follows until the site day ends, of what is not over; one line for each time of one degree."""
    known = shown.known
    if known is None or known.state.lockdown:
        return []
    found: list[Stretch] = []
    for one in stretches(known, known.at, known.rules.day_end(known.at)):
        if one.degree is Degree.NOBODY or one.start >= one.end:
            continue
        if found and (found[-1].end, found[-1].degree) == (one.start, one.degree):
            one = Stretch(found.pop().start, one.end, one.degree, one.by)
        found.append(one)
    return [f"{_hour(screen, one.start)} – {_hour(screen, one.end)}{SURENESS[one.degree]}" for one in found]


def _hour(screen: Screen, at: Instant) -> str:
    """18 h 30, 22 h."""
    when = datetime.fromtimestamp(at / 1000, screen.zone)
    minutes = f" {when.minute:02}" if when.minute else ""
    return f"{when.hour} h{minutes}".replace(" ", "\N{NO-BREAK SPACE}")


PAGE = """<!doctype html>
<html lang="fr">
<meta charset="utf-8">
<meta http-equiv="refresh" content="20">
<title>{said}</title>
<style>
body {{ margin: 0; padding: 4vw; font: 3.2vmin/1.4 sans-serif; color: #111; background: #fff; }}
main {{ border: 1vmin solid #555; border-radius: 2vmin; padding: 4vmin; }}
main.open {{ border-color: #1a7f37; }} main.need {{ border-color: #b35900; }}
h1 {{ margin: 0; font-size: 11vmin; line-height: 1.1; }}
[lang=en] {{ font-size: 5vmin; margin: 1vmin 0 0; }} ul {{ font-size: 5vmin; list-style: none; padding: 0; }}
#old {{ display: none; font-size: 8vmin; font-weight: bold; }}
.old #old {{ display: block; }} .old #now {{ display: none; }}
</style>
<body>
<p>{name}</p>
<main class="{colour}">
<div id="now"><h1>{said}</h1><p lang="en">{english}</p>{coming}</div>
<div id="old">{lamp}</div>
</main>
<p>{as_of}</p>
<script>
function look() {{ document.body.classList.toggle("old", Date.now() - {at} > {silent}); }}
look(); setInterval(look, 5000);
</script>
</body>
</html>
"""
