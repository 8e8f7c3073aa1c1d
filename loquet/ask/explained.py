"""On what facts does a line of the tables decide? In a few words, for whoever runs the site, French or English."""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from policy import passes, quota
from policy.bundle import Bundle, Credential, Machine, Member
from policy.case import Case
from policy.spans import pairs
from policy.state import holders
from policy.terms import Instant
from policy.units import start_at, unit_of

DAYS = {"mon": "lun", "tue": "mar", "wed": "mer", "thu": "jeu", "fri": "ven", "sat": "sam", "sun": "dim"}


class Facts(Struct):
    """What a line is judged on, with the names and words of the bundle. member: None for a badge that is nobody's."""

    case: Case
    bundle: Bundle
    zone: ZoneInfo
    french: bool
    badge: Credential | None
    member: Member | None

    def say(self, english: str, french: str) -> str:
        return french if self.french else english

    def yes(self, answer: bool) -> str:
        return self.say("yes", "oui") if answer else self.say("no", "non")

    def hour(self, at: Instant) -> str:
        return f"{datetime.fromtimestamp(at / 1000, self.zone):%H:%M}"

    def name(self, member: str) -> str:
        return next((m.name for m in self.bundle.members if m.id == member), member)

    def names(self, members: list[str]) -> str:
        return ", ".join(self.name(member) for member in members) or self.say("nobody", "personne")

    @property
    def machine(self) -> Machine:
        return next(machine for machine in self.bundle.machines if machine.id == self.case.place)


def facts_of(name: str, facts: Facts) -> str:
    """The facts of the line that this function reads; name: of the function."""
    return _SAID[name](facts)


def _dates(facts: Facts, since: date | None, until: date | None) -> str:
    parts = [facts.say(f"from {since}", f"du {since}")] if since else []
    parts += [facts.say(f"until {until}", f"jusqu’au {until}")] if until else []
    return " ".join(parts) or facts.say("no limit", "sans limite")


def _lockdown(facts: Facts) -> str:
    if not facts.case.state.lockdown:
        return facts.say("no lockdown", "pas de confinement")
    return facts.say("lockdown is on", "confinement en cours") + "; " + _roles(facts)


def _roles(facts: Facts) -> str:
    roles = ", ".join(facts.member.roles) if facts.member else ""
    return facts.say("roles: ", "rôles : ") + (roles or facts.say("none", "aucun"))


def _owner(facts: Facts) -> str:
    return facts.member.name if facts.member else facts.say("no member has it", "aucun membre ne l’a")


def _badge(facts: Facts) -> str:
    if facts.badge is None:
        return ""
    words = {"active": "actif", "lost": "perdu", "stolen": "volé", "returned": "rendu"}
    status = facts.say(facts.badge.status, words[facts.badge.status])
    return f"{status}, {_dates(facts, None, facts.badge.valid_until)}"


def _status(facts: Facts) -> str:
    suspended = facts.member is not None and facts.member.status != "active"
    return facts.say("suspended", "suspendu") if suspended else facts.say("active", "actif")


def _membership(facts: Facts) -> str:
    return _dates(facts, facts.member.valid_from, facts.member.valid_until) if facts.member else ""


def _doors(facts: Facts) -> str:
    points = facts.case.tier.access_points
    every = facts.say("every door", "toutes les portes")
    tier = facts.member.tier if facts.member else ""
    return f"{tier}{facts.say(':', ' :')} {every if points is None else ', '.join(points)}"


def _shifts(facts: Facts) -> str:
    spans = facts.case.rules.shifts.get(facts.case.who, ())
    day, end = facts.case.rules.day_start(facts.case.at), facts.case.rules.day_end(facts.case.at)
    today = [(since, until) for since, until in pairs(spans) if until > day and since < end]
    covered = ", ".join(f"{facts.hour(since)}-{facts.hour(until)}" for since, until in today)
    if not covered:
        return facts.say("no shift today", "pas de garde ce jour")
    return facts.say(f"covered today: {covered}", f"garde ce jour, avance et délai compris : {covered}")


def _grounds(facts: Facts) -> str:
    case, found = facts.case, []
    held = holders(case.rules, case.state, case.at)
    words = {
        "always": facts.say("at any time", "à toute heure"),
        "hours": facts.say("hours of its own", "ses propres horaires"),
        "staffed": facts.say("while the team is there", "quand l’équipe est là"),
        "held": facts.say("while a gardien is there", "quand un gardien est là"),
    }
    found.append(facts.say("plan: ", "formule : ") + ", ".join(words[ground] for ground in case.tier.grounds))
    found.append(facts.say("held by: ", "tenu par : ") + facts.names(held))
    ground = case.ground
    found.append(facts.say("holds: ", "vaut : ") + (str(ground) if ground else facts.say("nothing", "rien")))
    return "; ".join(found)


