"""What would this file of members change, line by line? /import: read in, looked at, imported, undone for a day."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import msgspec
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import NotFound

from policy.bundle import Pass
from server.changes import member_import as changes
from server.changes.member_plan import Kind, Line, Why
from server.changes.member_table import NotATableError
from server.database.types import moment
from server.errors import ImportRefusedError
from server.queries.site_state import state_at
from server.queries.tonight import shut_out
from server.text import member_import as text
from server.text.sheets import Sheet, csv_file
from server.text.translate import gettext
from server.web.deciding import decided, rules_changed
from server.web.faults import WrongAddressError
from server.web.sessions import context

page = Blueprint("member_import", __name__)

SHOWN = 100
"""Lines of the preview; all of them are counted."""
TIERS = 40
"""Different words for a formule that are asked about."""
VIEWS = {
    "yours": (Kind.ASK, Kind.REFUSED, Kind.LEFT),
    "new": (Kind.NEW,),
    "changed": (Kind.CHANGED,),
    "same": (Kind.SAME,),
    "all": tuple(Kind),
}


@page.get("/import", endpoint="page")
def choose() -> ResponseReturnValue:
    return _first_step("")


@page.post("/import")
def read() -> ResponseReturnValue:
    """Read a file; nothing is stored of it but the file itself, for a day at most."""
    file = request.files.get("file")
    content, name = b"", gettext("sans nom")
    if file is not None:
        content, name = file.read(), file.filename or name
        file.close()
    known = context()
    try:
        with known.database.transaction() as session:
            which = changes.start(session, decided(), name, content)
    except NotATableError as error:
        return _first_step(text.fault(error)), 400
    return redirect(url_for("member_import.show", which=which), 303)


@page.get("/import/<which>")
def show(which: str) -> ResponseReturnValue:
    """Raises NotFound for a file that is forgotten, WrongAddressError for a view that is not there."""
    return _preview(which)


@page.post("/import/<which>")
def settle(which: str) -> ResponseReturnValue:
    """What the columns mean, and which formule is meant by what the file says."""
    form = request.form
    columns = {key.removeprefix("column-"): said for key, said in form.items() if key.startswith("column-")}
    said = form.getlist("called")
    tiers = dict(zip(said, form.getlist("tier"), strict=False))
    with context().database.transaction() as session:
        kept = _waiting(session, which)
        changes.settle(kept, columns, tiers)
        session.add(kept)
    return redirect(url_for("member_import.show", which=which), 303)


@page.post("/import/<which>/answer")
def answer(which: str) -> ResponseReturnValue:
    line = request.form.get("line", "")
    with context().database.transaction() as session:
        kept = _waiting(session, which)
        changes.answer(kept, line, request.form.get("answer", ""))
        session.add(kept)
    return redirect(url_for("member_import.show", which=which, _anchor=f"line-{line}"), 303)


@page.post("/import/<which>/run")
def run(which: str) -> ResponseReturnValue:
    """Import what is ready, as it was shown: where it would be something else now, nothing is done."""
    known = context()
    current = known.current()
    units = {tier.id: tier.pass_ for tier in current.bundle.tiers}
    try:
        with known.database.transaction() as session:
            kept = _waiting(session, which)
            lines = changes.plan(session, current, kept, known.clock())
            if _digest(lines) != request.form.get("seen"):
                changed = True
            else:
                changed = False
                changes.run(session, decided(gettext("import de %(file)s", file=kept.name)), kept, lines, units)
    except ImportRefusedError as error:
        return _preview(which, 409, gettext("Rien n’est importé : %(why)s", why=str(error)))
    if changed:
        return _preview(
            which, 409, gettext("Rien n’est importé : la situation a changé. Voici l’aperçu de maintenant.")
        )
    rules_changed()
    return redirect(url_for("member_import.show", which=which, done="1"), 303)


@page.post("/import/<which>/undo")
def undo(which: str) -> ResponseReturnValue:
    known = context()
    with known.database.transaction() as session:
        kept = changes.of(session, which)
        if kept is None or not changes.can_undo(kept, moment(known.clock())):
            raise NotFound
        stay = changes.undo(session, decided(gettext("import annulé : %(file)s", file=kept.name)), kept)
    rules_changed()
    return _preview(which, 200, "", stay)


@page.get("/import/<which>/left")
def left(which: str) -> Response:
    """The lines that do not come in, as they were, with the reason in the last column."""
    known = context()
    with known.database.reading() as session:
        kept = _kept(session, which)
        lines = changes.plan(session, known.current(), kept, known.clock())
        rows = [[*line.cells, " ".join(text.whys(line))] for line in lines if line.kind in VIEWS["yours"]]
        sheet = Sheet(gettext("à corriger"), [*kept.headings, gettext("Raison")], rows)
    return csv_file(sheet, gettext("a-corriger"))


def _first_step(fault: str) -> str:
    """Which file? And the way back to those that wait, or that can still be undone."""
    known = context()
    with known.database.reading() as session:
        latest = [(one.id, one.name, one.at, one.done) for one in changes.latest(session, moment(known.clock()))]
    return render_template("member_import.html", fault=fault, latest=latest)


def _preview(
    which: str, status: int = 200, refused: str = "", stay: Sequence[str] | None = None
) -> ResponseReturnValue:
    known = context()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        kept = _kept(session, which)
        lines = [] if kept.done is not None else changes.plan(session, current, kept, at)
        out = _shut_out(session, lines, at)
        left_aside = len(kept.lines) if kept.done is not None else 0
        undoable, file, done, undone = changes.can_undo(kept, moment(at)), kept.name, kept.done, kept.undone
        columns = {int(place): field for place, field in kept.columns.items()}
        headings, form, count = kept.headings, kept.form, len(kept.undo)
    counts = Counter(line.kind for line in lines)
    waiting = sum(counts[kind] for kind in VIEWS["yours"])
    view = request.args.get("view", "yours" if waiting else "all")
    if view not in VIEWS:
        raise WrongAddressError(gettext("La liste n’a pas de vue « %(view)s ».", view=view[:40]))
    chosen = [line for line in lines if line.kind in VIEWS[view]]
    said = {
        "which": which, "file": file, "form": form, "fault": "", "refused": refused, "done": done, "undone": undone,
        "undoable": undoable, "count": count, "left_aside": left_aside, "stay": stay, "counts": counts, "view": view,
        "waiting": waiting, "ready": counts[Kind.NEW] + counts[Kind.CHANGED], "total": len(lines), "Kind": Kind,
        "views": [(name, sum(counts[kind] for kind in kinds)) for name, kinds in VIEWS.items()],
        "lines": chosen[:SHOWN], "hidden_lines": max(0, len(chosen) - SHOWN), "seen": _digest(lines), "out": out,
        "headings": headings, "columns": columns, "fields": text.COLUMNS, "kinds": text.KINDS, "whys": text.whys,
        "answers": lambda line: text.answers(line, current), "changes": lambda line: text.changes(line, current),
        "cells": lambda line: text.cells(line, columns), "unknown": _unknown(lines, columns),
        "tiers": sorted(current.called.tiers.items(), key=lambda tier: tier[1]),
    }  # fmt: skip
    return render_template("member_import.html", **said), status


def _unknown(lines: Sequence[Line], columns: dict[int, str]) -> list[tuple[str, str]]:
    """What the file calls formules that are not known, and the one that each may mean."""
    found: dict[str, str] = {}
    place = next((place for place, field in columns.items() if field == "tier"), None)
    names = {name: tier for tier, name in context().current().called.tiers.items()}
    for line in lines:
        for fault in line.faults:
            if fault.why in (Why.TIER, Why.NO_TIER):
                written = line.cells[place].strip() if place is not None and place < len(line.cells) else ""
                found.setdefault(written, names.get(fault.told.get("near", ""), ""))
    return sorted(found.items())[:TIERS]


def _shut_out(session: Session, lines: Sequence[Line], at: int) -> list[str]:
    """The names of members who would get in no more until the site day ends."""
    current = context().current()
    changed = [line for line in lines if line.kind is Kind.CHANGED and line.before != line.after]
    if not changed:
        return []
    units = {tier.id: tier.pass_ for tier in current.bundle.tiers}
    members = [line.after for line in changed if line.after is not None]
    passes = [
        Pass(f"n-{line.number}", line.after.id, units[line.after.tier], line.units)  # type: ignore[arg-type]
        for line in changed
        if line.units and line.after is not None
    ]
    out = set(shut_out(current, state_at(session, at), members, passes, at))
    return [member.name for member in members if member.id in out]


def _digest(lines: Sequence[Line]) -> str:
    """Of all that would be done: the other lines wait, whatever happens to their members meanwhile."""
    ready = [line for line in lines if line.kind in changes.READY]
    said = [(line.number, line.kind, line.before, line.after, line.uid, line.units) for line in ready]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _kept(session: Session, which: str) -> changes.Kept:
    kept = changes.of(session, which)
    if kept is None:
        raise NotFound
    return kept


def _waiting(session: Session, which: str) -> changes.Kept:
    kept = _kept(session, which)
    if kept.done is not None:
        raise NotFound
    return kept
