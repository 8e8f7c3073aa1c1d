"""After quiet all copies are equal: the server's, each edge's, and the truth. Nothing is missing or there twice."""

from collections import defaultdict
from typing import Any

from sqlmodel import Session as Reading
from sqlmodel import col, select

from policy.instants import instant, of, text
from policy.presence import Move
from policy.ruleset import Paid
from policy.sessions import Session
from policy.state import SiteState
from policy.terms import DAY, SECOND, Instant
from proofs.storm.casting import MACHINE
from proofs.storm.hours import day_start
from proofs.storm.office import Office
from proofs.storm.pi import Pi
from proofs.storm.record import WRONG_BY
from proofs.storm.watch import Watch
from server.models import JournalRow
from server.queries.site_state import state_at
from wire.row import Kind, Row, decode

DATED_WITHIN: Instant = 5 * SECOND
"""A clock may be two seconds off without being set, when a tap is made and when its boot is dated."""


class Quiet:
    """Compares when nothing is under way."""

    def __init__(self, office: Office, pis: list[Pi], watch: Watch) -> None:
        self._office = office
        self._pis = pis
        self._watch = watch
        self._checked: defaultdict[tuple[str, str], int] = defaultdict(int)

    @property
    def settled(self) -> bool:
        """Whether every edge runs, is connected, and has told all its rows and heard the newest rules and state."""
        exchange = self._office.exchange
        if exchange is None:
            return False
        for pi in self._pis:
            edge = pi.edge
            journal = edge.storage.writer.journal if edge else None
            if edge is None or journal is None or journal.acknowledged < journal.last_seq:
                return False
            core, held = edge.control.controller.core, edge.storage.site_updates.held
            if core.held is None or core.held.version < exchange.publisher.current.version:
                return False
            if held is None or held.version < exchange.state.version or core.knowledge.version < held.version:
                return False
        return exchange.state.due is None

    def look_again(self, edge: str, journal: str, last: int) -> None:
        """Rows after that one were lost to the server: they must come again."""
        self._checked[edge, journal] = min(self._checked[edge, journal], last)

    def compare(self, now: Instant) -> None:
        """Raises BrokenWorldError."""
        self._watch.counts["comparisons"] += 1
        with self._office.database.reading() as session:
            server = state_at(session, now)
            for pi in self._pis:
                self._compare_rows(pi, session)
                self._compare_instants(pi, session)
                self._compare_states(pi, server, now)
                self._recount_sessions(pi, server, now)
            self._watch.closings.compare(session, now)
            self._watch.sittings.compare(session)
        self._compare_with_truth(server, now)

    def _compare_rows(self, pi: Pi, session: Reading) -> None:
        journal = pi.edge.storage.writer.journal if pi.edge else None
        if journal is None:
            return
        since = self._checked[pi.name, journal.id]
        rows = [decode(row, "row") for _, row in journal.after(since, 1_000_000)]
        for row in rows:
            if row.kind is Kind.COMMAND and row.granted:
                self._watch.carried_out(pi, journal.id, row)
        ours = [_plain(row) for row in rows]
        ask = session.connection().exec_driver_sql
        asked = "SELECT seq, kind, member, granted, reason FROM journal_row WHERE edge = ? AND journal = ? AND seq > ?"
        theirs = [
            (seq, kind, member, None if granted is None else bool(granted), reason)
            for seq, kind, member, granted, reason in sorted(ask(asked, (pi.name, journal.id, since)))
        ]
        deleted = ours[0][0] if ours else journal.last_seq + 1  # by a clock far ahead: acknowledged before, and told
        kept = [row for row in theirs if row[0] >= deleted]
        if ours != kept:
            other = [pair for pair in zip(ours, kept, strict=False) if pair[0] != pair[1]][:1]
            self._watch.broken(
                pi, f"{len(ours)} rows in its journal, {len(theirs)} on the server, from {since}: {other}"
            )
        seqs = [row[0] for row in theirs]
        if seqs != list(range(since + 1, since + 1 + len(seqs))):
            self._watch.broken(pi, f"the server's rows from {since} on have gaps: {seqs}")
        unwritten = self._watch.unwritten[pi.name]
        unwritten.difference_update(seqs)
        if unwritten:
            self._watch.broken(pi, f"taps {sorted(unwritten)} were decided, and no journal has them")
        self._watch.counts["rows"] += len(ours)
        self._checked[pi.name, journal.id] = journal.last_seq

    def _compare_instants(self, pi: Pi, session: Reading) -> None:
        """Once a clock is right the server dates by it whom the edge moved since its start, whatever the clock said."""
        journal = pi.edge.storage.writer.journal if pi.edge else None
        if journal is None or abs(pi.clock.offset) > WRONG_BY:
            return
        told = {
            move.seq: move
            for moves in self._watch.moves.values()
            for move in moves
            if (move.edge, move.journal, move.boot) == (pi.name, journal.id, pi.boots)
        }
        here = (JournalRow.edge == pi.name, JournalRow.journal == journal.id, col(JournalRow.moved_at).is_not(None))
        asked = select(JournalRow.seq, JournalRow.member, JournalRow.moved_at).where(*here)
        for seq, member, moved_at in session.exec(
            asked.where(JournalRow.seq >= min(told, default=journal.last_seq + 1))
        ):
            move = told.get(seq)
            if move is not None and moved_at is not None and abs(of(moved_at) - move.at) > DATED_WITHIN:
                said = f"{text(move.at)}, on the server {text(of(moved_at))}"
                self._watch.broken(pi, f"row {seq} moved {member} at {said}")

    def _compare_states(self, pi: Pi, server: SiteState, now: Instant) -> None:
        """Of today, and of sessions within their period: what is older may have been left out of a state meanwhile."""
        if pi.edge is None:
            return
        today = day_start(now)
        ours = pi.edge.control.controller.core.state
        for what, mine, theirs in (
            ("lockdown", ours.lockdown, server.lockdown),
            ("who moved", _since(ours, today), _since(server, today)),
            ("what was paid", _full(ours.units), _full(server.units)),
            ("stopped machines", ours.stopped, server.stopped),
            ("sessions", _sessions(ours, now), _sessions(server, now)),
        ):
            if mine != theirs:
                self._watch.broken(pi, f"after quiet {what}: {_difference(mine, theirs)}")

    def _recount_sessions(self, pi: Pi, server: SiteState, now: Instant) -> None:
        """What was used of a quota follows from sessions: those on the server are those in the machine's rows."""
        journal = pi.edge.storage.writer.journal if pi.edge else None
        if journal is None or pi.name != MACHINE:
            return
        ends: dict[tuple[Instant, str], list[Instant]] = defaultdict(list)
        for row in journal.rows():
            if row.kind in (Kind.SESSION_STARTED, Kind.SESSION_ENDED) and row.started and row.member:
                ends[instant(row.started), row.member] += [instant(row.ended)] if row.ended else []
        counted = {key: min(found, default=None) for key, found in ends.items() if key[0] >= now - 20 * DAY}
        kept = min((start for start, _ in counted), default=now)  # a clock far ahead deletes acknowledged rows
        uses = (use for use in _sessions(server, now) if use.start >= kept)
        believed = {(use.start, use.member): use.end for use in uses}
        if counted != believed:
            self._watch.broken(pi, f"sessions: {_difference(counted, believed)}")

    def _compare_with_truth(self, server: SiteState, now: Instant) -> None:
        today = day_start(now)
        for who, moves in self._watch.moves.items():
            if not moves or self._watch.doubted.get(who, 0) > now:
                continue
            inside = moves[-1].inside and moves[-1].at >= today
            believed = server.presence.moves.get(who, Move(0, inside=False))
            if (believed.inside and believed.at >= today) != inside:
                self._watch.broken(self._pis[0], f"the server takes {who} for {believed}, in truth {moves[-1]}")
        for who, units in self._watch.units.items():
            if server.units.get(who, set()) != {unit.name for unit in units}:
                self._watch.broken(
                    self._pis[0], f"{who} paid {len(units)} times, the server knows {server.units.get(who)}"
                )


def _plain(row: Row) -> tuple[Any, ...]:
    return row.seq, str(row.kind), row.member, row.granted, None if row.reason is None else str(row.reason)


def _full(units: Any) -> dict[str, set[Paid]]:
    return {who: set(paid) for who, paid in units.items() if paid}


def _since(state: SiteState, at: Instant) -> dict[str, Move]:
    return {who: move for who, move in state.presence.moves.items() if move.at >= at}


def _sessions(state: SiteState, now: Instant) -> list[Session]:
    recent = (session for session in state.sessions.of_machine(MACHINE) if session.start >= now - 20 * DAY)
    return sorted(recent, key=lambda session: (session.start, session.member))


def _difference(mine: Any, theirs: Any) -> str:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        keys = [key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]
        return "; ".join(f"{key}: {mine.get(key)} here, {theirs.get(key)} on the server" for key in sorted(keys)[:2])
    return f"{mine} here, {theirs} on the server"[:400]
