"""How are carnets said and drawn? A box for each unit with what became of it, the lines of the account in words.

The same for the desk and for the member whose carnet it is; beside a name one line says what is left.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from policy.bank_units import BANKED
from policy.carnets import compiled
from policy.passes import low_of
from policy.ruleset import Unit
from policy.units import DATE, unit_of
from server.models import CarnetEntry
from server.queries.carnets import Account, Carnet, Stamp
from server.queries.current import Current
from server.queries.people import day_of
from server.text.dates import calendar_day, hour, short_day
from server.text.translate import N_, gettext, ngettext

MOST_BOXES = 60
"""Of one carnet: the newest ones, what is left among them."""
HALVES = {"am": (N_("matin"), N_("matin")), "pm": (N_("après-midi"), N_("ap.-m."))}
"""Whole and in a box."""

UNITS = {"half_day": N_("demi-journées"), "day": N_("journées")}
FLOWS = {
    "opening": N_("reprises d’avant, sans vente notée ici"),
    "sold": N_("vendues"),
    "minted": N_("gagnées en tenant des gardes"),
    "given_back": N_("rendues"),
    "used": N_("utilisées"),
    "expired": N_("expirées ou closes"),
}
"""What changes how much is owed."""


@dataclass(frozen=True, slots=True)
class Box:
    """kind: used, back (given back), left, over (nobody can use it any more). words: of each of its lines."""

    kind: str
    words: tuple[str, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Paid:
    """A day or half-day of a carnet in words. unit: its name. back: who gave it back, when and why, empty if nobody."""

    unit: str
    when: str
    by: str
    back: str
    given_back: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """title: what is left. more: of how many, since when. rest: units that can be moved to another carnet.

    paid: the newest first. hidden: boxes that are not drawn.
    """

    id: str
    title: str
    more: str
    boxes: tuple[Box, ...]
    hidden: int
    paid: tuple[Paid, ...]
    notes: tuple[str, ...]
    unit: str
    rest: int
    over: bool


def said(current: Current, member: str, units: int) -> str:
    """7 demi-journées, in the unit of the member's tier."""
    unit = current.rules.tiers[current.rules.members[member].tier].unit
    if unit is Unit.DAY:
        return ngettext("carnet : reste %(num)s journée", "carnet : reste %(num)s journées", units)
    return ngettext("carnet : reste %(num)s demi-journée", "carnet : reste %(num)s demi-journées", units)


LOW_MAIL = N_(
    "Bonjour,\n\n%(left)s. La lampe de la porte vous le dit aussi. Pour la suite, demandez un autre carnet à l’accueil."
    "\n\nVous pouvez ne plus recevoir ce message : la page « Moi » a un bouton pour cela.\n"
)
ENDS_MAIL = N_(
    "Bonjour,\n\n%(left)s. Après ce jour, ce qui reste ne paie plus d’entrée. La lampe de la porte vous le dit aussi. "
    "Venez d’ici là, ou demandez à l’accueil ce qui est possible."
    "\n\nVous pouvez ne plus recevoir ce message : la page « Moi » a un bouton pour cela.\n"
)
"""Of a message: its text."""


def counted(unit: str, units: int) -> str:
    """4 demi-journées."""
    if unit == Unit.DAY:
        return ngettext("%(num)s journée", "%(num)s journées", units)
    return ngettext("%(num)s demi-journée", "%(num)s demi-journées", units)


def named(name: str) -> str:
    """mar. 24 nov., après-midi; a day without its half."""
    day = calendar_day(date.fromisoformat(name[:DATE]))
    if unit_of(name) is Unit.DAY:
        return day
    return gettext("%(day)s, %(half)s", day=day, half=gettext(HALVES[name[DATE:]][0]))


def shown(account: Account, current: Current, at: int) -> list[Shown]:
    """Those with which somebody can pay first, in the order in which they pay; then those that are over."""
    today = day_of(current, at)
    found = [_shown(account, carnet, current, today) for carnet in account.carnets]
    return sorted(found, key=lambda one: one.over or not one.rest)


def in_all(carnets: Sequence[Shown]) -> str:
    """What is left on all carnets that can pay: 2 journées, 40 demi-journées en tout."""
    left = Counter[str]()
    for one in carnets:
        left[one.unit] += 0 if one.over else one.rest
    said = ", ".join(counted(unit, left[unit]) for unit in UNITS if left[unit])
    return gettext("%(count)s en tout", count=said) if said else ""


