"""How does a file of members come in? Kept as it was read until somebody imports it; then all of it or nothing.

Nothing of the members changes before `run`. It can be undone for a day: what somebody changed since stays as it is.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, Literal, TypeAlias, cast

import msgspec
from msgspec.structs import replace
from sqlmodel import Session, col, delete, or_, select

from policy.bundle import Credential, Member, Part, Pass
from server.audit import Decided
from server.changes.bundle import end, put
from server.changes.carnets import enter
from server.changes.member_plan import FIELDS, Kind, Line, Plan
from server.changes.member_table import meanings, table
from server.changes.people import NAMES_MEMBERS
from server.database.types import moment
from server.models import MemberImport
from server.publish.bundle import held
from server.queries.current import Current
from server.queries.people import carnets

Kept: TypeAlias = MemberImport
READY = (Kind.NEW, Kind.CHANGED)
KEPT = timedelta(days=1)
"""How long a file waits, and how long an import can be undone."""
LONGEST_NAME = 100
LISTED = 10


def start(session: Session, decided: Decided, name: str, content: bytes) -> str:
    """Keep a file of members; its id. Files that nobody imported in a day are forgotten. Raises NotATableError."""
    found = table(content)
    now = moment(decided.at)
    forget_files(session, now)
    kept = MemberImport(
        id=token_hex(8),
        at=now,
        by=decided.by,
        name=name[:LONGEST_NAME],
        form=found.form,
        headings=list(found.headings),
        lines=[[number, list(cells)] for number, cells in found.lines],
        columns={str(place): field for place, field in meanings(found.headings).items()},
        tiers={},
        answers={},
        undo=[],
    )
    session.add(kept)
    session.flush()
    return kept.id


def forget_files(session: Session, now: datetime) -> int:
    """Files that nobody imported in a day, and what is kept of imports that can be undone no more; how many."""
    late = now - KEPT
    over = col(MemberImport.at) < late, or_(col(MemberImport.done).is_(None), col(MemberImport.done) < late)
    return session.exec(delete(MemberImport).where(*over)).rowcount


def latest(session: Session, now: datetime) -> Sequence[MemberImport]:
    """Files of the last day that wait to be imported, and imports that can still be undone; the newest first."""
    since = now - KEPT
    waits, undoable = col(MemberImport.done).is_(None), col(MemberImport.done) >= since
    there = col(MemberImport.undone).is_(None), or_(waits & (col(MemberImport.at) >= since), undoable)
    return session.exec(select(MemberImport).where(*there).order_by(col(MemberImport.at).desc()).limit(LISTED)).all()


def of(session: Session, which: str) -> MemberImport | None:
    return session.get(MemberImport, which)


def settle(kept: MemberImport, columns: Mapping[str, str], tiers: Mapping[str, str]) -> None:
    """What the columns mean, each meaning once, and which formule is meant by what the file says."""
    met: set[str] = set()
    chosen = {}
    for place, field in columns.items():
        if field in FIELDS and field not in met:
            met.add(field)
            chosen[place] = field
    kept.columns, kept.tiers = chosen, kept.tiers | dict(tiers)


def answer(kept: MemberImport, line: str, said: str) -> None:
    """What somebody decided about a line; empty to ask again."""
    left = {number: one for number, one in kept.answers.items() if number != line}
    kept.answers = left | ({line: said} if said else {})


def plan(session: Session, current: Current, kept: MemberImport, at: int) -> list[Line]:
    """What it would change now."""
    rows: Sequence[tuple[int, Sequence[str]]] = [(number, cells) for number, cells in kept.lines]
    columns = {int(place): field for place, field in kept.columns.items()}
    left = {}
    if "carnet" in columns.values():
        people = current.people.people.values()
        left = {who: held.units for who, held in carnets(session, current, people, at).items()}
    return Plan(current, columns, kept.tiers, kept.answers, left, len(kept.headings)).lines(rows)


def run(session: Session, decided: Decided, kept: MemberImport, lines: Sequence[Line], units: Mapping[str, str]) -> int:
    """Store what is ready, all or nothing; how many lines. units: what each formule counts, by its id."""
    parts: list[Part] = []
    undo: list[dict[str, Any]] = []
    sold: list[Pass] = []
    for line in lines:
        if line.kind not in READY or line.after is None:
            continue
        member = line.after if line.before is not None else replace(line.after, id=f"m-{token_hex(6)}")
        parts += [member] if line.before != member else []
        if line.uid is not None:
            parts.append(Credential(uid=line.uid, member=member.id))
        unit = cast(Literal["day", "half_day"], units[member.tier])
        held = Pass(f"c-{token_hex(6)}", member.id, unit, line.units) if line.units else None
        sold += [held] if held is not None else []
        said = {"before": line.before, "after": member, "uid": line.uid, "carnet": held.id if held else None}
        undo.append(msgspec.to_builtins(said))
    put(session, [*parts, *sold], decided, ())
    for one in sold:
        enter(session, decided, one.member, "sold", one.id, one.total)
    kept.done, kept.undo = moment(decided.at), undo
    kept.lines = [[line.number, list(line.cells)] for line in lines if line.kind not in (*READY, Kind.SAME)]
    session.add(kept)
    return len(undo)


def can_undo(kept: MemberImport, now: datetime) -> bool:
    return kept.done is not None and kept.undone is None and now - kept.done <= KEPT


def undo(session: Session, decided: Decided, kept: MemberImport) -> list[str]:
    """Put back what an import changed; the names of those whom somebody changed since, and who stay as they are."""
    stay: list[str] = []
    ending: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    parts: list[Part] = []
    now = {member.id: member for member in held(session, "members")}
    theirs = _theirs(session)
    for one in kept.undo:
        before, after = msgspec.convert(one["before"], Member | None), msgspec.convert(one["after"], Member)
        given = {(name, key) for name, key in (("credentials", one["uid"]), ("passes", one["carnet"])) if key}
        more = theirs[after.id] - given
        if now.get(after.id) != after or given - theirs[after.id] or (before is None and more):
            stay.append(after.name)
            continue
        for name, key in given:
            ending[name].append((key,))
        if before is None:
            ending["members"].append((after.id,))
        else:
            parts.append(before)
    for name in ("credentials", "passes", "members"):
        if ending[name]:
            end(session, name, ending[name], decided)
    put(session, parts, decided)
    kept.undone, kept.undo = moment(decided.at), []
    session.add(kept)
    return stay


def _theirs(session: Session) -> defaultdict[str, set[tuple[str, str]]]:
    """All that is each member's: the name of its collection, and its key."""
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for name, key in NAMES_MEMBERS:
        for part in held(session, name):
            which = part.uid if isinstance(part, Credential) else getattr(part, "id", name)
            found[getattr(part, key)].add((name, which))
    return found
