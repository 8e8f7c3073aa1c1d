"""What a site takes along: read in elsewhere it owes everybody the same, and nothing in it is secret."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlmodel import select

from policy.bundle import Credit, Pass, Role, TimeBank
from policy.parse import parse
from policy.terms import DAY
from server.audit import Decided
from server.changes.bank import book
from server.changes.bundle import import_bundle
from server.changes.guests import agree, note_day
from server.changes.people import end_member
from server.database.engine import Database
from server.database.types import moment
from server.errors import MistakeError
from server.models import PaidUnit, RotaOffer, TrainingSeat, TrainingSession
from server.moving import BUNDLE, TABLES, WHY, moving, write
from server.publish.bundle import export
from server.queries.accounts import at_the_machine
from server.queries.carnets import reckoned
from server.queries.ledger import ledger
from server.queries.rota import Kind
from tests.support_policy import PARIS
from tests.support_server import DECIDED, Desk, Journal, site_database, small_bundle
from tests.support_site import at

pytestmark = pytest.mark.sqlite
THEN = at(5) + 2 * DAY
NAMES = ("alice", "remy", "zoe")


@pytest.fixture
def owing(desk: Desk, journal: Journal) -> Desk:
    """Grégoire held an evening and painted, has a half-day minted and used one; Rémy has given an hour away."""
    small = small_bundle()
    roles = {"gregoire": "carnet"}
    members = [replace(one, tier=roles.get(one.id, one.tier)) for one in small.members]
    members = [replace(one, roles=(Role.GARDIEN,)) if one.id == "remy" else one for one in members]
    given = [
        Credit(f"g{who}", who, n, date(2026, 11, 24), "don", "zoe", "alice", "g")
        for who, n in (("remy", -60), ("gregoire", 60))
    ]
    painted = Credit("k1", "gregoire", 150, date(2026, 11, 24), "travaux", "zoe", "alice")
    waits = Credit("k2", "gregoire", 90, date(2026, 11, 24), "travaux", "zoe")
    carnet = Pass("c7", "gregoire", "half_day", 5, given_back=("2026-11-21am",), used=("2026-11-21am",))
    with desk.database.transaction() as session:
        site = replace(small.site, time_bank=TimeBank())
        bundle = replace(
            small,
            site=site,
            members=tuple(members),
            passes=(*small.passes, carnet),
            credits=(*given, painted, waits),
        )
        import_bundle(session, bundle, Decided("tests", at(0)))
    journal.enters(at(18), "gregoire")
    journal.leaves(at(21), "gregoire")
    desk.now = at(23)
    desk.take(journal.rows)
    with desk.database.transaction() as session:
        book(session, THEN, 90)
        for unit in ("2026-11-26am", "2026-11-26pm", "2026-11-24am"):
            session.add(PaidUnit(member="gregoire", unit=unit, edge="front", heard=moment(at(9))))
        which = agree(session, DECIDED, "La Tréso", 10)
        note_day(session, DECIDED, which, "Anna Zimmer", date(2026, 11, 24))
    return desk


def owed(database: Database) -> tuple[dict[str, int], dict[str, int]]:
    """Minutes of each member's bank, and units left on each carnet."""
    with database.reading() as session:
        bundle, minutes = export(session), {who: n for who, n in ledger(session).minutes.items() if n}
        assert bundle is not None
        told = [(one.member, one.unit) for one in session.exec(select(PaidUnit))]
    left = {}
    for member in {one.member for one in bundle.passes}:
        own = [one for one in bundle.passes if one.member == member]
        carnets, _ = reckoned(own, [unit for who, unit in told if who == member])
        left |= {one.held.id: one.rest for one in carnets}
    return minutes, left


def test_another_server_owes_everybody_the_same(owing: Desk, tmp_path: Path) -> None:
    minutes, left = owed(owing.database)
    assert minutes == {"gregoire": 150, "remy": -60}
    assert left == {"c1": 13, "c7": 3, "garde/gregoire/1": 0}
    with owing.database.reading() as session:
        told = write(session, tmp_path / "new", NAMES, THEN, badges=True)
    assert "5 members, 3 carnets, 90 minutes of the bank as 2 credits" in told[0]
    said = parse((tmp_path / "new" / BUNDLE).read_bytes(), BUNDLE, lambda _: PARIS)
    (tmp_path / "there").mkdir()
    there = site_database(tmp_path / "there", said)
    with there.transaction() as session:
        book(session, THEN + 5 * DAY, 90)
    assert owed(there) == (minutes, left)
    with there.reading() as session:
        moved = export(session)
        assert moved is not None
        assert replace(moved, credits=()) == replace(said, credits=())
    there.close()


