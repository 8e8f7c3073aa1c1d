"""An alert in words: what is wrong, where, and what helps."""

from dataclasses import dataclass

from policy.terms import Instant
from server.queries.alerts import BAD, Alert, Sort
from server.queries.current import Current
from server.text.dates import opens, when
from server.text.named import reader_of
from server.text.translate import gettext, ngettext


@dataclass(frozen=True, slots=True)
class Told:
    """title: the sort. what: where, since when. helps: what to do. bad: broken, else somebody is wanted."""

    alert: Alert
    title: str
    what: str
    helps: str
    bad: bool


def told(alert: Alert, current: Current, now: Instant) -> Told:
    title, helps = _words(alert)
    return Told(alert, title, _where(alert, current, now), helps, alert.sort in BAD)


def _where(alert: Alert, current: Current, now: Instant) -> str:
    if alert.sort is Sort.UNKNOWN:
        many = ngettext("%(num)s badge", "%(num)s badges", alert.count)
        return gettext("%(many)s en 24 h, le dernier : %(since)s", many=many, since=when(alert.since or now, now))
    if alert.sort is Sort.LEFT:
        since = when(alert.since or now, now)
        return ngettext(
            "%(num)s personne, et plus de gardien depuis %(since)s",
            "%(num)s personnes, et plus de gardien depuis %(since)s",
            alert.count,
            since=since,
        )
    if alert.sort is Sort.CONTESTED:
        who = current.called.member(alert.place) or alert.place
        return gettext("%(who)s, %(at)s", who=who, at=when(alert.since or now, now))
    if alert.sort is Sort.BANK:
        off = ngettext("%(num)s minute d’écart", "%(num)s minutes d’écart", alert.count)
        return gettext("%(off)s, recompté %(at)s", off=off, at=opens(alert.since or now, now))
    if alert.sort is Sort.BACKUP:
        newest = when(alert.since, now) if alert.since else gettext("jamais")
        return gettext("la plus récente : %(at)s", at=newest)
    place = reader_of(current.called, alert.place) if alert.sort is Sort.READER else current.called.place(alert.place)
    if alert.since is None:
        return place
    if alert.sort is Sort.FORCED:
        return gettext("%(who)s, %(at)s", who=place, at=opens(alert.since, now))
    return gettext("%(place)s, depuis %(since)s", place=place, since=when(alert.since, now))


def _words(alert: Alert) -> tuple[str, str]:
    return {
        Sort.FORCED: (
            gettext("Porte forcée"),
            gettext("Ouverte sans badge ni bouton. Allez voir qui est entré. L’alerte reste 24 h."),
        ),
        Sort.LEFT: (
            gettext("Quelqu’un est resté dedans"),
            gettext("Le dernier gardien est sorti sans fermer. Appelez-le, ou allez voir qui est encore là."),
        ),
        Sort.SILENT: (
            gettext("Boîtier muet"),
            gettext("La porte décide seule et garde ses passages. Vérifiez son réseau et son courant."),
        ),
        Sort.TWINS: (
            gettext("Deux boîtiers sous un nom"),
            gettext("Ils se coupent la parole. Arrêtez celui qui est de trop."),
        ),
        Sort.READER: (gettext("Lecteur en panne"), gettext("Il ne lit plus de badge. Vérifiez son câble.")),
        Sort.JOURNAL: (
            gettext("Journal en défaut"),
            gettext("Ce qui se passe n’est plus écrit. Libérez ou changez la carte SD."),
        ),
        Sort.CLOCK: (
            gettext("Horloge perdue"),
            gettext("Seuls l’équipe, les gardiens et les accès permanents entrent. Vérifiez le réseau ou la pile."),
        ),
        Sort.BACKUP: (
            gettext("Sauvegarde en retard"),
            gettext("Ce qui a été décidé depuis se perdrait avec le disque du serveur. Santé dit quoi faire."),
        ),
        Sort.BANK: (
            gettext("Banque d’heures fausse"),
            gettext("Le grand livre ne dit pas ce que disent les badges. Gardez une sauvegarde et signalez-le."),
        ),
        Sort.HELD: (gettext("Porte tenue ouverte"), gettext("Fermez-la, ou voyez ce qui la bloque.")),
        Sort.CONTESTED: (
            gettext("Correction contestée"),
            gettext("Ce membre dit qu’une présence notée sans badge n’est pas juste. Lisez, corrigez, répondez."),
        ),
        Sort.UNKNOWN: (
            gettext("Badges inconnus"),
            gettext("Quelqu’un attend peut-être son badge : voyez à l’accueil à qui il est."),
        ),
    }[alert.sort]
