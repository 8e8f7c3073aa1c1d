"""What comes into the ledger of the bank of hours? What policy/bank.py says of it, in the caller's transaction.

It is reckoned again from the rows that are kept and from the audit; what is new is added, what changed is countered,
and half-days are minted. Done again it changes nothing, and what was due while the server was off is made up for at its
own instants. Shifts whose rows are gone are final: their entries stay. Rules go by what was minted: they are to be
published then.
"""

from collections.abc import Collection, Sequence
from itertools import chain

from sqlmodel import Session, col, func, select, update

from policy.bank import CREDIT, UNIT, Entry
from policy.bank_accounts import transfer
from policy.bank_site import SiteThen
from policy.bank_units import BANKED, minted, place, prices
from policy.bundle import Credit, Pass, Role
from policy.held import Source, Watch
from policy.recount import Heard, Opens, Step, steps
from policy.terms import DAY, MINUTE, Instant
from server import models
from server.audit import Decided
from server.changes.bank_past import CREDIT as CREDITS
from server.changes.bank_past import MEMBER, past
from server.changes.bundle import put
from server.changes.carnets import enter
from server.changes.purge import first_kept
from server.database.types import moment
from server.models import AuditRow, BankCount, BankEntry
from server.publish.bundle import calendar_of, held, site_said
from server.publish.rules import SERVER
from server.queries.bank_rows import moves, opens
from server.queries.ledger import Ledger, ledger, signed
from server.queries.member import is_erased

MINTED = "minted"


def book(session: Session, now: Instant, days: int) -> int:
    """Bring the ledger up to the instant: how many half-days were minted. days: how long rows are kept."""
    known, site = ledger(session), site_said(session)
    if site is None or (site.time_bank is None and not known.live):
        return 0
    since = first_kept(calendar_of(session), now, days)
    sites = past(session, since)
    if not sites:
        return 0
    writer = _Writer(session, known, since, now)
    rows = _rows(session, sites, since, now, known.last)
    step = None
    for step in steps(sites, rows, now, since, _vouched(session, sites[0], known)):
        if known.last is None or step.at > known.last:
            writer.follow(step)
    if step is not None:  # what was stored meanwhile by a clock that was a moment behind
        writer.follow(Step(now, False, step.bank))
    return writer.minted


def _rows(
    session: Session, sites: Sequence[SiteThen], since: Instant, now: Instant, last: Instant | None
) -> list[Heard | Opens]:
    """Those by which shifts are settled; none where no site day ended since the last time."""
    calendar = sites[-1].calendar
    if last is not None and calendar.day_at(last) == calendar.day_at(now):
        return []
    adhoc = opens(session, since)
    gardiens = {one.gardien for one in adhoc}
    for then in sites:
        shifts, rota, changes = then.bundle.shifts, then.bundle.rota, then.bundle.rota_changes
        named = chain(*([part.gardien for part in parts] for parts in (shifts, rota, changes)))
        gardiens |= {one for one in named if isinstance(one, str)}
    return [*adhoc, *moves(session, since, gardiens)]


