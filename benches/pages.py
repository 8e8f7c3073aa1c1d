"""How long does a page take at a large site, and the first one after a change? The floor is a page of words alone."""

import re
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from sqlmodel import Session, insert, update

from benches.disk import bench_folder
from benches.figure import Figures, figure, p95
from policy.bundle import (
    AccessPoint,
    Bundle,
    Credential,
    Kind,
    Machine,
    Member,
    Pass,
    Pattern,
    Readers,
    Role,
    Site,
    TimeBank,
    Weekday,
)
from policy.presets import COWORKING
from policy.terms import DAY, Instant
from server.app import create_app
from server.audit import Decided
from server.changes.bundle import import_bundle, put
from server.changes.configured import take_over_account
from server.database.engine import Database
from server.database.schema import upgrade
from server.exchange import Exchange
from server.main import tuned
from server.models import (
    Account,
    Agreement,
    BankEntry,
    Booking,
    Certification,
    GuestDay,
    MachineSession,
    Message,
    PaidUnit,
)
from server.passwords import hash_password
from server.web.context import Context
from server.web.live import Live
from wire.topics import Topics

MEMBERS = 10_000
PASSAGES = 10_000_000
"""In the days for which they are kept."""
CARNETS = 4_000
PAID = 20
"""Half-days that each carnet has paid."""
MACHINES = 20
GARDIENS = 20
"""Who share the evenings of each week, for a year behind and without an end."""
BOOKED = (8, 11, 14)
"""The hours (UTC) at which each machine is booked for two, on each day of the last `days` and of the next 30."""
ABSENT = 10
"""One in so many does not come; the others run the machine, which is kept as long as passages are."""
GUESTS, GUEST_DAYS = 4, 10
"""Guests on each day of the last `days`, and how many days each of them has."""
TRAINED = 500
ROUNDS = 20
DAYS = 89
NOW: Instant = 1_795_543_920_000
"""Tuesday 24 November 2026, 19:12 in Malakoff."""
LOGIN, PASSWORD = "bench", "a page that nobody waits for"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PAGES = {
    "now": "/",
    "today": "/today",
    "me": "/me",
    "members": "/members",
    "members_search": "/members?q=marie+17",
    "member": "/members/m17",
    "carnets": "/carnets",
    "presence": "/presence",
    "stay": "/presence/m17",
    "evacuation": "/evacuation",
    "hours": "/hours",
    "machines": "/machines",
    "machine": "/machines/cnc3",
    "calendar": "/calendar",
    "machine_figures": "/machines/chiffres",
    "machine_figures_before": "/machines/chiffres?month=2026-10",
    "trainings": "/trainings",
    "trained": "/trainings/kinds/cnc",
    "gardiens": "/gardiens",
    "gardien_figures": "/gardiens/chiffres",
    "evenings": "/gardiens/evenings",
    "bank": "/banque",
    "account": "/banque/m7",
    "guests": "/guests",
    "messages": "/messages",
    "closing": "/fermer",
    "year": "/chiffres",
    "events": "/events",
    "accounts": "/accounts",
    "health": "/sante",
    "kiosk": "/kiosque",
}
FLOOR = "/lamps"
_ROWS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
INSERT INTO journal_row (edge, journal, seq, at, received, mono_ms, boot, clock, kind, access_point, reader, direction,
  credential, member, granted, reason, pending, inside, moved_at)
SELECT 'front', 'bench', i + 1, moment, moment, i, 'b', 'synced', 'tap', 'front', CASE i % 2 WHEN 0 THEN 'front-in' ELSE
  'front-out' END, CASE i % 2 WHEN 0 THEN 'in' ELSE 'out' END, printf('%032x', i / 2 % {members}), 'm' || (i / 2 %
  {members}), 1, CASE i % 2 WHEN 0 THEN 'always' ELSE 'egress' END, 0, (i + 1) % 2, moment
