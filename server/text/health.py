"""What is wrong with the site's machines, the worst first, each with what helps? For *Santé* and `loquet doctor`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.finding import AHEAD, FULL_MB, NARROW_MB, Level, Unreached
from console.version import version
from console.wear import WORN, WORN_OUT
from policy.instants import BELIEVED, of
from policy.terms import DAY, Instant
from server.health import Copies, Health
from server.queries.health import Machine
from server.queries.names import Called
from server.queries.now import SILENT, EdgeLine
from server.text import edges as text
from server.text.dates import day, when
from server.text.translate import gettext, ngettext

LITTLE_MB = 200
"""Of an edge's card."""
GB = 1000
"""In MB."""
HOT = 80
"""°C, at which a Pi begins to slow itself down."""
SOON = 3 * DAY
"""So long before an edge's rules are too old it is told of."""
COLOURS = {Level.WRONG: "bad", Level.LOOK: "warn", Level.NOTE: "quiet", Level.WELL: "good"}
"""As the pages mark them, the worst first."""
LEVELS = {colour: level for level, colour in COLOURS.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was looked at. what: the same in each language, for terminals and programs. about: which edge, or
    what of the server.

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


def of_server(health: Health, unsent: int, now: Instant, gone: Sequence[str] = ()) -> Iterator[Found]:
    """What the server's own machine shows. unsent: messages that were not sent. gone: whose address takes no mail."""
    yield _broker(health.broker, gettext("Lien avec les boîtiers"))
    yield from _copies(health.copies, gettext("Sauvegarde"), now)
    certificate, wear = gettext("Certificat du serveur"), gettext("Usure du disque du serveur")
    yield _certificate("certificate", certificate, health.certificate, now) or _unknown(
        "certificate",
        certificate,
        gettext("la fin de son certificat n’est pas connue ; sans liaison chiffrée il n’en a pas"),
    )
    yield _disk(health.free, gettext("Disque du serveur"))
    yield _wear("wear", wear, health.wear) or _unknown("wear", wear, gettext("l’usure de son disque n’est pas connue"))
    yield _version(health.newer, gettext("Version du serveur"))
    yield _mail(health.mail, unsent, gettext("Courriel"))
    yield from _gone(gone, gettext("Adresses de courriel"))


def _broker(fault: Unreached | None, about: str) -> Found:
    if fault is None:
        return Found("broker", Level.WELL, about, gettext("le lien avec les boîtiers est là"))
    why = text.in_english(fault.why)
    if fault.tls:
        helps = gettext("Vérifiez host, ca.crt et les deux horloges (docs/keys.md).")
        said = gettext("le lien avec les boîtiers est coupé : mosquitto et lui ne se croient pas%(why)s", why=why)
        return Found("broker", Level.WRONG, about, said, helps)
    helps = gettext("Les portes décident seules. Vérifiez que mosquitto tourne : systemctl status mosquitto.")
    said = gettext("le lien avec les boîtiers est coupé : mosquitto ne répond pas%(why)s", why=why)
    return Found("broker", Level.WRONG, about, said, helps)


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


def _unknown(what: str, about: str, said: str) -> Found:
    """What nobody says is not well."""
    return Found(what, Level.NOTE, about, said)


def _certificate(what: str, about: str, ends: datetime | None, now: Instant) -> Found | None:
    """None where it does not say when it ends."""
    if ends is None:
        return None
    left = timedelta(milliseconds=ends.timestamp() * 1000 - now)
    if left > AHEAD:
        return Found(what, Level.WELL, about, _lasts(ends))
    helps = gettext("Sur l’ordinateur qui garde les clés : loquet keys rotate, puis portez-les ici.")
    level = Level.WRONG if left <= timedelta() else Level.LOOK
    return Found(what, level, about, gettext("son certificat finit le %(day)s", day=day(ends)), helps)


def _lasts(ends: datetime) -> str:
    if ends.year >= BELIEVED[-1]:
        return gettext("son certificat n’a pas de fin")
    return gettext("son certificat est valable jusqu’au %(day)s", day=day(ends))


def _wear(what: str, about: str, used: int | None) -> Found | None:
    """None where the kernel does not say it: of memory cards it does not."""
    if used is None:
        return None
    told = gettext("sa carte est usée à %(used)s %%", used=used)
    if used < WORN:
        return Found(what, Level.WELL, about, told)
    level = Level.WRONG if used >= WORN_OUT else Level.LOOK
    return Found(what, level, about, told, gettext("Remplacez-la avant qu’elle ne meure."))


def _disk(free: int | None, about: str) -> Found:
    if free is None:
        return _unknown("disk", about, gettext("la place sur le disque de la base n’est pas connue"))
    told = gettext("il reste %(free)s sur le disque", free=_size(free))
    if free >= NARROW_MB:
        return Found("disk", Level.WELL, about, told)
    helps = gettext("Faites de la place : journalctl --vacuum-size=50M, ou une plus grande carte.")
    return Found("disk", Level.WRONG if free < FULL_MB else Level.LOOK, about, told, helps)


def _size(free: int) -> str:
    """Of what is left, in MB: in GB from one on."""
    return gettext("%(size)s Mo", size=free) if free < GB else gettext("%(size)s Go", size=free // GB)


def _version(newer: str, about: str) -> Found:
    if not newer:
        return Found("version", Level.WELL, about, gettext("version %(number)s", number=version()))
    told = gettext("la version %(number)s tourne, %(newer)s est là", number=version(), newer=newer)
    return Found("version", Level.LOOK, about, told, gettext("Sur le serveur : sudo loquet update."))


def _mail(fault: str | None, unsent: int, about: str) -> Found:
    if fault is None:
        helps = gettext("Pour qu’il en envoie : [smtp] dans server.toml.")
        return Found("mail", Level.NOTE, about, gettext("le serveur n’envoie pas de courriel"), helps)
    if fault:
        told = gettext("le serveur de courriel ne répond pas (%(why)s)", why=fault)
        return Found("mail", Level.WRONG, about, told, gettext("Corrigez host et port sous [smtp] de server.toml."))
    if unsent:
        told = ngettext("%(num)s message n’est pas parti", "%(num)s messages ne sont pas partis", unsent)
        return Found("mail", Level.LOOK, about, told, gettext("Lisez pourquoi dans les messages."), "messages.page")
    return Found("mail", Level.WELL, about, gettext("aucun courriel n’attend"))


def _gone(names: Sequence[str], about: str) -> Iterator[Found]:
    if names:
        told = gettext("le courriel n’arrive pas à %(names)s", names=", ".join(names))
        helps = gettext("Demandez à la personne, de vive voix, une adresse qui marche ou une autre voie.")
        yield Found("address", Level.LOOK, about, told, helps, "messages.page")


def of_edges(
    edges: Iterable[EdgeLine], machines: Mapping[str, Machine], called: Called, now: Instant
) -> Iterator[Found]:
    """What each edge last said. Of one that is silent nothing but since when: what it said then may be so no more."""
    for edge in edges:
        what, about, told = f"edge {edge.id}", text.name_of(edge, called), text.told(edge, called, now)
        heard, machine = None if edge.last_seen is None else of(edge.last_seen), machines[edge.id]
        silent = edge.online and (heard is None or heard < now - SILENT)
        if silent:
            since = when(heard, now) if heard else gettext("longtemps")
            helps = gettext("Vérifiez son réseau et son courant. Ce qu’il a dit avant ne compte plus.")
            yield Found(what, Level.WRONG, about, gettext("muette depuis %(since)s", since=since), helps)
        elif not edge.online:
            yield _split(told[0], what, about)
        if silent or not edge.online:
            if machine.rules is not None:  # that stays true
                yield _rules(machine.rules, what, about, now)
            continue
        looked_at = [*_machine(machine, what, about, now)]
        found = [_split(said, what, about) for said in told if said.colour in ("bad", "warn")]
        found += [one for one in looked_at if one.level is not Level.WELL]
        if not found:
            said = " · ".join((told[0].text, *(one.said for one in looked_at)))
            found = [Found(what, Level.WELL, about, said)]
        yield from found
        if unsaid := dict(_unsaid(machine)):
            told_of = gettext("son boîtier ne dit pas : %(what)s", what=", ".join(unsaid))
            yield Found(what, Level.NOTE, about, told_of, " ".join(dict.fromkeys(unsaid.values())))


def _unsaid(machine: Machine) -> Iterator[tuple[str, str]]:
    """What it does not say, and what helps or why nothing need be done."""
    older = gettext("Mettez-le à jour : ansible-playbook upgrade.yml.")
    known = (
        (gettext("sa version"), machine.software or None, older),
        (gettext("jusqu’à quand ses règles valent"), machine.rules, older),
        (
            gettext("la fin de son certificat"),
            machine.certificate,
            gettext("Sans liaison chiffrée il n’a pas de certificat."),
        ),
        (gettext("la place sur sa carte"), machine.free, older),
        (gettext("l’usure de sa carte"), machine.wear, gettext("Peu de cartes disent leur usure : rien à faire.")),
        (gettext("sa température"), machine.temperature, gettext("Seul un Raspberry Pi dit sa température.")),
    )
    return ((name, helps) for name, value, helps in known if value is None)


def _machine(machine: Machine, what: str, about: str, now: Instant) -> Iterator[Found]:
    """Each thing that it said of itself."""
    if machine.software:
        yield _software(machine.software, what, about)
    if machine.rules is not None:
        yield _rules(machine.rules, what, about, now)
    for one in (_certificate(what, about, machine.certificate, now), _wear(what, about, machine.wear)):
        if one is not None:
            yield one
    if machine.free is not None:
        told, little = gettext("il reste %(free)s sur sa carte", free=_size(machine.free)), machine.free < LITTLE_MB
        helps = gettext("Faites de la place, ou mettez une plus grande carte.")
        yield Found(what, Level.LOOK, about, told, helps) if little else Found(what, Level.WELL, about, told)
    if machine.temperature is not None:
        told = gettext("son processeur est à %(heat)s °C", heat=round(machine.temperature))
        helps, hot = gettext("Donnez-lui de l’air : il ralentit."), machine.temperature >= HOT
        yield Found(what, Level.LOOK, about, told, helps) if hot else Found(what, Level.WELL, about, told)


def _software(its: str, what: str, about: str) -> Found:
    if its == version():
        return Found(what, Level.WELL, about, gettext("version %(number)s", number=its))
    helps = gettext("Mettez-le à jour : ansible-playbook upgrade.yml.")
    told = gettext("version %(its)s, le serveur a la %(ours)s", its=its, ours=version())
    return Found(what, Level.LOOK, about, told, helps)


def _rules(until: datetime, what: str, about: str, now: Instant) -> Found:
    left, told = of(until) - now, gettext("ses règles valent jusqu’au %(day)s", day=day(until))
    if left > SOON:
        return Found(what, Level.WELL, about, told)
    helps = gettext("Remettez son lien avec le serveur : après, elle ne laisse entrer que l’équipe et les gardiens.")
    if left > 0:
        return Found(what, Level.LOOK, about, told, helps)
    helps = gettext("Remettez son lien avec le serveur ; jusque-là elle ne laisse entrer que l’équipe et les gardiens.")
    return Found(
        what, Level.WRONG, about, gettext("ses règles ne valent plus depuis le %(day)s", day=day(until)), helps
    )


def _split(said: text.Said, what: str, about: str) -> Found:
    """What is wrong, and behind the colon what helps."""
    wrong, _, helps = said.text.partition(" : ") if " : " in said.text else said.text.partition(": ")
    return Found(what, LEVELS[said.colour], about, wrong, helps[:1].upper() + helps[1:] + "." if helps else "")


def worst_first(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda one: list(COLOURS).index(one.level))
