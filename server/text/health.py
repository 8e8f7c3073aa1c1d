"""What is wrong with the site's machines, the worst first, each with what helps? As `loquet doctor` says it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.finding import AHEAD, FULL_MB, NARROW_MB
from console.version import version
from policy.instants import of
from policy.terms import Instant
from server.health import Copies, Health
from server.queries.current import Current
from server.queries.health import Machine
from server.queries.now import SILENT, EdgeLine
from server.text import edges as text
from server.text.dates import day, when
from server.text.translate import gettext, ngettext

LITTLE_MB = 200
"""Of an edge's card (server/doctor.py says the same)."""
HOT = 80
"""°C, at which a Pi begins to slow itself down."""
ORDER = ("bad", "warn", "quiet", "good")


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was looked at. colour: bad, warn, quiet or good. about: which machine. helps: empty where nothing
    need be done. link: the endpoint of the page that helps."""

    colour: str
    about: str
    said: str
    helps: str = ""
    link: str = ""


def of_server(health: Health, *, link_up: bool, sends: bool, unsent: int, now: Instant) -> Iterator[Found]:
    """What the server's own machine shows."""
    about = gettext("Le serveur")
    if not link_up:
        helps = gettext("Les portes décident seules. Vérifiez que mosquitto tourne : systemctl status mosquitto.")
        yield Found("bad", about, gettext("le broker ne répond pas"), helps)
    if health.copies is None:
        helps = gettext("Écrivez [backup] dans server.toml, avec la clé que montre loquet keys list.")
        yield Found("bad", about, gettext("la base n’est pas sauvegardée"), helps)
    for copies in health.copies or ():
        yield _copies(copies, about, now)
    yield from _certificate(health.certificate, about, now)
    if health.free is not None and health.free < NARROW_MB:
        colour = "bad" if health.free < FULL_MB else "warn"
        helps = gettext("Faites de la place : journalctl --vacuum-size=50M, ou une plus grande carte.")
        yield Found(colour, about, gettext("il reste %(free)s Mo sur le disque", free=health.free), helps)
    if not sends:
        helps = gettext("Pour qu’il en envoie : [smtp] dans server.toml.")
        yield Found("quiet", about, gettext("n’envoie pas d’e-mail"), helps)
    elif unsent:
        said = ngettext("%(num)s message n’est pas parti", "%(num)s messages ne sont pas partis", unsent)
        yield Found("warn", about, said, gettext("Lisez pourquoi dans les messages."), "messages.page")


def _copies(copies: Copies, about: str, now: Instant) -> Found:
    said = gettext("la sauvegarde sur %(place)s", place=copies.place) if copies.place else gettext("la sauvegarde")
    if copies.at is None:
        told = gettext("%(copies)s n’a jamais été faite", copies=said)
    else:
        told = gettext("%(copies)s date de %(at)s", copies=said, at=when(copies.at, now))
    if not copies.late:
        return Found("good", about, told)
    helps = gettext("Sur le serveur, « sudo loquet server backup » dit ce qui l’empêche.")
    if copies.place:
        helps = gettext("La clé USB est-elle branchée, l’autre machine allumée ? %(more)s", more=helps)
    return Found("bad", about, told, helps)


def _certificate(ends: datetime | None, about: str, now: Instant) -> Iterator[Found]:
    if ends is None or ends.timestamp() * 1000 - now > AHEAD / timedelta(milliseconds=1):
        return
    colour = "bad" if ends.timestamp() * 1000 <= now else "warn"
    helps = gettext("Sur l’ordinateur qui garde les clés : loquet keys rotate, puis portez-les ici.")
    yield Found(colour, about, gettext("son certificat finit le %(day)s", day=day(ends)), helps)


def of_edges(
    edges: Iterable[EdgeLine], machines: Mapping[str, Machine], current: Current, now: Instant
) -> Iterator[Found]:
    """What each edge last said. Of one that is silent nothing but since when: what it said then may be so no more."""
    for edge in edges:
        line = text.line(edge, current, now)
        heard = None if edge.last_seen is None else of(edge.last_seen)
        if edge.online and (heard is None or heard < now - SILENT):
            since = when(heard, now) if heard else gettext("longtemps")
            helps = gettext("Vérifiez son réseau et son courant. Ce qu’elle a dit avant ne compte plus.")
            yield Found("bad", line.name, gettext("muette depuis %(since)s", since=since), helps)
            continue
        if not edge.online:
            yield _split(line.said[0].colour, line.name, line.said[0].text)
            continue
        found = [_split(said.colour, line.name, said.text) for said in line.said if said.colour in ("bad", "warn")]
        found += _machine(machines.get(edge.id), line.name)
        yield from found or [Found("good", line.name, line.said[0].text)]


def _machine(machine: Machine | None, about: str) -> Iterator[Found]:
    if machine is None:
        return
    if machine.free is not None and machine.free < LITTLE_MB:
        helps = gettext("Faites de la place, ou mettez une plus grande carte.")
        yield Found("warn", about, gettext("il reste %(free)s Mo sur sa carte", free=machine.free), helps)
    if machine.temperature is not None and machine.temperature >= HOT:
        helps = gettext("Donnez-lui de l’air : il ralentit.")
        yield Found("warn", about, gettext("son processeur est à %(heat)s °C", heat=round(machine.temperature)), helps)
    if machine.software and machine.software != version():
        helps = gettext("Mettez-la à jour : ansible-playbook upgrade.yml.")
        told = gettext("version %(its)s, le serveur a la %(ours)s", its=machine.software, ours=version())
        yield Found("warn", about, told, helps)


def _split(colour: str, about: str, said: str) -> Found:
    """What is wrong, and behind the colon what helps."""
    wrong, _, helps = said.partition(" : ") if " : " in said else said.partition(": ")
    return Found(colour, about, wrong, helps[:1].upper() + helps[1:] + "." if helps else "")


def worst_first(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda one: ORDER.index(one.colour))