FROM (SELECT i, strftime('%Y-%m-%d %H:%M:%f000', {start} + {span} * 1.0 * i / {count}, 'unixepoch') AS moment FROM n)
"""


def figures() -> Figures:
    with bench_folder() as folder:
        yield from measured(folder, MEMBERS, PASSAGES)


def measured(folder: Path, members: int, passages: int, rounds: int = ROUNDS, days: int = 365) -> Figures:
    """p95 of each page in ms; and the slowest of the first after each of some changes."""
    with closing(Database(f"sqlite:///{folder / 'pages.db'}")) as database:
        upgrade(database, lambda _: None)
        fill(database, members, passages, days)
        context = context_of(database)
        app = create_app(context)
        client = logged_in(app.test_client())
        with tuned():
            floor = p95(sorted(took(client, FLOOR) for _ in range(rounds)))
            later = iter(range(date(2026, 1, 1).toordinal(), date(2026, 9, 1).toordinal()))
            for name, path in PAGES.items():
                took(client, path)  # since the server's start nobody has asked: that is another figure
                yield f"page_{name}", figure(p95(sorted(took(client, path) for _ in range(rounds))), "ms", floor)
                slow = max(after_change(database, context, client, path, next(later)) for _ in range(rounds // 4))
                yield f"page_{name}_first", figure(slow, "ms", floor)


def took(client: FlaskClient, path: str) -> float:
    """ms of this process's CPU: what else the machine does, and how fast its disk is, is not the page's."""
    begun = time.process_time()
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)  # noqa: S101 - else nothing is measured
    return (time.process_time() - begun) * 1000


def after_change(database: Database, context: Context, client: FlaskClient, path: str, day: int) -> float:
    """Somebody becomes a member, and somebody pays a half-day of that day."""
    with database.transaction() as session:
        put(session, [Member(f"late-{day}", f"Venue Tard {day}", "nomade")], Decided(LOGIN, NOW))
        paid = PaidUnit(member="m3", unit=f"{date.fromordinal(day)}am", edge="front", heard=datetime.now(UTC))
        session.add(paid)
    context.site_changed()
    return took(client, path)


def fill(database: Database, members: int, passages: int, days: int) -> None:
    with database.transaction() as session:
        import_bundle(session, bundle(members), Decided("bench", 0))
        take_over_account(session, datetime.now(UTC), LOGIN, hash_password(PASSWORD))
        _pay(session, members)
        _book(session, members, days)
        _note(session, members, days)
        session.exec(update(Account).values(member="m17"))  # who is asked what the machines would say to them
    with database.transaction() as session:
        start = NOW // 1000 - DAYS * DAY // 1000
        said = _ROWS.format(count=passages, members=members, start=start, span=DAYS * DAY // 1000)
        connection = session.connection()
        indexes = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'journal_row' AND sql IS NOT NULL"
        ).all()
        for name, _ in indexes:
            connection.exec_driver_sql(f'DROP INDEX "{name}"')
        connection.exec_driver_sql(said)
        for _, made in indexes:
            connection.exec_driver_sql(made)


def _book(session: Session, members: int, days: int) -> None:
    today = datetime.fromtimestamp(NOW // 1000, UTC).date()
    rows: list[dict[str, object]] = []
    ran: list[dict[str, object]] = []
    for day in (today + timedelta(ahead) for ahead in range(-days, 31)):
        for machine, hour in product(range(MACHINES), BOOKED):
            start = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            end = start + timedelta(hours=2)
            rows.append(
                {
                    "id": f"b{len(rows)}",
                    "position": len(rows),
                    "machine": f"cnc{machine}",
                    "member": f"m{len(rows) % members}",
                    "start": start.isoformat(),
                    "end": end.isoformat(),
                    "start_at": start,
                    "end_at": end,
                    "late": False,
                }
            )
            if today - timedelta(DAYS) <= day < today and len(rows) % ABSENT:
                rest = {"until": end, "cuts": True, "ended": end, "edge": "front", "heard": end}
                ran.append(
                    {"machine": f"cnc{machine}", "started": start, "member": rows[-1]["member"], "kind": "cnc", **rest}
                )
    session.execute(insert(Booking), rows)
    session.execute(insert(MachineSession), ran)


def _note(session: Session, members: int, days: int) -> None:
    """For so many days: guests by agreement, a shift of each evening in the bank of hours, and a message to each of
    its gardiens; and who was trained."""
    today = datetime.fromtimestamp(NOW // 1000, UTC)
    agreement = Agreement(name="La coopérative voisine", days=GUEST_DAYS)
    session.add(agreement)
    session.flush()
    for back in range(1, days):
        when, gardien = today - timedelta(back), f"m{back % GARDIENS}"
        for guest in (f"Invité {number} de {back // GUEST_DAYS}" for number in range(GUESTS)):
            session.add(
                GuestDay(agreement=agreement.id or 0, who=guest.casefold(), name=guest, day=when.date(), by=LOGIN)
            )
        paid: dict[str, Any] = {"from_account": "minted", "to_account": "used", "source": ["unit", str(back)]}
        session.add(BankEntry(at=when, member=gardien, minutes=210, inside=[], **paid))
        for number in range(GARDIENS):
            mail: dict[str, Any] = {
                "by": LOGIN,
                "name": f"{back}-{number}",
                "to": f"gardien{number}@example.org",
                "subject": "Une soirée est libre",
                "body": "",
            }
            session.add(Message(state="sent", about="rota_free", made=when, due=when, until=when, ended=when, **mail))
    for number in range(min(TRAINED, members)):
        shown: dict[str, Any] = {"member": f"m{number}", "kind": "cnc", "position": number, "until": None}
        session.add(Certification(**shown))


def _pay(session: Session, members: int) -> None:
    first = date(2026, 10, 1).toordinal()
    session.add_all(
        PaidUnit(
            member=f"m{3 * holder}",
            unit=f"{date.fromordinal(first + 2 * day)}am",
            edge="front",
            heard=datetime(2026, 11, 20, tzinfo=UTC),
        )
        for holder in range(min(CARNETS, members // 3))
        for day in range(PAID)
    )


def bundle(members: int) -> Bundle:
    names = ("Marie", "Élise", "Adèle", "Hugo", "Rachid", "Zoé", "Rémy")
    tiers = ("carnet-demi", "resident", "nomade")
    carnets = min(CARNETS, members // 3)
    since = datetime.fromtimestamp(NOW // 1000, UTC).date() - timedelta(365)
    evenings = (  # each gardien has one of a week in turn
        Pattern(f"{day}-{i}", day, "18:30", "22:00", every=GARDIENS, since=since + timedelta(7 * i), gardien=f"m{i}")
        for day, i in product(get_args(Weekday), range(GARDIENS))
    )
    return Bundle(
        format="loquet.bundle/1",
        site=Site("bench", "Le banc", "Europe/Paris", holidays="FR", time_bank=TimeBank()),
        access_points=(AccessPoint("front", Readers("front-in", "front-out")),),
        tiers=COWORKING,
        members=tuple(
            Member(f"m{i}", f"{names[i % 7]} Untel {i}", tiers[i % 3], roles=(Role.GARDIEN,) if i < GARDIENS else ())
            for i in range(members)
        ),
        credentials=tuple(Credential(f"04{i:012X}", f"m{i}") for i in range(members)),
        rota=tuple(evenings),
        kinds=(Kind("cnc"),),
        machines=tuple(Machine(f"cnc{i}", "cnc", f"cnc{i}-reader") for i in range(MACHINES)),
        passes=tuple(Pass(f"p{i}", f"m{3 * i}", "half_day", 30) for i in range(carnets)),
    )


def context_of(database: Database) -> Context:
    live = Live()
    exchange = Exchange(
        database,
        Topics("bench"),
        KEY,
        bytes(range(32)),
        lambda: NOW,
        retain=lambda _topic, _body: None,
        send=lambda _topic, _body: True,
        link_up=lambda: True,
        changed=live.changed,
    )
    exchange.start()
    return Context(
        database=database,
        clock=lambda: NOW,
        current=lambda: exchange.publisher.current,
        troubles=exchange.troubles,
        live=live,
        link_up=lambda: True,
        site_changed=exchange.site_changed,
        orders=exchange.orders,
        presence_changed=exchange.presence_changed,
        lock_down=exchange.lock_down,
        enrolments=exchange.enrolments,
    )


def logged_in(client: FlaskClient) -> FlaskClient:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert found is not None  # noqa: S101
    client.post("/login", data={"name": LOGIN, "password": PASSWORD, "csrf_token": found[1]})
    return client