def _carnet(facts: Facts) -> str:
    case = facts.case
    unit = passes.unit_now(case.rules, case.who, case.at)
    if unit is None:
        return facts.say("a plan without carnet", "formule sans carnet")
    paid = passes.is_paid(case.rules, case.state, case.who, unit)
    left = passes.left(case.rules, case.state, case.who, case.at)
    since = facts.hour(start_at(case.rules, unit_of(unit), case.at))
    return facts.say(
        f"{left} left; the one from {since} is paid: {facts.yes(paid)}",
        f"il en reste {left} ; celle qui commence à {since} est payée : {facts.yes(paid)}",
    )


def _room(facts: Facts) -> str:
    site, count = facts.bundle.site, len(facts.case.inside)
    if site.capacity is None:
        return facts.say(f"{count} inside, no capacity", f"{count} à l’intérieur, sans jauge")
    denies = (
        facts.say("only warns", "avertit seulement") if site.at_capacity == "warn" else facts.say("refuses", "refuse")
    )
    return facts.say(
        f"{count} inside of {site.capacity}; a full place {denies}",
        f"{count} à l’intérieur sur {site.capacity} ; un lieu plein {denies}",
    )


def _inside(facts: Facts) -> str:
    return facts.say("inside", "à l’intérieur") if facts.case.is_inside else facts.say("outside", "dehors")


def _passback(facts: Facts) -> str:
    return facts.say("anti-passback: ", "anti-retour : ") + f"{facts.bundle.site.anti_passback}; {_inside(facts)}"


def _session(facts: Facts) -> str:
    running = facts.case.state.sessions.running(facts.case.place, facts.case.at)
    return facts.name(running.member) if running else facts.say("nobody’s session runs", "aucune session en cours")


def _stopped(facts: Facts) -> str:
    stopped = facts.case.place in facts.case.state.stopped
    return facts.say("emergency stop: ", "arrêt d’urgence : ") + facts.yes(stopped)


def _out_of_service(facts: Facts) -> str:
    why = facts.machine.locked_out
    return f"{_stopped(facts)}; " + (
        f"{why.why} ({why.by})" if why else facts.say("not locked out", "pas mise hors service")
    )


def _training(facts: Facts) -> str:
    kind = facts.machine.kind
    found = next((c for c in facts.bundle.certifications if (c.member, c.kind) == (facts.case.who, kind)), None)
    if found is None:
        return facts.say(f"never trained on {kind}", f"jamais formé·e : {kind}")
    return facts.say(f"trained on {kind}, ", f"formé·e : {kind}, ") + _dates(facts, None, found.until)


def _machine_hours(facts: Facts) -> str:
    hours = facts.machine.hours
    if not hours:
        return facts.say("at any time", "à toute heure")
    return "; ".join(
        facts.say(day, DAYS[day]) + " " + ", ".join("-".join(span) for span in spans) for day, spans in hours.items()
    )


def _company(facts: Facts) -> str:
    count, wanted = len(facts.case.inside), facts.machine.min_people
    return facts.say(f"{count} inside, {wanted} wanted", f"{count} à l’intérieur, il en faut {wanted}")


def _booking(facts: Facts) -> str:
    at, booked = facts.case.at, facts.case.rules.bookings.get(facts.case.place, ())
    now = next((booking for booking in booked if booking.start <= at < booking.end), None)
    if now is None:
        return facts.say("not booked now", "pas de réservation en ce moment")
    return f"{facts.name(now.member)}, {facts.hour(now.start)}-{facts.hour(now.end)}"


def _quota(facts: Facts) -> str:
    case, kind = facts.case, facts.machine.kind
    left, rule = quota.left(case.rules, case.state, case.who, kind, case.at), case.rules.quotas.get(kind)
    if left is None or rule is None:
        return facts.say("no quota", "sans quota")
    period = {"week": "semaine", "month": "mois"}[rule.period]
    return facts.say(
        f"{left} of {rule.seconds} s left, {rule.period}", f"il reste {left} s sur {rule.seconds} ({period})"
    )


_SAID: dict[str, Callable[[Facts], str]] = {
    "lockdown": _lockdown,
    "unknown_credential": _owner,
    "credential_blocked": _badge,
    "member_suspended": _status,
    "membership_not_valid": _membership,
    "not_allowed_here": _doors,
    "rules_stale": lambda facts: facts.say("asked of fresh rules", "question posée sur des règles à jour"),
    "clock_untrusted": lambda facts: facts.say("asked with a right clock", "question posée avec une horloge juste"),
    "staff": _roles,
    "already_inside": _passback,
    "own_shift": _shifts,
    "outside_hours": _grounds,
    "pass_exhausted": _carnet,
    "site_full": _room,
    "granted": _grounds,
    "session_ended": _session,
    "machine_reset": lambda facts: f"{_stopped(facts)}; {_roles(facts)}",
    "machine_locked_out": _out_of_service,
    "machine_busy": _session,
    "not_certified": _training,
    "certification_expired": _training,
    "not_inside": _inside,
    "outside_machine_hours": _machine_hours,
    "companion_required": _company,
    "booked_by_other": _booking,
    "quota_exhausted": _quota,
}
