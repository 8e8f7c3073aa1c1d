"""What is forgotten of a former member who asks for it? All that the accounts and the counts do not stand on.

What stays is that of `Ancien membre 12`: carnets and the half-days they paid, shifts and credits, and that somebody
came through a door or ran a machine at that time, for the counts. Their name, id, badges, trainings, bookings, account
and what the audit says of them go. The caller wipes the database's files then (server/database/engine.py:wipe).
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, String, Table, and_, cast, func, or_
from sqlmodel import Session, SQLModel, col, delete, select, update

from policy.bank_units import BANKED
from policy.terms import Instant
from server.audit import SAID, Change, Decided, record
from server.changes.bank import forget_vouchers
from server.changes.messages import Channel, State
from server.changes.people import Done, end_member
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import (
    Account,
    AccountLink,
    AccountSession,
    AuditRow,
    BankDispute,
    BankEntry,
    Booking,
    BookingWait,
    CalendarFeed,
    CarnetEntry,
    CarnetMail,
    Certification,
    CertificationEntry,
    ChannelChoice,
    Credential,
    EveningWatch,
    Invitation,
    JournalRow,
    MachineBusy,
    MachineFault,
    Member,
    Message,
    OidcIdentity,
    Pass,
    Passkey,
    Presence,
    RotaOffer,
    TrainingSeat,
    Visitor,
)
from server.queries.accounts import Caller, at_the_machine
from server.queries.former_logins import Former, former_logins
from server.queries.member import is_erased
from server.roles import ADMINS

FORGOTTEN: tuple[type[SQLModel], ...] = (
    Booking,
    BookingWait,
    CalendarFeed,
    CarnetMail,
    Certification,
    CertificationEntry,
    ChannelChoice,
    Credential,
    EveningWatch,
    Invitation,
    MachineBusy,
    Presence,
    RotaOffer,
    TrainingSeat,
    Visitor,
)
"""Tables whose rows of them go; those of all others stay, under the new id."""
MEMBER = "member.id"
WITHOUT_KEY = frozenset(
    {
        ("adhoc_shift", "gardien"),
        ("credit", "attested"),
        ("credit", "by"),
        ("journal_row", "member"),
        ("machine_busy", "member"),
        ("machine_fault", "member"),
        ("machine_session", "member"),
        ("paid_unit", "member"),
        ("presence", "member"),
    }
)
"""Columns that name a member and refer to no row: a door may have told of them first."""
NEW = "ancien-"
"""With a number, see is_erased."""
NOTICE = timedelta(seconds=1)
"""Within that the old address is told of the new login."""
ERASED = "erased"
"""What the audit has that was done."""


def erase(session: Session, by: Caller, decided: Decided, member: str, day_start: Instant) -> Done:
    """day_start: of the site day of now; whoever is inside is not erased before they left.

    Raises ChangeRefusedError for whoever is a member still, is inside, or may log in with rights of the team.
    """
    row = session.get(Member, member)
    if row is None or row.ended is None or is_erased(member):
        raise ChangeRefusedError(Refused.MEMBER_UNKNOWN)
    here = session.get(Presence, member)
    if here is not None and here.inside and here.at >= moment(day_start):
        raise ChangeRefusedError(Refused.STILL_INSIDE)
    account = session.exec(select(Account).where(Account.member == member)).one_or_none()
    if account is not None and account.admin and account.ended is None:
        raise ChangeRefusedError(Refused.NOT_ALLOWED)
    if row.roles and not by.roles & ADMINS:
        raise ChangeRefusedError(Refused.NOT_ALLOWED)
    plain = account is not None and not account.admin and not row.roles
    forget_vouchers(session, member, decided.at)
    former = former_logins(session, account.login) if account is not None else []
    _forget_messages(session, member, account, former)
    _empty_audit(session, member, account.login if account is not None and plain else None, former if plain else [])
    new = _stand_in(session, row)
    if account is not None:
        _close(session, account, new, keep_login=not plain, decided=decided)
    _forget_rows(session, member)
    _rename_ledger(session, member, new.id)
    for table, column in naming():
        session.connection().execute(table.update().where(column == member).values({column.name: new.id}))
    _rename_hours(session, member, new.id)
    session.delete(row)
    session.flush()
    record(session, decided, [Change(Member, (new.id,), ERASED, None, {"name": new.name})])
    return Done(new.id)


def erase_again(session: Session, decided: Decided, erased: Callable[[str], datetime | None]) -> dict[str, str]:
    """Whom an older copy of the database brought back goes again, whatever they were then: their ids, and the new ones.

    erased: when somebody of this id was erased last. Whoever came anew under it since stays: the audit says so.
    """
    by, found = at_the_machine(decided.by), dict[str, str]()
    for member in session.exec(select(Member.id).order_by(Member.id)).all():
        at = None if is_erased(member) else erased(member)
        if at is None or _knows_of(session, member, at):
            continue
        row = session.get_one(Member, member)
        if row.ended is None:
            end_member(session, by, decided, row.id)
        here = session.get(Presence, row.id)
        if here is not None:
            session.delete(here)
        for account in session.exec(select(Account).where(Account.member == row.id)).all():
            account.admin, account.ended = False, account.ended or moment(decided.at)
            session.add(account)
        session.flush()
        session.refresh(row)
        found[member] = erase(session, by, decided, member, decided.at).member
    return found


def _knows_of(session: Session, member: str, at: datetime) -> bool:
    """Whether this database saw the erasure of then: it has its row, which a year later says only when, or one of
    somebody of this id since."""
    row = AuditRow
    seen = and_(col(row.at) == at, col(row.did).in_((ERASED, "")))
    since = and_(col(row.noun) == str(Member.__tablename__), col(row.subject) == member, col(row.at) > at)
    return session.exec(select(row.id).where(or_(seen, since)).limit(1)).first() is not None


def naming() -> list[tuple[Table, Column[str]]]:
    """Each column that names a member."""
    return [
        (table, column)
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if (table.name, column.name) in WITHOUT_KEY or any(key.target_fullname == MEMBER for key in column.foreign_keys)
    ]


def _stand_in(session: Session, row: Member) -> Member:
    """A former member without a name, in whose name accounts and counts go on."""
    known = session.exec(select(func.count()).where(col(Member.id).startswith(NEW, autoescape=True))).one()
    number = next(n for n in range(known + 1, known + 1_000) if session.get(Member, f"{NEW}{n}") is None)
    new = Member(
        id=f"{NEW}{number}",
        position=row.position,
        name=f"Ancien membre {number}",
        tier=row.tier,
        roles=[],
        status="active",
        valid_from=None,
        valid_until=None,
        ended=row.ended,
    )
    session.add(new)
    session.flush()
    return new


def _forget_messages(session: Session, member: str, account: Account | None, former: Sequence[Former]) -> None:
    """Those to their addresses, sent or not; one that is on its way is none to take back."""
    row, choice = Message, session.get(ChannelChoice, member)
    mail, theirs = col(row.channel) == Channel.MAIL, list[tuple[ColumnElement[bool], ...]]()
    if account is not None:
        theirs.append((mail, col(row.to) == account.login))
    for one in former:
        theirs.append((mail, col(row.to) == one.login, col(row.made) < one.given_up + NOTICE))
    if choice is not None:
        theirs.append((col(row.channel) == choice.channel, col(row.to) == choice.address))
    for where in theirs:
        session.exec(delete(row).where(*where, col(row.state) != State.SENDING))


def _forget_rows(session: Session, member: str) -> None:
    forgotten = {str(model.__tablename__) for model in FORGOTTEN}
    for table, column in naming():
        if table.name in forgotten:
            session.connection().execute(table.delete().where(column == member))
    bare = {"credential": None, "detail": None, "raw": None, "nonce": None}
    session.exec(update(JournalRow).where(col(JournalRow.member) == member).values(**bare))
    session.exec(update(MachineFault).where(col(MachineFault.member) == member).values(name=""))


def _rename_hours(session: Session, member: str, new: str) -> None:
    """Half-days that the bank minted bear the id of their member."""
    for one in session.exec(select(Pass).where(col(Pass.id).startswith(f"{BANKED}{member}/", autoescape=True))).all():
        renamed = Pass(**one.model_dump() | {"id": f"{BANKED}{new}/{one.id.rpartition('/')[2]}"})
        session.add(renamed)
        session.flush()
        session.exec(update(CarnetEntry).where(col(CarnetEntry.carnet) == one.id).values(carnet=renamed.id))
        session.delete(one)
        session.flush()


def _rename_ledger(session: Session, member: str, new: str) -> None:
    """Whose an entry is, and their id in its source, in one update: the tables allow no other (migration 0035)."""
    for entry in session.exec(select(BankEntry).where(BankEntry.member == member)).all():
        kind, *rest = entry.source
        own, renamed = f"{BANKED}{member}/", f"{BANKED}{new}/"
        entry.source = [kind, *(new if part == member else part.replace(own, renamed) for part in rest)]
        entry.member = new
        session.exec(update(BankDispute).where(col(BankDispute.entry) == entry.id).values(said=""))
        session.add(entry)
    session.flush()


def _close(session: Session, account: Account, new: Member, *, keep_login: bool, decided: Decided) -> None:
    """The account opens nothing more; what was done for the team with it is known by its login for a year."""
    session.exec(delete(AccountLink).where(col(AccountLink.account) == account.id))
    session.exec(delete(AccountSession).where(col(AccountSession.account) == account.id))
    session.exec(delete(Passkey).where(col(Passkey.account) == account.id))
    session.exec(delete(OidcIdentity).where(col(OidcIdentity.account) == account.id))
    account.member, account.password_hash, account.configured = new.id, None, None
    account.ended = account.ended or moment(decided.at)
    if not keep_login:
        account.login = new.id
    session.add(account)
    session.flush()


def _empty_audit(session: Session, member: str, login: str | None, former: Sequence[Former]) -> None:
    """Rows about them, and what a member did alone; the chain stays whole (server/audit.py)."""
    row = AuditRow
    about = [
        col(row.subject).startswith(f"{member}/", autoescape=True),
        col(row.subject).endswith(f"/{member}", autoescape=True),
        *_named(member),
    ]
    if login is not None:
        about += [col(row.account) == login, *_named(login)]
    for one in former:
        about.append(and_(col(row.id) <= one.row, or_(col(row.account) == one.login, *_named(one.login))))
    empty = dict.fromkeys(SAID, "") | {"before": None, "after": None, "salt": None}
    session.exec(update(row).where(or_(*about)).values(**empty))


def _named(name: str) -> list[ColumnElement[bool]]:
    """The audit's rows that are about it."""
    told = (func.coalesce(cast(said, String), "") for said in (AuditRow.before, AuditRow.after))
    return [col(AuditRow.subject) == name, *(said.contains(json.dumps(name), autoescape=True) for said in told)]
