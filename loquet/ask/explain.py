"""Why is this badge let in or refused? The lines of the table in order, each with its answer, until one decides.

Asked of a bundle and an instant: the link is up, the clock is right, nothing was paid since; who is inside is told.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from loquet.ask.explained import Facts, facts_of
from policy import door, machine, uids
from policy.bundle import Bundle
from policy.calendar import moment, resolve
from policy.case import Case, Decision, Table, Tap, case_of, first_of
from policy.compile import compile_rules
from policy.errors import BundleError
from policy.instants import text
from policy.parse import parse
from policy.presence import Move
from policy.ruleset import Reader, RuleSet
from policy.state import SiteState
from policy.terms import Direction, Instant
from server.errors import ServerError
from server.files import read
from server.queries.public_holidays import holidays_of


class ExplainError(ValueError):
    """A question that cannot be asked. The message names the thing, the value and the remedy."""


class Question(Struct, frozen=True):
    """Who taps where and when. at: an instant, or a time local to the site. inside: member ids. lang: fr or en."""

    bundle: Path
    reader: str
    uid: str
    at: str
    inside: tuple[str, ...] = ()
    lockdown: bool = False
    lang: str = "fr"


class _Asked(Struct):
    """The question looked up."""

    bundle: Bundle
    rules: RuleSet
    state: SiteState
    reader: Reader
    tap: Tap
    at: Instant


def explain(question: Question, note: Callable[[str], object]) -> Iterator[str]:
    """The explanation, line by line. note: is told what was taken for granted. Raises ExplainError."""
    asked = _asked(question, note)
    french = question.lang == "fr"
    yield from _head(question, asked, french)
    if asked.reader.direction is Direction.OUT:
        yield ("1   " + ("sortie : accordée à tous" if french else "way out: granted to everybody")).rstrip()
        decision = door.decide(asked.rules, asked.state, asked.tap, asked.at)
    else:
        table = machine.LINES if asked.reader.direction is None else door.LINES
        case = case_of(asked.rules, asked.state, asked.tap, asked.reader, asked.at)
        yield from _lines(table, case, _facts(asked, case, french))
        decision = first_of(table, case)
    yield _verdict(decision, french)


def _lines(table: Table, case: Case, facts: Facts) -> Iterator[str]:
    """Each line up to the one that decides: what it asks, the answer, and on what facts."""
    for number, applies in table:
        name = applies.__name__
        decides = applies(case) is not None
        known = facts_of(name, facts)
        yield f"{number:<4}{LINES[name][facts.french]} : {facts.yes(decides)}" + (f" ({known})" if known else "")
        if decides:
            return


def _facts(asked: _Asked, case: Case, french: bool) -> Facts:
    badge = next((c for c in asked.bundle.credentials if c.uid.lower() == asked.tap.credential), None)
    member = next((m for m in asked.bundle.members if m.id == case.who), None)
    return Facts(case, asked.bundle, ZoneInfo(asked.bundle.site.timezone), french, badge, member)


def _head(question: Question, asked: _Asked, french: bool) -> Iterator[str]:
    """Who, where, when."""
    at = asked.at
    credential = asked.rules.credentials.get(asked.tap.credential)
    who = credential.member if credential is not None else None
    member = next((m for m in asked.bundle.members if m.id == who), None)
    nobody = "personne" if french else "nobody"
    called = f"{member.name} ({member.id}, {member.tier})" if member else nobody
    yield f"Badge {asked.tap.credential.upper()} : {called}"
    yield f"{'Lecteur' if french else 'Reader'} {question.reader} · {asked.reader.access_point}"
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(asked.bundle.site.timezone))
    yield f"Instant {local:%Y-%m-%d %H:%M:%S %Z} ({text(at)})"
    yield f"{'À l’intérieur' if french else 'Inside'} : {', '.join(sorted(question.inside)) or nobody}"


def _verdict(decision: Decision, french: bool) -> str:
    word = ("accordé" if french else "granted") if decision.granted else ("refusé" if french else "denied")
    until = f", {'jusqu’à' if french else 'until'} {text(decision.until)}" if decision.until is not None else ""
    return f"=> {word} {decision.reason}{until}"


def _asked(question: Question, note: Callable[[str], object]) -> _Asked:
    bundle = _bundle(question.bundle)
    zone = ZoneInfo(bundle.site.timezone)
    at = _at(question.at, zone, note)
    try:
        rules = compile_rules(
            bundle,
            zone=zone,
            holidays=holidays_of(bundle.site.holidays),
            pseudonym=lambda uid: uid.hex(),
            edges={},
            at=at,
        )
    except ServerError as error:
        raise ExplainError(f"{question.bundle}: {error}") from None
    reader = rules.readers.get(question.reader)
    if reader is None:
        raise ExplainError(
            f"--tap {question.reader}: no such reader; the bundle has {', '.join(sorted(rules.readers))}"
        )
    state = SiteState(not_after=at, lockdown=question.lockdown)
    for member in question.inside:
        if member not in rules.members:
            raise ExplainError(f"--inside {member}: no such member in the bundle")
        state.presence.apply(member, Move(max(at - 1, rules.day_start(at)), inside=True))
    return _Asked(bundle, rules, state, reader, Tap(question.reader, _uid(question.uid)), at)


def _bundle(file: Path) -> Bundle:
    try:
        return parse(read(file, "a bundle"), str(file), ZoneInfo)
    except (BundleError, ServerError) as error:
        raise ExplainError(str(error)) from None


def _at(written: str, zone: ZoneInfo, note: Callable[[str], object]) -> Instant:
    """The instant meant. A local hour that the clocks skip is none; of one that they repeat it is the first."""
    try:
        when, at = moment(written), resolve(written, zone)
    except ValueError as error:
        raise ExplainError(f"--at {written}: {error}") from None
    first, second = (when.replace(tzinfo=when.tzinfo or zone, fold=fold) for fold in (0, 1))
    if _ahead(first) < _ahead(second):
        jump = datetime.fromtimestamp(at / 1000, zone).isoformat()
        raise ExplainError(
            f"--at {written}: the clocks of {zone.key} skip this hour, they jump to {jump}: "
            "write an hour that there is, or an instant with its offset"
        )
    if _ahead(first) > _ahead(second):
        note(
            f"--at {written}: the clocks of {zone.key} show this hour twice; taken is the first, {first.isoformat()}; "
            f"the other is --at {second.isoformat()}"
        )
    return at


def _ahead(when: datetime) -> timedelta:
    return when.utcoffset() or timedelta(0)


def _uid(written: str) -> str:
    try:
        return uids.number(written).hex()
    except ValueError as error:
        raise ExplainError(f"--tap {written}: {error}") from None


LINES: dict[str, tuple[str, str]] = {
    "lockdown": (
        "lockdown, and not the good badge of a staff member",
        "confinement, et ce n’est pas le bon badge de l’équipe",
    ),
    "unknown_credential": ("nobody has this badge", "ce badge n’est à personne"),
    "credential_blocked": ("the badge is lost, stolen, returned or expired", "badge perdu, volé, rendu ou périmé"),
    "member_suspended": ("the member is suspended", "membre suspendu"),
    "membership_not_valid": ("outside the membership's dates", "hors des dates de l’adhésion"),
    "not_allowed_here": ("this door is not part of the plan", "cette porte n’est pas dans la formule"),
    "rules_stale": ("the rules were confirmed too long ago", "règles confirmées il y a trop longtemps"),
    "clock_untrusted": ("the clock is not trusted", "horloge perdue"),
    "staff": ("the member is staff", "membre de l’équipe"),
    "already_inside": ("inside already (hard anti-passback)", "déjà à l’intérieur (anti-retour strict)"),
    "own_shift": ("a gardien on a shift of their own", "gardien pendant sa garde"),
    "outside_hours": ("nothing lets the member in now", "rien n’ouvre à ce membre maintenant"),
    "pass_exhausted": (
        "the entry would cost a unit and none is left",
        "il faudrait une entrée de carnet, il n’en reste pas",
    ),
    "site_full": ("the place is full", "le lieu est plein"),
    "granted": ("something lets the member in", "quelque chose ouvre à ce membre"),
    "session_ended": ("the member's own session runs", "la session de ce membre est en cours"),
    "machine_reset": ("stopped, and staff or a fab manager", "arrêt d’urgence, et équipe ou responsable du fablab"),
    "machine_locked_out": ("stopped or locked out", "arrêtée ou hors service"),
    "machine_busy": ("somebody else's session runs", "la session de quelqu’un d’autre est en cours"),
    "not_certified": ("never trained on this kind", "jamais formé·e à ce type de machine"),
    "certification_expired": ("the training has run out", "formation périmée"),
    "not_inside": ("not inside", "pas à l’intérieur"),
    "outside_machine_hours": ("outside the machine's hours", "hors des heures de la machine"),
    "companion_required": ("too few people inside", "pas assez de monde à l’intérieur"),
    "booked_by_other": ("booked by somebody else", "réservée par quelqu’un d’autre"),
    "quota_exhausted": ("the quota is used up", "quota utilisé"),
}
"""What each line asks, in English and in French, by the name of the function that reads it."""
