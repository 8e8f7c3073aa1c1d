"""What is wrong with the site's machines, the worst first, each with what helps? For *Santé* and `loquet doctor`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta

from console.finding import AHEAD, FULL_MB, NARROW_MB, Level, Unreached
from console.version import version
from policy.instants import of
from policy.terms import Instant
from server.health import Copies, Health
from server.queries.health import Machine
from server.queries.names import Called
from server.queries.now import SILENT, EdgeLine
from server.text import edges as text
from server.text.dates import day, when
from server.text.translate import gettext, ngettext

LITTLE_MB = 200
"""Of an edge's card."""
HOT = 80
"""°C, at which a Pi begins to slow itself down."""
COLOURS = {Level.WRONG: "bad", Level.LOOK: "warn", Level.NOTE: "quiet", Level.WELL: "good"}
"""As the pages mark them, the worst first."""
LEVELS = {colour: level for level, colour in COLOURS.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was looked at. what: the same in each language, for terminals and programs. about: which machine.

    helps: empty where nothing need be done. link: the endpoint of the page that helps.
    """

    what: str
    level: Level
    about: str
    said: str
    helps: str = ""
    link: str = ""

    @property
    def colour(self) -> str:
        return COLOURS[self.level]


def of_server(health: Health, unsent: int, now: Instant) -> Iterator[Found]:
    """What the server's own machine shows. unsent: messages that could not be sent."""
    about = gettext("Le serveur")
    yield _broker(health.broker, about)
    yield from _copies(health.copies, about, now)
    yield from _certificate(health.certificate, about, now)
    yield from _disk(health.free, about)
    yield _version(health.newer, about)
    yield _mail(health.mail, unsent, about)


def _broker(fault: Unreached | None, about: str) -> Found:
    if fault is None:
        return Found("broker", Level.WELL, about, gettext("le broker répond"))
    why = text.in_english(fault.why)
    if fault.tls:
        helps = gettext("Vérifiez host, ca.crt et les deux horloges (docs/keys.md).")
        return Found("broker", Level.WRONG, about, gettext("le broker et lui ne se croient pas%(why)s", why=why), helps)
    helps = gettext("Les portes décident seules. Vérifiez que mosquitto tourne : systemctl status mosquitto.")
    return Found("broker", Level.WRONG, about, gettext("le broker ne répond pas%(why)s", why=why), helps)


def _copies(places: Iterable[Copies] | None, about: str, now: Instant) -> Iterator[Found]:
    if places is None:
        helps = gettext("Écrivez [backup] dans server.toml, avec la clé que montre loquet keys list.")
        yield Found("backup", Level.WRONG, about, gettext("la base n’est pas sauvegardée"), helps)
    for one in places or ():
        said = gettext("la sauvegarde sur %(place)s", place=one.place) if one.place else gettext("la sauvegarde")
        if one.at is None:
            told = gettext("%(copies)s n’a jamais été faite", copies=said)
        else:
            told = gettext("%(copies)s date de %(at)s", copies=said, at=when(one.at, now))
        what = f"backup at {one.place}" if one.place else "backup"
        if not one.late:
            yield Found(what, Level.WELL, about, told)
            continue
        helps = gettext("Sur le serveur, « sudo loquet server backup » dit ce qui l’empêche.")
        if one.place:
            helps = gettext("La clé USB est-elle branchée, l’autre machine allumée ? %(more)s", more=helps)
        yield Found(what, Level.WRONG, about, told + text.in_english(one.why), helps)


def _certificate(ends: datetime | None, about: str, now: Instant) -> Iterator[Found]:
    if ends is None:
        return
    left = timedelta(milliseconds=ends.timestamp() * 1000 - now)
    if left > AHEAD:
        if ends.year == MAXYEAR:
            told = gettext("son certificat n’a pas de fin")
        else:
            told = gettext("son certificat est valable jusqu’au %(day)s", day=day(ends))
        yield Found("certificate", Level.WELL, about, told)
        return
    helps = gettext("Sur l’ordinateur qui garde les clés : loquet keys rotate, puis portez-les ici.")
    level = Level.WRONG if left <= timedelta() else Level.LOOK
    yield Found("certificate", level, about, gettext("son certificat finit le %(day)s", day=day(ends)), helps)


def _disk(free: int | None, about: str) -> Iterator[Found]:
    if free is None:
        return
    told = gettext("il reste %(free)s Mo sur le disque", free=free)
    if free >= NARROW_MB:
        yield Found("disk", Level.WELL, about, told)
        return
    helps = gettext("Faites de la place : journalctl --vacuum-size=50M, ou une plus grande carte.")
    yield Found("disk", Level.WRONG if free < FULL_MB else Level.LOOK, about, told, helps)


def _version(newer: str, about: str) -> Found:
    if not newer:
        return Found("version", Level.WELL, about, gettext("version %(number)s", number=version()))
    told = gettext("la version %(number)s tourne, %(newer)s est là", number=version(), newer=newer)
    return Found("version", Level.LOOK, about, told, gettext("Sur le serveur : sudo loquet update."))


def _mail(fault: str | None, unsent: int, about: str) -> Found:
    if fault is None:
        helps = gettext("Pour qu’il en envoie : [smtp] dans server.toml.")
        return Found("mail", Level.NOTE, about, gettext("n’envoie pas d’e-mail"), helps)
    if fault:
        told = gettext("le serveur d’e-mail ne répond pas (%(why)s)", why=fault)
        return Found("mail", Level.WRONG, about, told, gettext("Corrigez host et port sous [smtp] de server.toml."))
    if unsent:
        told = ngettext("%(num)s message n’est pas parti", "%(num)s messages ne sont pas partis", unsent)
        return Found("mail", Level.LOOK, about, told, gettext("Lisez pourquoi dans les messages."), "messages.page")
    return Found("mail", Level.WELL, about, gettext("aucun e-mail n’attend"))


def of_edges(
    edges: Iterable[EdgeLine], machines: Mapping[str, Machine], called: Called, now: Instant
) -> Iterator[Found]:
    """What each edge last said. Of one that is silent nothing but since when: what it said then may be so no more."""
    for edge in edges:
        what, about, told = f"edge {edge.id}", text.name_of(edge, called), text.told(edge, called, now)
        heard = None if edge.last_seen is None else of(edge.last_seen)
        if edge.online and (heard is None or heard < now - SILENT):
            since = when(heard, now) if heard else gettext("longtemps")
            helps = gettext("Vérifiez son réseau et son courant. Ce qu’elle a dit avant ne compte plus.")
            yield Found(what, Level.WRONG, about, gettext("muette depuis %(since)s", since=since), helps)
            continue
        if not edge.online:
            yield _split(told[0], what, about)
            continue
        found = [_split(said, what, about) for said in told if said.colour in ("bad", "warn")]
        found += _machine(machines.get(edge.id), what, about)
        yield from found or [Found(what, Level.WELL, about, told[0].text)]


def _machine(machine: Machine | None, what: str, about: str) -> Iterator[Found]:
    if machine is None:
        return
    if machine.free is not None and machine.free < LITTLE_MB:
        helps = gettext("Faites de la place, ou mettez une plus grande carte.")
        yield Found(what, Level.LOOK, about, gettext("il reste %(free)s Mo sur sa carte", free=machine.free), helps)
    if machine.temperature is not None and machine.temperature >= HOT:
        told = gettext("son processeur est à %(heat)s °C", heat=round(machine.temperature))
        yield Found(what, Level.LOOK, about, told, gettext("Donnez-lui de l’air : il ralentit."))
    if machine.software and machine.software != version():
        helps = gettext("Mettez-la à jour : ansible-playbook upgrade.yml.")
        told = gettext("version %(its)s, le serveur a la %(ours)s", its=machine.software, ours=version())
        yield Found(what, Level.LOOK, about, told, helps)


def _split(said: text.Said, what: str, about: str) -> Found:
    """What is wrong, and behind the colon what helps."""
    wrong, _, helps = said.text.partition(" : ") if " : " in said.text else said.text.partition(": ")
    return Found(what, LEVELS[said.colour], about, wrong, helps[:1].upper() + helps[1:] + "." if helps else "")


def worst_first(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda one: list(COLOURS).index(one.level))