def _shown(account: Account, carnet: Carnet, current: Current, today: date) -> Shown:
    stamps = account.stamps(carnet)
    boxes = [_box(stamp) for stamp in stamps]
    over = carnet.over(today)
    free = Box("over", (), gettext("expirée")) if over else Box("left", (), gettext("libre"))
    boxes += [free] * min(carnet.rest, MOST_BOXES)
    total = len(stamps) + carnet.rest
    return Shown(
        id=carnet.held.id,
        title=_title(carnet, today),
        more=_more(account, carnet, current),
        boxes=tuple(boxes[-MOST_BOXES:]),
        hidden=max(0, total - MOST_BOXES),
        paid=tuple(_paid(stamp, current) for stamp in reversed(stamps)),
        notes=tuple(_notes(account, carnet, current)),
        unit=carnet.held.unit,
        rest=carnet.rest,
        over=over,
    )


def _title(carnet: Carnet, today: date) -> str:
    held, count = carnet.held, counted(carnet.held.unit, carnet.rest)
    if held.id.startswith(BANKED):
        count = gettext("%(count)s de garde", count=count)
    if carnet.over(today) and held.valid_until is not None:
        if not carnet.rest:
            return gettext("fini le %(day)s", day=calendar_day(held.valid_until))
        return gettext("%(count)s, plus valables depuis le %(day)s", count=count, day=calendar_day(held.valid_until))
    if held.valid_from is not None and held.valid_from > today:
        return gettext("%(count)s, à partir du %(day)s", count=count, day=calendar_day(held.valid_from))
    if held.valid_until is not None:
        return gettext("%(count)s, jusqu’au %(day)s", count=count, day=calendar_day(held.valid_until))
    return count


def _more(account: Account, carnet: Carnet, current: Current) -> str:
    told = [gettext("sur %(total)s", total=carnet.held.total)]
    for entry in account.of(carnet):
        if entry.did == "minted":
            told.append(gettext("gagnée en tenant une garde"))
        if entry.did == "sold":
            day = calendar_day(entry.at.astimezone(current.zone).date())
            told.append(gettext("carnet pris le %(day)s", day=day))
            told += [entry.price] if entry.price else []
            told.append(gettext("vendu par %(by)s", by=entry.by))
    return ", ".join(told)


def _notes(account: Account, carnet: Carnet, current: Current) -> list[str]:
    """What was moved from it and to it."""
    return [_moved(entry, carnet, current) for entry in account.of(carnet) if entry.did == "moved"]


def _moved(entry: CarnetEntry, carnet: Carnet, current: Current) -> str:
    told = {
        "count": counted(carnet.held.unit, abs(entry.units)),
        "day": calendar_day(entry.at.astimezone(current.zone).date()),
        "by": entry.by,
    }
    if entry.units > 0:
        return gettext("%(count)s d’un autre carnet, le %(day)s par %(by)s", **told)
    return gettext("%(count)s sur un nouveau carnet, le %(day)s par %(by)s", **told)


def _box(stamp: Stamp) -> Box:
    words = [short_day(stamp.day)]
    if unit_of(stamp.name) is Unit.HALF_DAY:
        words.append(gettext(HALVES[stamp.name[DATE:]][1]))
    title = gettext("%(unit)s, rendue", unit=named(stamp.name)) if stamp.given_back else named(stamp.name)
    return Box("back" if stamp.given_back else "used", tuple(words), title)


def _paid(stamp: Stamp, current: Current) -> Paid:
    back = ""
    if stamp.back is not None:
        day = calendar_day(stamp.back.at.astimezone(current.zone).date())
        back = gettext("rendue le %(day)s par %(by)s : %(why)s", day=day, by=stamp.back.by, why=stamp.back.why)
    elif stamp.given_back:
        back = gettext("rendue")
    return Paid(stamp.name, named(stamp.name), _by(stamp), back, stamp.given_back)


def _by(stamp: Stamp) -> str:
    if stamp.entry is not None:
        return gettext("notée par %(by)s : %(why)s", by=stamp.entry.by, why=stamp.entry.why)
    if stamp.before:
        return gettext("payée avant que Loquet compte")
    if stamp.tap is not None:
        return gettext("payée par l’entrée de %(hour)s", hour=hour(stamp.tap))
    return gettext("payée par une entrée")


def low(account: Account, current: Current, member: str, at: int) -> str:
    """What the lamp says by a short amber, in words; empty while enough is left for long enough, or another follows."""
    unit = current.rules.tiers[current.rules.members[member].tier].unit
    usable = [(compiled(carnet.held), carnet.rest) for carnet in account.carnets if carnet.held.unit == unit]
    found, told = low_of(usable, day_of(current, at)), []
    if unit is not None and found.units is not None:
        told.append(gettext("il reste %(count)s", count=counted(unit, found.units)))
    if found.until is not None:
        told.append(gettext("valable jusqu’au %(day)s", day=calendar_day(found.until)))
    return gettext("Bientôt fini : %(told)s.", told=gettext(" et ").join(told)) if told else ""


def unpaid(account: Account) -> list[str]:
    """Days and half-days that were paid at a door and that no carnet had left for."""
    return [named(name) for name in account.unpaid]
