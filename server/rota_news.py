"""Who is told of gaps and of gardiens who are late, and whom is a gap offered to? Each once."""

from flask import Flask
from sqlmodel import Session

from policy.bundle import Role
from policy.terms import SECOND, Instant
from server.audit import Decided
from server.changes.rota_news import News, keep, news
from server.pages.rota_mail import tell, tell_turn
from server.queries.now import picture
from server.queries.rota import Turn
from server.queries.rota_days import gardiens
from server.text import rota as text
from server.text import rota_mail as words
from server.text.translate import in_french
from server.web.context import Context

EVERY: Instant = 30 * SECOND
"""Between two looks, by the site's clock."""
BY = "server"


class RotaNews:
    """`tick` from time to time, from one thread."""

    def __init__(self, app: Flask, context: Context) -> None:
        self._app, self._context = app, context

    def tick(self) -> News | None:
        """What was announced or asked. Raises DatabaseError: it is tried again, and nobody hears twice."""
        at = self._context.clock()
        with self._context.database.reading() as session:
            due = self._due(session, at).any
        if due:
            with self._app.app_context(), in_french(), self._context.database.transaction() as session:
                found = self._due(session, at)
                self._tell(session, found, at)
                keep(session, Decided(BY, at), found)
        return found if due else None

    def _due(self, session: Session, at: Instant) -> News:
        return news(session, Decided(BY, at), picture(session, self._context.current(), at).known)

    def _tell(self, session: Session, found: News, at: Instant) -> None:
        for turn in found.late:
            to = [who for who in self._everybody(turn) if who != turn.gardien]
            tell_turn(session, BY, turn, to, words.LATE, turn.gardien)
        for turn, who in found.asks:
            tell_turn(session, BY, turn, [who], words.ASKED)
        if found.gaps:
            first = found.gaps[0]
            lines = {"lines": _lines(found.gaps), "others": _lines(found.others)}
            left = found.gaps[-1].end - at
            tell(session, BY, self._everybody(first), words.GAPS, left, when=text.within(first), **lines)

    def _everybody(self, turn: Turn) -> list[str]:
        """The gardiens of that day, and the team."""
        current = self._context.current()
        team = [one.id for one in current.bundle.members if Role.STAFF in one.roles and one.status == "active"]
        return [*gardiens(current, turn.day), *team]


def _lines(turns: tuple[Turn, ...]) -> str:
    return "".join(f"{text.within(turn)}\n" for turn in turns) or "–\n"
