"""How is it said how the machines are used? Rows of a month, and the list that leaves for a spreadsheet."""

from dataclasses import dataclass
from datetime import date

from server.queries.machine_ends import End
from server.queries.machine_figures import Figures, Tally
from server.queries.names import Called
from server.queries.now import few
from server.text.bank import plain
from server.text.sheets import Cell, Sheet
from server.text.translate import N_, gettext, ngettext

ENDS = {
    End.HOUR: N_("à l’heure"),
    End.BEFORE: N_("avant l’heure"),
    End.OVERRUN: N_("après l’heure"),
    End.ORDER: N_("par un responsable"),
    End.STOP: N_("arrêt d’urgence"),
    End.RUNS: N_("en cours"),
}
NONE = "–"


@dataclass(frozen=True, slots=True)
class Line:
    """A machine in one month, each figure in words."""

    machine: str
    name: str
    hours: str
    sessions: str
    people: str
    ends: str
    over: str
    absent: str
    refused: str
    faults: str


def lines(found: Figures, month: date, called: Called) -> list[Line]:
    """Every machine of the site, and those that ran then and are gone."""
    return [_line(one, found.of(one, month), called) for one in found.machines]


def _line(machine: str, tally: Tally, called: Called) -> Line:
    return Line(
        machine,
        called.place(machine),
        lasting(tally.seconds),
        number(tally.sessions),
        people(len(tally.people)),
        ", ".join(f"{tally.ends[end]} {gettext(name)}" for end, name in ENDS.items() if tally.ends[end]) or NONE,
        lasting(tally.over),
        number(tally.absent),
        number(tally.refused),
        number(tally.faults),
    )


def totals(found: Figures, called: Called) -> list[tuple[str, list[str]]]:
    """Each machine with its hours by month, and in all."""
    return [
        (
            called.place(one),
            [
                *(lasting(found.of(one, month).seconds) for month in found.months),
                lasting(found.ever.get(one, 0)),
            ],
        )
        for one in found.machines
    ]


def headline(found: Figures, month: date) -> str:
    """38 h de machines"""
    ran = sum(one.seconds for one in _of(found, month))
    return gettext("%(hours)s de machines", hours=lasting(ran)) if ran else gettext("Aucune machine n’a tourné")


def ground(found: Figures, month: date) -> str:
    """41 sessions, 12 personnes, 3 dépassements, 2 réservations sans personne."""
    all_ = _of(found, month)
    sessions, overruns = sum(one.sessions for one in all_), sum(one.ends[End.OVERRUN] for one in all_)
    absent, who = sum(one.absent for one in all_), len(set().union(*(one.people for one in all_)))
    said = [ngettext("%(num)s session", "%(num)s sessions", sessions)] if sessions else []
    if who:
        known = ngettext("%(num)s personne", "%(num)s personnes", who)
        said.append(known if few(who) else gettext("moins de 3 personnes"))
    if overruns:
        said.append(ngettext("%(num)s dépassement", "%(num)s dépassements", overruns))
    if absent:
        said.append(ngettext("%(num)s réservation sans personne", "%(num)s réservations sans personne", absent))
    return ", ".join(said)


def _of(found: Figures, month: date) -> list[Tally]:
    return [found.of(machine, month) for machine in found.machines]


def lasting(seconds: int) -> str:
    """38 h 05; of less than a minute that was used 1 min."""
    return plain(max(1, seconds // 60)) if seconds else NONE


def number(many: int) -> str:
    return str(many) if many else NONE


def people(many: int) -> str:
    if not many:
        return NONE
    return str(many) if few(many) else gettext("moins de 3")


def sheet(found: Figures, called: Called) -> Sheet:
    """Each machine in each month; hours and overruns in minutes."""
    headings = [
        gettext("Mois"), gettext("Machine"), gettext("Minutes"), gettext("Sessions"), gettext("Personnes"),
        *(gettext("Fin : %(how)s", how=gettext(name)) for name in ENDS.values()),
        gettext("Minutes de trop"), gettext("Absences"), gettext("Refus"), gettext("Soucis signalés"),
    ]  # fmt: skip
    rows: list[list[Cell]] = []
    for month in found.months:
        for machine in found.machines:
            one = found.of(machine, month)
            ends = [one.ends[end] for end in ENDS]
            told: list[Cell] = [one.seconds // 60, one.sessions, people(len(one.people)), *ends, one.over // 60]
            rows.append([month, called.place(machine), *told, one.absent, one.refused, one.faults])
    return Sheet(gettext("Machines"), headings, rows)
