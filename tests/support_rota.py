"""A rota for tests: three gardiens and the evenings of Tuesday to Friday, one of them without a gardien."""

from datetime import UTC, datetime

from flask.testing import FlaskClient
from msgspec.structs import replace
from sqlmodel import col, select

from policy.bundle import Bundle, Member, Pattern, Role, Shift
from policy.degrees import degree
from policy.opening import Degree
from server.changes.bundle import import_bundle
from server.database.engine import Database
from server.models import Account, Message
from server.publish.bundle import export
from server.queries.now import picture
from server.queries.rota import turn_of
from tests.support_pages import CHEAP_HASH, Place
from tests.support_server import DECIDED, small_bundle

GAP, FRIDAY, SINGLE = "slot:jeudi/2026-12-03", "slot:vendredi/2026-11-27", "shift:samedi"


def rota_bundle() -> Bundle:
    """On Tuesday Grégoire, as in the small bundle; on Wednesday Odile, on Thursday nobody, on Friday Tarek."""
    small = small_bundle()
    gardiens = (
        Member(id="odile", name="Odile Marchetti", tier="nomad", roles=(Role.GARDIEN,)),
        Member(id="tarek", name="Tarek Benali", tier="nomad", roles=(Role.GARDIEN,)),
    )
    evenings = (("mercredi", "wed", "odile"), ("jeudi", "thu", None), ("vendredi", "fri", "tarek"))
    return replace(
        small,
        site=replace(small.site, adhoc_hours=3),
        members=(*small.members, *gardiens),
        shifts=(*small.shifts, Shift("samedi", "odile", "2026-11-28T10:00", "2026-11-28T18:00")),
        rota=tuple(Pattern(which, day, "18:00", "22:00", gardien=who) for which, day, who in evenings),  # type: ignore[arg-type]
    )


def rota_place(database: Database, bundle: Bundle | None = None, channels: frozenset[str] = frozenset()) -> Place:
    with database.transaction() as session:
        import_bundle(session, bundle or rota_bundle(), DECIDED)
    return Place(database, sends_mail=True, channels=channels)


def press(place: Place, client: FlaskClient, what: str, turn: str = "", **more: str) -> tuple[int, str]:
    """The status, and the page that says what was done."""
    form = {"csrf_token": place.form_token(client, "/gardiens"), "turn": turn} | more
    answer = client.post(f"/gardiens/{what}", data=form)
    if answer.status_code == 303:
        return 303, plain(place.page(answer.headers["Location"], client))
    return answer.status_code, plain(place.words(answer))


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def holder_at(place: Place, key: str) -> str | None:
    """Whose the evening is, None for a gap."""
    with place.database.reading() as session:
        bundle = export(session)
    assert bundle is not None
    turn = turn_of(bundle, key)
    assert turn is not None
    return turn.gardien


def degree_at(place: Place, at: int) -> Degree:
    with place.database.reading() as session:
        return degree(picture(session, place.publisher.current, place.now).known, at).degree


def mails(place: Place) -> list[tuple[str, str]]:
    with place.database.reading() as session:
        rows = session.exec(select(Message).order_by(col(Message.id))).all()
        return [(row.to, plain(row.subject).replace("\N{WORD JOINER}", "")) for row in rows]


def with_mail(place: Place, *members: str) -> None:
    """Their accounts are addresses, those that are logged in among them."""
    with place.database.transaction() as session:
        for who in members:
            known = session.exec(select(Account).where(Account.member == who)).first()
            account = known or Account(login="", member=who, password_hash=CHEAP_HASH, made=datetime.now(UTC))
            account.login = f"{who}@exemple.org"
            session.add(account)
