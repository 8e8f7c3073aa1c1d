"""The ledger of the bank of hours: what is booked, and when, is what policy/bank.py says, whatever came late."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlmodel import select

from policy.bank import Bank
from policy.bank_site import SiteThen
from policy.bundle import Bundle, Credit, Pass, Pattern, Role, RotaChange, Shift, TimeBank
from policy.instants import of
from policy.presence import Move
from policy.recount import Heard, recount
from policy.terms import DAY, HOUR, MINUTE, Instant
from server.audit import Decided
from server.changes import bank
from server.changes.bank import book
from server.changes.bundle import end, import_bundle, put, set_site, would_end
from server.changes.corrections import correct
from server.changes.erasure import erase
from server.changes.people import end_member
from server.database.engine import Database
from server.errors import DatabaseError
from server.models import BankEntry
from server.models import Pass as Carnet
from server.publish.bundle import export
from server.queries.accounts import at_the_machine
from server.queries.ledger import last_count, ledger, signed
from tests.support_policy import PARIS
from tests.support_server import Desk, Journal, small_bundle
from tests.support_site import at

KEPT = 90
CUTOFF = at(4) + DAY
HELPED = Credit("k1", "gregoire", 120, date(2026, 11, 25), "travaux", "remy", "alice")


def site(**terms: Any) -> Bundle:
    """Grégoire has a carnet, and holds the place on Tuesday from 18 to 22, and every second day."""
    small = small_bundle()
    members = [replace(one, tier="carnet") if one.id == "gregoire" else one for one in small.members]
    members = [replace(one, roles=(Role.GARDIEN,)) if one.id == "remy" else one for one in members]
    return replace(
        small,
        site=replace(small.site, time_bank=TimeBank(**terms)),
        members=tuple(members),
        passes=(*small.passes, Pass("c7", "gregoire", "half_day", 5)),
        rota=(Pattern("rota", "fri", "18:00", "22:00", gardien="gregoire"),),
    )


def store(database: Database, bundle: Bundle, when: Instant) -> None:
    with database.transaction() as session:
        import_bundle(session, bundle, Decided("tests", when))


def booked(database: Database, now: Instant) -> list[tuple[int, list[str], int | None]]:
    """Booked up to the instant; minutes, source and what it counters of all entries."""
    with database.transaction() as session:
        book(session, now, KEPT)
    with database.reading() as session:
        rows = session.exec(select(BankEntry).order_by(BankEntry.id)).all()  # type: ignore[arg-type]
        return [(signed(row), row.source, row.counters) for row in rows]


def test_what_was_held_is_booked_and_becomes_a_half_day(database: Database, journal: Journal) -> None:
    store(database, site(), at(8))
    desk = Desk(database, at(23))
    journal.enters(at(17, 50), "gregoire")
    journal.leaves(at(21, 58), "gregoire")
    desk.take(journal.rows)
    assert booked(database, CUTOFF - 1) == []
    unit = "garde/gregoire/1"
    assert booked(database, CUTOFF + 1) == [(240, ["shift", "s1"], None), (-240, ["unit", unit], None)]
    with database.reading() as session:
        first = session.get_one(BankEntry, 1)
        assert first.inside == [at(18) // MINUTE, (at(21, 58)) // MINUTE]
        assert (first.from_account, first.to_account, of(first.at)) == ("place", "member", CUTOFF)
        bundle = export(session)
        assert bundle is not None
        assert [one for one in bundle.passes if one.member == "gregoire"] == [
            Pass(unit, "gregoire", "half_day", 1, valid_from=date(2026, 11, 25)),
            Pass("c7", "gregoire", "half_day", 5),
        ]
        count = last_count(session)
        assert count is not None
        assert (of(count.at), count.off) == (CUTOFF, 0)


def test_the_database_refuses_to_change_what_was_booked(database: Database) -> None:
    store(database, replace(site(), credits=(HELPED,)), at(8))
    before = booked(database, CUTOFF + HOUR)
    assert len(before) == 2
    statements = ["UPDATE bank_entry SET minutes = 1", "DELETE FROM bank_entry"]
    statements += ["UPDATE bank_entry SET member = 'ancien-1'", 'UPDATE bank_entry SET source = \'["credit", "k2"]\'']
    if database.url.get_backend_name() == "postgresql":
        statements.append("TRUNCATE bank_entry CASCADE")
    for statement in statements:
        with pytest.raises(DatabaseError, match="never changed or deleted"), database.transaction() as session:
            session.connection().execute(text(statement))
    assert booked(database, CUTOFF + HOUR) == before


def test_a_half_day_of_the_bank_is_no_bundle_s_to_end(database: Database) -> None:
    store(database, replace(site(valid_months=1), credits=(HELPED, replace(HELPED, id="k2"))), at(8))
    booked(database, CUTOFF + HOUR)
    older = replace(site(valid_months=1), credits=(HELPED, replace(HELPED, id="k2")))
    with database.transaction() as session:
        assert would_end(session, older) == []
        done = import_bundle(session, older, Decided("tests", CUTOFF + 2 * HOUR))
        assert (done.new, done.changed, done.ended) == (0, 0, ())
        bundle = export(session)
        assert bundle is not None
        assert [one.id for one in bundle.passes] == ["c1", "garde/gregoire/1", "c7"], "it ends before the carnet"


def test_shifts_whose_rows_are_gone_are_final(database: Database, journal: Journal) -> None:
    store(database, site(), at(8))
    desk = Desk(database, at(23))
    journal.enters(at(17, 50), "gregoire")
    journal.leaves(at(21, 58), "gregoire")
    desk.take(journal.rows)
    before = booked(database, CUTOFF + 1)
    with database.transaction() as session:
        session.connection().execute(text("DELETE FROM journal_row"))
    assert booked(database, CUTOFF + (KEPT - 1) * DAY + 1)[:2] == before
    assert all(minutes == 0 for minutes, _, _ in booked(database, CUTOFF + (KEPT - 1) * DAY + 1)[2:])


def test_a_lost_counter_entry_is_minutes_off(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store(database, replace(site(unit_minutes=600), credits=(HELPED,)), at(8))
    booked(database, CUTOFF + HOUR)
    monkeypatch.setattr(bank._Writer, "_counter", lambda writer, source, at: writer._known.live.pop(source, None))
    store(database, site(unit_minutes=600), CUTOFF + 2 * HOUR)
    booked(database, CUTOFF + DAY + HOUR)
    with database.reading() as session:
        count = last_count(session)
    assert count is not None
    assert count.off == 120


class Story:
    """Days of a site whose clock runs ahead, and beside it all that the bank is to be told."""

    def __init__(self, database: Database, luck: Random) -> None:
        self.database, self.luck = database, luck
        self.now = at(9)
        self.rows: list[Heard] = []
        self.changes: list[SiteThen] = []
        terms = {"unit_minutes": luck.choice([60, 100, 240]), "valid_months": luck.choice([0, 1])}
        self.stored(lambda session, decided: import_bundle(session, site(**terms), decided))

    def stored(self, act: Any, vouched: Sequence[str] = ()) -> None:
        self.now += self.luck.randrange(1, 3 * HOUR)
        with self.database.transaction() as session:
            act(session, Decided("tests", self.now))
            bundle = export(session)
        assert bundle is not None
        carnets = tuple(one for one in bundle.passes if not one.id.startswith("garde/"))
        then = SiteThen(self.now, replace(bundle, passes=carnets), PARIS, lambda year: (), frozenset(vouched))
        self.changes.append(then)
        if vouched:
            self.book()

    def book(self) -> None:
        with self.database.transaction() as session:
            book(session, self.now, KEPT)

    def tell(self) -> None:
        luck, today = self.luck, date(2026, 11, 24) + timedelta((self.now - at(0)) // DAY)
        who = luck.choice(["gregoire", "alice", "remy"])
        back = luck.choice([0, 0, 1, 3]) * DAY
        match luck.choice(["row"] * 6 + ["shift", "shift", "exception", "credit", "attest", "end", "terms", "carnet"]):
            case "row":
                start = at(18) + ((self.now - at(18)) // DAY) * DAY - back + luck.randrange(-20, 90) * MINUTE
                moves = [Move(start, inside=True), Move(start + luck.randrange(200) * MINUTE, inside=False)]
                moves = [move for move in moves if at(9) < move.at <= self.now]
                with self.database.transaction() as session:
                    correct(session, Decided("tests", self.now, "badge"), who, moves)
                self.rows += [Heard(self.now, who, move) for move in moves]
            case "shift":
                day = today - timedelta(back // DAY)
                start = f"{day}T{luck.randrange(17, 20)}:00"
                new = Shift(f"x{luck.randrange(4)}", who, start, f"{day}T{luck.randrange(20, 23)}:30")
                self.stored(lambda session, decided: put(session, [new], decided))
            case "exception":
                friday = date(2026, 11, 27) + timedelta(7 * luck.randrange(2))
                change = RotaChange("rota", friday, luck.choice([None, who]), luck.choice([None, "19:00"]))
                self.stored(lambda session, decided: put(session, [change], decided))
            case "credit":
                name, minutes = f"k{luck.randrange(3)}", luck.choice([30, 200, -90])
                by, pair = luck.choice(["remy", "alice"]), luck.choice([None, None, "don"])
                day = today + timedelta(luck.randrange(-2, 3))
                credit = Credit(name, who, minutes, day, "travaux", by, luck.choice([None, "alice", "remy"]), pair)
                self.stored(lambda session, decided: put(session, [credit], decided), [name])
            case "end" if self.changes[-1].bundle.credits:
                gone = luck.choice(self.changes[-1].bundle.credits).id
                self.stored(lambda session, decided: end(session, "credits", [(gone,)], decided), [gone])
            case "terms":
                now = self.changes[-1].bundle.site
                terms = TimeBank(rate=luck.choice([50, 100]), unit_minutes=luck.choice([60, 120]))
                wanted = replace(now, time_bank=luck.choice([terms, terms, None]))
                self.stored(lambda session, decided: set_site(session, wanted, decided))
            case "carnet":
                last = luck.choice([None, date(2026, 12, 31), date(2027, 1, 1)])
                carnet = Pass(f"p{len(self.changes)}", "gregoire", "half_day", 3, valid_until=last)
                self.stored(lambda session, decided: put(session, [carnet], decided))
        self.now += luck.choice([MINUTE, HOUR, 9 * HOUR])
        if luck.random() < 0.5:  # else the server is off, and makes up for it
            self.book()

    def expected(self) -> Bank:
        return recount(self.changes, self.rows, self.now)


@pytest.mark.sqlite
@pytest.mark.parametrize("seed", range(4))
def test_the_ledger_is_what_the_bank_says_over_random_stories(database: Database, seed: int) -> None:
    story = Story(database, Random(seed))
    for _ in range(40):
        story.tell()
    story.book()
    expected = story.expected()
    with database.reading() as session:
        found = ledger(session)
        rows = session.exec(select(BankEntry).order_by(BankEntry.id)).all()  # type: ignore[arg-type]
        bundle = export(session)
    assert bundle is not None
    came = sorted((of(row.at), row.member, signed(row), row.source) for row in rows)
    assert came == sorted((entry.at, entry.member, entry.minutes, list(entry.source)) for entry in expected.entries)
    assert {who: minutes for who, minutes in found.minutes.items() if minutes} == {
        who: minutes for who, minutes in expected.minutes.items() if minutes
    }
    theirs = [one.id for one in bundle.passes if one.member == "gregoire"]
    assert theirs == [one.id for one in expected.passes if one.member == "gregoire"]


def test_who_is_forgotten_keeps_the_account_without_a_name(database: Database, journal: Journal) -> None:
    store(database, replace(site(unit_minutes=60), credits=(HELPED,)), at(8))
    desk = Desk(database, at(23))
    journal.enters(at(17, 50), "gregoire")
    journal.leaves(at(21, 58), "gregoire")
    desk.take(journal.rows)
    before = booked(database, CUTOFF + HOUR)
    later, by = Decided("tests", CUTOFF + 2 * HOUR, "parti"), at_the_machine("root")
    with database.transaction() as session:
        end_member(session, by, later, "gregoire")
        book(session, later.at, KEPT)
    with database.transaction() as session:
        kept = erase(session, by, later, "gregoire", CUTOFF).member
    after = booked(database, CUTOFF + DAY + HOUR)
    assert [minutes for minutes, _, _ in after][: len(before)] == [minutes for minutes, _, _ in before]
    with database.reading() as session:
        rows = session.exec(select(BankEntry)).all()
        assert {row.member for row in rows} == {kept}
        assert not [row.source for row in rows if "gregoire" in str(row.source)]
        assert not session.exec(select(Carnet.id).where(Carnet.id.like("%gregoire%"))).all()  # type: ignore[attr-defined]
        count = last_count(session)
        assert count is not None
        assert count.off == 0
    with pytest.raises(DatabaseError, match="never changed"), database.transaction() as session:
        session.connection().execute(text("UPDATE bank_entry SET member = 'alice'"))


@pytest.mark.sqlite
def test_what_somebody_attested_counts_though_they_are_forgotten(database: Database) -> None:
    store(database, site(unit_minutes=600), at(8))
    for now, attested in ((at(9), None), (at(10), "remy")):
        with database.transaction() as session:
            put(session, [replace(HELPED, by="alice", attested=attested)], Decided("tests", now))
    before = booked(database, CUTOFF + HOUR)
    assert (120, ["credit", "k1", "2026-11-25"], None) in before
    later, by = Decided("tests", CUTOFF + 2 * HOUR), at_the_machine("root")
    with database.transaction() as session:
        end_member(session, by, later, "remy")
    with database.transaction() as session:
        erase(session, by, later, "remy", CUTOFF)
    assert booked(database, CUTOFF + DAY + HOUR) == before
    with database.transaction() as session:
        end(session, "credits", [("k1",)], Decided("tests", CUTOFF + DAY + 2 * HOUR))
    assert (-120, ["credit", "k1", "2026-11-25"]) in [one[:2] for one in booked(database, CUTOFF + DAY + 3 * HOUR)]


@pytest.mark.sqlite
def test_what_somebody_attested_ahead_is_booked_on_its_day_though_they_are_forgotten(database: Database) -> None:
    """Not what they attested without the right to, nor what names them once they are forgotten."""
    store(database, site(unit_minutes=600), at(20))
    ahead = date(2026, 11, 27)
    with database.transaction() as session:
        good = replace(HELPED, by="alice", attested="remy", date=ahead)
        put(session, [good, replace(good, id="k2", attested="zoe")], Decided("tests", at(21)))
    by = at_the_machine("root")
    for member, hours in (("remy", 2), ("zoe", 3)):
        later = Decided("tests", CUTOFF + hours * HOUR)
        with database.transaction() as session:
            end_member(session, by, later, member)
        with database.transaction() as session:
            forgotten = erase(session, by, later, member, CUTOFF).member
    with database.transaction() as session:
        made_up = replace(HELPED, id="k3", by="alice", attested="ancien-1", date=ahead)
        put(session, [made_up], Decided("tests", CUTOFF + 4 * HOUR))
    assert forgotten == "ancien-2"
    for days in (3, 100):
        said = [one[:2] for one in booked(database, CUTOFF + days * DAY) if one[1][0] == "credit"]
        assert said == [(120, ["credit", "k1", "2026-11-27"])]


@pytest.mark.sqlite
def test_a_carnet_that_is_called_like_a_half_day_of_the_bank_stops_no_minting(database: Database) -> None:
    """The team may call a carnet as it likes; somebody else may have a slash in their id."""
    alike = [Pass(f"garde/{name}", "gregoire", "half_day", 1) for name in ("x", "gregoire/7", "gregoire/x/9")]
    given = site(unit_minutes=60)
    store(database, replace(given, passes=(*given.passes, *alike), credits=(HELPED,)), at(8))
    units = [source[1] for _, source, _ in booked(database, CUTOFF + HOUR) if source[0] == "unit"]
    assert units == ["garde/gregoire/8", "garde/gregoire/9"]


@pytest.mark.sqlite
def test_half_days_of_the_bank_come_back_with_whoever_an_import_had_left_out(database: Database) -> None:
    given = replace(site(unit_minutes=60), credits=(HELPED,))
    store(database, given, at(8))
    booked(database, CUTOFF + HOUR)
    with database.reading() as session:
        saved = export(session)
    assert saved is not None
    lists = {"members": "id", "credentials": "member", "passes": "member", "shifts": "gardien", "rota": "gardien"}
    lists |= {"certifications": "member", "invitations": "member", "bookings": "member", "credits": "member"}
    theirs = {
        name: tuple(one for one in getattr(saved, name) if getattr(one, key) != "gregoire")
        for name, key in lists.items()
    }
    store(database, replace(saved, **theirs), CUTOFF + 2 * HOUR)
    store(database, saved, CUTOFF + 3 * HOUR)
    with database.reading() as session:
        assert export(session) == saved
