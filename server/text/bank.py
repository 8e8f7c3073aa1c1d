"""The bank of hours in words: what is owed, each line with what says so, and how it is counted here."""

from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_date

from policy.bundle import TimeBank
from policy.terms import MINUTE
from server.models import BankCount
from server.queries.bank import Balance, Line, Sort
from server.queries.current import Current
from server.text.carnets import named
from server.text.dates import NBSP, calendar_day, day, hours, lasting
from server.text.translate import N_, gettext, language, ngettext

MINUS = "−"
SORTS = {
    Sort.HELD: N_("garde"),
    Sort.CREDIT: N_("crédit"),
    Sort.USED: N_("coworking"),
    Sort.EXPIRED: N_("expirée"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """amount: what counts now, wrong: what was counted before. proof: what says so, a line each. open: in dispute.

    entry: the one to contest, None for what nobody books.
    """

    day: str
    sort: str
    amount: str
    wrong: tuple[str, ...]
    proof: tuple[str, ...]
    entry: int | None
    open: bool


def signed(minutes: int) -> str:
    """+ 2 h, − 45 min."""
    return f"{MINUS if minutes < 0 else '+'} {lasting(abs(minutes))}".replace(" ", NBSP)


def plain(minutes: int) -> str:
    """The same of a balance: 14 h 30, − 2 h."""
    said = f"{MINUS} {lasting(-minutes)}" if minutes < 0 else lasting(minutes)
    return said.replace(" ", NBSP)


def owed(balance: Balance) -> str:
    """14 h 30, dont 3 demi-journées de garde sur le carnet."""
    if not balance.units:
        return gettext("%(hours)s de coworking", hours=plain(balance.owed))
    return ngettext(
        "%(hours)s de coworking, dont %(num)s unité de garde sur le carnet",
        "%(hours)s de coworking, dont %(num)s unités de garde sur le carnet",
        balance.units,
        hours=plain(balance.owed),
    )


def month(first: date) -> str:
    """novembre 2026"""
    return format_date(first, "MMMM y", locale=language())


def short_month(first: date) -> str:
    """nov. 2026"""
    return format_date(first, "MMM y", locale=language())


def said(line: Line, current: Current) -> Said:
    counts = line.minutes if line.counts is None else line.counts
    return Said(
        day=calendar_day(line.day),
        sort=gettext(SORTS[line.sort]),
        amount=signed(0 if line.counts is None and line.entry is not None else counts),
        wrong=tuple(lasting(abs(one)) for one in line.wrong),
        proof=tuple(_proof(line, current)),
        entry=None if line.entry is None else line.entry.id,
        open=line.disputed is not None,
    )


def _proof(line: Line, current: Current) -> list[str]:
    if line.sort is Sort.USED:
        return [gettext("demi-journée payée : %(unit)s", unit=named(line.unit))]
    if line.sort is Sort.EXPIRED:
        return [gettext("gagnée et pas prise avant son dernier jour")]
    told, entry = [], line.entry
    if entry is not None and entry.start is not None and entry.end is not None:
        told.append(gettext("prévue %(hours)s", hours=hours(entry.start, entry.end)))
        told.append(_inside(entry.inside))
    if line.sort is Sort.CREDIT:
        told += _credit(line, current)
    if line.wrong and entry is not None:
        was = gettext(" et ").join(lasting(abs(one)) for one in line.wrong)
        if line.counts is None:
            told.append(gettext("Comptée %(was)s, annulée le %(day)s.", was=was, day=day(entry.at)))
        else:
            now = plain(line.counts)
            told.append(gettext("Comptée %(was)s, puis %(now)s le %(day)s.", was=was, now=now, day=day(entry.at)))
        if line.minutes != (line.counts or 0):
            told.append(gettext("Dans ce mois : %(minutes)s.", minutes=signed(line.minutes)))
    return told


def _inside(inside: list[int]) -> str:
    if not inside:
        return gettext("aucun badge pendant la garde")
    spans = zip(inside[::2], inside[1::2], strict=True)
    return gettext("badge %(hours)s", hours=", ".join(hours(a * MINUTE, b * MINUTE) for a, b in spans))


def _credit(line: Line, current: Current) -> list[str]:
    known = next((one for one in current.bundle.credits if one.id == line.source[1]), None)
    if known is None:
        return [gettext("ce crédit n’existe plus")]
    called = current.called.member
    by, attested = called(known.by) or known.by, called(known.attested or "") or known.attested or ""
    return [f"« {known.why} »", gettext("proposé par %(by)s, attesté par %(attested)s", by=by, attested=attested)]


def rules(bank: TimeBank) -> list[str]:
    """How it is counted here."""
    rate = bank.rate * 60 // 100
    told = [
        gettext(
            "1 h tenue = %(rate)s de coworking, arrondi à %(round)s près.",
            rate=lasting(rate),
            round=lasting(bank.round),
        )
    ]
    if bank.min_share:
        told.append(gettext("Une garde compte si vous en tenez %(share)s %% au moins.", share=bank.min_share))
    told.append(
        gettext("%(unit)s font une demi-journée, ajoutée au carnet de qui en a un.", unit=lasting(bank.unit_minutes))
    )
    if bank.valid_months:
        told.append(
            ngettext(
                "Elle vaut jusqu’à la fin du mois d’après.",
                "Elle vaut jusqu’à la fin du %(num)se mois d’après.",
                bank.valid_months,
            )
        )
    else:
        told.append(gettext("Elle n’expire pas."))
    if bank.shared:
        told.append(gettext("Les gardiens lisent le solde de chacun ; le détail, vous et l’équipe."))
    return told


def recounted(count: BankCount | None) -> str:
    """Recompté le jeu. 26 nov., 0 minute d’écart; empty before the first time."""
    if count is None:
        return ""
    off = ngettext("%(num)s minute d’écart", "%(num)s minutes d’écart", count.off)
    return gettext("Recompté le %(day)s, %(off)s.", day=day(count.counted), off=off)


def months_back(today: date, count: int) -> list[date]:
    """The first days of this month and those before, the oldest first."""
    found = [today.replace(day=1)]
    while len(found) < count:
        found.append((found[-1] - timedelta(1)).replace(day=1))
    return found[::-1]


def last_of(first: date) -> date:
    """The last day of the month that begins then."""
    return (first + timedelta(31)).replace(day=1) - timedelta(1)
