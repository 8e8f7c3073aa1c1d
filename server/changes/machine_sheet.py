"""What is written about a machine: by members what is wrong with it, by fab managers what they did, and its sheet.

Each function is one change, in the caller's transaction. No edge goes by it.
"""

from collections.abc import Mapping

from sqlmodel import Session, col, select

from server.audit import Change, Decided, record
from server.changes.machines import LONGEST_WHY, known_machine
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import MachineFault, MachineSheet

LONGEST = 1_000
"""Characters of what is written on a sheet."""
MOST_OPEN = 20
"""Reports that wait, of one machine: nobody reads more, and no page grows without end."""
WRITTEN = ("consumables", "manual", "video")
PLANNED = {"service_hours": 100_000, "service_days": 3_660}
"""Maintenance after so many hours or days, at the most."""


def report(session: Session, decided: Decided, machine: str, member: str | None, name: str, what: str) -> bool:
    """Somebody says what is wrong. False for nothing said, or too much; said twice, it stays once."""
    known_machine(session, machine)
    if not 0 < len(what) <= LONGEST_WHY:
        return False
    waiting = session.exec(
        select(MachineFault).where(MachineFault.machine == machine, col(MachineFault.done).is_(None))
    ).all()
    if any(one.what == what for one in waiting):
        return True
    if len(waiting) >= MOST_OPEN:
        raise ChangeRefusedError(Refused.MANY_FAULTS)
    row = MachineFault(machine=machine, at=moment(decided.at), member=member, name=name, what=what)
    session.add(row)
    session.flush()
    record(session, decided, [Change(MachineFault, (row.id,), "reported", None, {"machine": machine})])
    return True


def answer(session: Session, decided: Decided, machine: str, which: int, name: str, said: str, *, done: bool) -> None:
    """A fab manager has seen it, or settled it, with a word or without."""
    row = session.get(MachineFault, which)
    if row is None or row.machine != machine or row.done is not None:
        raise ChangeRefusedError(Refused.FAULT_SETTLED)
    at = moment(decided.at)
    row.seen = row.seen or at
    row.done = at if done else None
    row.answer, row.answered_by = said[:LONGEST_WHY] or row.answer, name
    session.add(row)
    record(session, decided, [Change(MachineFault, (which,), "settled" if done else "seen", None, {"answer": said})])


def wrong(wanted: Mapping[str, str]) -> tuple[str, ...]:
    """The fields of a sheet that cannot stay as they are: links lead to a page of the web."""
    fields = [name for name in WRITTEN if len(wanted[name]) > LONGEST]
    links = [name for name in ("manual", "video") if wanted[name] and not _is_link(wanted[name])]
    plans = [name for name, most in PLANNED.items() if wanted[name] and not _is_whole(wanted[name], most)]
    return tuple(dict.fromkeys(fields + links + plans))


def describe(session: Session, decided: Decided, machine: str, wanted: Mapping[str, str]) -> None:
    """wanted: of WRITTEN and PLANNED what was typed, as `wrong` has nothing against; no plan where that is empty."""
    row = _sheet(session, machine)
    before = {name: getattr(row, name) for name in (*WRITTEN, *PLANNED)}
    after: dict[str, str | int | None] = {name: wanted[name] for name in WRITTEN}
    after |= {name: int(wanted[name]) if wanted[name] else None for name in PLANNED}
    if before == after:
        return
    for name, said in after.items():
        setattr(row, name, said)
    session.add(row)
    record(session, decided, [Change(MachineSheet, (machine,), "changed", before, after)])


def serviced(session: Session, decided: Decided, machine: str, name: str, note: str) -> bool:
    """Its maintenance is done: hours and days count anew. name: of who says so. False for no note, or a novel."""
    row = _sheet(session, machine)
    if not 0 < len(note) <= LONGEST_WHY:
        return False
    before = {"serviced": row.serviced.isoformat() if row.serviced is not None else None, "note": row.service_note}
    row.serviced, row.serviced_by, row.service_note, row.seconds_since = moment(decided.at), name, note, 0
    session.add(row)
    after = {"serviced": row.serviced.isoformat(), "note": note}
    record(session, decided, [Change(MachineSheet, (machine,), "serviced", before, after)])
    return True


def _is_whole(written: str, most: int) -> bool:
    return written.isascii() and written.isdecimal() and len(written) < 10 and 1 <= int(written) <= most


def _sheet(session: Session, machine: str) -> MachineSheet:
    known_machine(session, machine)
    return session.get(MachineSheet, machine) or MachineSheet(machine=machine)


def _is_link(written: str) -> bool:
    return written.startswith(("https://", "http://")) and not any(sign.isspace() for sign in written)