def test_no_name_that_was_promised_away_and_no_secret_is_in_it(owing: Desk, tmp_path: Path) -> None:
    with owing.database.reading() as session:
        write(session, tmp_path / "new", NAMES, THEN, badges=False)
        badges = {one.uid for one in export(session).credentials}  # type: ignore[union-attr]
    files = sorted((tmp_path / "new").iterdir())
    assert {one.name for one in files} == {BUNDLE, "README.txt", *(f"{one.model.__tablename__}.csv" for one in TABLES)}
    everything = "".join(one.read_text() for one in files)
    assert not [uid for uid in badges if uid in everything]
    assert "Zimmer" not in everything
    assert {oct(one.stat().st_mode & 0o777) for one in files} == {"0o600"}
    readme = (tmp_path / "new" / "README.txt").read_text()
    assert all(one.name in readme for one in files if one.name != "README.txt")
    with (tmp_path / "new" / "bank_entry.csv").open() as file:
        held = [one for one in csv.DictReader(file) if json.loads(one["source"])[0] == "shift"]
    assert [json.loads(one["inside"])[1] - json.loads(one["inside"])[0] for one in held] == [180]


def test_who_is_down_for_a_training_and_what_gardiens_arranged_goes_along(owing: Desk, tmp_path: Path) -> None:
    first, last, then = date(2026, 12, 1), date(2026, 12, 13), moment(THEN)
    with owing.database.transaction() as session:
        session.add(TrainingSession(id="s1", kind="cnc", start=then, end=then, places=4))
        session.flush()
        session.add(TrainingSeat(session="s1", member="zoe", at=then))
        session.add(RotaOffer(kind=Kind.ABSENCE, member="remy", first=first, last=last, at=then, by="remy.compte"))
        session.add(RotaOffer(kind=Kind.SWAP, member="remy", to="gregoire", turn="a", against="b", at=then, by="x"))
    with owing.database.reading() as session:
        write(session, tmp_path / "new", NAMES, THEN, badges=False)
    read = {}
    for name in ("training_seat", "rota_offers"):
        with (tmp_path / "new" / f"{name}.csv").open() as file:
            read[name] = list(csv.DictReader(file))
    assert [(one["session"], one["member"], one["gone"]) for one in read["training_seat"]] == [("s1", "zoe", "")]
    said = [(one["kind"], one["member"], one["to"], one["first"], one["last"]) for one in read["rota_offers"]]
    assert said == [("absence", "remy", "", "2026-12-01", "2026-12-13"), ("swap", "remy", "gregoire", "", "")]
    assert "compte" not in (tmp_path / "new" / "rota_offers.csv").read_text(), "no account goes along"


def test_what_is_owed_to_somebody_who_left_is_said_and_not_left_out_in_silence(owing: Desk, tmp_path: Path) -> None:
    with owing.database.transaction() as session:
        end_member(session, at_the_machine("root"), DECIDED, "gregoire")
        told = write(session, tmp_path / "new", NAMES, THEN, badges=False)
    assert "-60 minutes of the bank as 1 credits" in told[0]
    assert told[1] == "150 minutes of the bank are of 1 former members: in bank_entry.csv alone"


def test_who_vouches_is_asked_for_and_nobody_for_themselves(owing: Desk, tmp_path: Path) -> None:
    with owing.database.reading() as session:
        for names in ((), ("gregoire", "remy"), ("alice",), ("zoe", "brigitte")):
            with pytest.raises(MistakeError, match="vouch"):
                moving(session, names, THEN, badges=False)
        told = moving(session, NAMES, THEN, badges=False).credits
        made = [one for one in told if one.why == WHY]
        assert all(len({one.member, one.by, one.attested}) == 3 for one in made)
        assert {one.id for one in moving(session, NAMES, THEN, badges=False).credits} - {one.id for one in made} == {
            "k2"
        }
        write(session, tmp_path / "new", NAMES, THEN, badges=False)
        with pytest.raises(MistakeError, match="name a new folder"):
            write(session, tmp_path / "new", NAMES, THEN, badges=False)