class _Writer:
    """minted: how many half-days it has minted so far."""

    def __init__(self, session: Session, known: Ledger, since: Instant, now: Instant) -> None:
        self._session, self._known, self._now = session, known, now
        self._final = moment(since + DAY)
        """Shifts that began before: an earlier one of the same gardien may be without its rows."""
        self._members = frozenset(session.exec(select(models.Member.id)))
        self._vouched_by_erased = _vouched_by_erased(session)
        self.minted = 0

    def follow(self, step: Step) -> None:
        """Write what the bank says after a step and the ledger does not say yet: shifts at the end of a site day."""
        live, written = step.bank.live, 0
        for source in sorted(self._known.live):
            if source not in live and self._asked(source, step):
                self._counter(source, step.at)
                written += 1
        for source, entry in live.items():
            if self._asked(source, step) and not self._stands(entry):
                self._counter(source, step.at)
                self._add(entry, step.at, step.bank.watch(source))
                written += 1
        if step.settled or written:
            self._mint(step)
        if step.settled:
            count = BankCount(at=moment(step.at), counted=moment(self._now), off=self._off(step))
            self._session.add(count)

    def _asked(self, source: Source, step: Step) -> bool:
        """Whether it may be booked now, or countered: nothing is of who was forgotten."""
        booked, said = self._known.live.get(source), step.bank.live.get(source)
        if (booked is not None and is_erased(booked.member)) or (said is not None and said.member not in self._members):
            return False
        if booked is not None and source in self._vouched_by_erased:
            return False
        if source[0] in (CREDIT, UNIT):
            return source[0] == CREDIT
        known = self._known.live.get(source)
        watch = step.bank.watch(source)
        start = known.start if known is not None else None if watch is None else moment(watch.start)
        return step.settled and start is not None and start >= self._final

    def _stands(self, entry: Entry) -> bool:
        """Whether it is booked already."""
        known = self._known.live.get(entry.source)
        return known is not None and (known.member, signed(known)) == (entry.member, entry.minutes)

    def _counter(self, source: Source, at: Instant) -> None:
        wrong = self._known.live.get(source)
        if wrong is not None:
            undone = wrong.model_dump(exclude={"id", "at", "from_account", "to_account"})
            back = {"from_account": wrong.to_account, "to_account": wrong.from_account, "counters": wrong.id}
            self._write(BankEntry(at=moment(at), **undone | back))

    def _add(self, entry: Entry, at: Instant, watch: Watch | None = None) -> None:
        moved = transfer(entry)
        self._write(
            BankEntry(
                at=moment(at),
                member=entry.member,
                minutes=moved.minutes,
                from_account=moved.left.value,
                to_account=moved.came_to.value,
                source=list(entry.source),
                start=None if watch is None else moment(watch.start),
                end=None if watch is None else moment(watch.end),
                inside=[instant // MINUTE for instant in entry.inside],
            )
        )

    def _write(self, entry: BankEntry) -> None:
        self._session.add(entry)
        self._session.flush()
        self._known.take(entry)

    def _mint(self, step: Step) -> None:
        """For every whole unit in the bank one, to each whose tier needs a pass."""
        then = step.bank.now
        for member, unit, cost in prices(then.bundle):
            while self._known.minutes[member] >= cost:
                new = minted(then, member, unit, _next_unit(self._session, member), step.at)
                _put_in_place(self._session, new, self._known.units, Decided(SERVER, self._now))
                self._add(Entry(step.at, member, -cost, (UNIT, new.id)), step.at)
                self.minted += 1

    def _off(self, step: Step) -> int:
        """Minutes by which what the entries come to differs from what the bank says, source by source."""
        says = {source: entry.minutes for source, entry in step.bank.live.items()}
        return sum(
            abs(self._known.sums[source] - says.get(source, 0))
            for source in {*self._known.sums, *says}
            if self._asked(source, step)
        )


def _vouched_by_erased(session: Session) -> frozenset[Source]:
    """The credits of others that somebody attested of whom the audit was emptied: what was booked of them stays."""
    credits_: Sequence[Credit] = held(session, "credits")
    return frozenset((CREDIT, one.id, one.date.isoformat()) for one in credits_ if is_erased(one.attested or ""))


def forget_vouchers(session: Session, member: str, now: Instant) -> None:
    """Before somebody is forgotten: what they attested and might not loses its second name, all else goes on."""
    row = models.Credit
    theirs = session.exec(select(row).where(row.attested == member, col(row.ended).is_(None))).all()
    sites = past(session, now) if theirs else []
    good = {one.id for one in (sites[-1].bundle.credits if sites else ()) if was_attested(session, sites[-1], one)}
    booked = {source[1] for source in ledger(session).live if source[0] == CREDIT} if theirs else set()
    for credit in theirs:
        if credit.id not in good | booked:
            credit.attested = None
            session.add(credit)
    session.flush()


def _next_unit(session: Session, member: str) -> int:
    """The number of the member's next unit: those that came with the site from elsewhere have theirs."""
    own = f"{BANKED}{member}/"
    given = session.exec(select(models.Pass.id).where(col(models.Pass.id).startswith(own, autoescape=True)))
    numbers = (name.removeprefix(own) for name in given)
    return 1 + max((int(number) for number in numbers if number.isdecimal()), default=0)


def _put_in_place(session: Session, new: Pass, units: Collection[str], decided: Decided) -> None:
    """Among the member's carnets: those after it move up by one."""
    row = models.Pass
    theirs = select(row).where(row.member == new.member, col(row.ended).is_(None)).order_by(col(row.position))
    known = {one.id: one for one in session.exec(theirs)}
    order, carnets = list(known), [one.said() for one in known.values()]
    older = [one for one in carnets if one.id in units]
    place(order, (one for one in carnets if one.id not in units), older, new)
    put(session, [new], decided)
    enter(session, decided, new.member, MINTED, new.id, 1)
    following = order[order.index(new.id) + 1 :]
    if following:
        free = known[following[0]].position
        session.exec(update(row).where(col(row.position) >= free).values(position=row.position + 1))
        session.exec(update(row).where(col(row.id) == new.id).values(position=free))


def _vouched(session: Session, first: SiteThen, known: Ledger) -> list[Credit]:
    """The credits that counted before the first instant: they are booked, or were attested by who might."""
    found = []
    for credit in first.bundle.credits:
        entry = known.live.get((CREDIT, credit.id, credit.date.isoformat()))
        booked = entry is not None and (entry.member, signed(entry)) == (credit.member, credit.minutes)
        if booked or was_attested(session, first, credit):
            found.append(credit)
    return found


def was_attested(session: Session, first: SiteThen, credit: Credit) -> bool:
    """Whether at the first instant somebody vouched for it who might when it was stored."""
    if credit.attested is None or credit.attested in (credit.member, credit.by):
        return False
    row = AuditRow
    of_it = (row.noun == CREDITS, row.subject == credit.id, col(row.after).is_not(None), row.at <= moment(first.at))
    stored = session.exec(select(func.max(row.at)).where(*of_it)).one()
    if stored is None:
        return first.may_attest(credit) or is_erased(credit.attested)
    if is_erased(credit.attested):  # the row that named them was emptied; one that names them now was made up later
        newest = select(row.after).where(row.noun == CREDITS, row.subject == credit.id, row.at <= moment(first.at))
        return session.exec(newest.order_by(col(row.id).desc())).first() is None
    given = select(row.before).where(row.noun == MEMBER, row.subject == credit.attested, row.at > stored)
    for before in session.exec(given.order_by(col(row.id))):
        if before is None or "roles" in before:  # what the next change of their roles found
            roles = [] if before is None else before["roles"]
            return bool({Role.STAFF.value, Role.GARDIEN.value} & {*roles})
    return first.may_attest(credit)
