"""A former member who asks for it is forgotten to the last byte; accounts and counts stay as they were."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, func, select

from policy.terms import DAY
from server.audit import Decided, verify
from server.backups.restore import restore
from server.changes.accounts import invite, set_login, take_up
from server.changes.bundle import put
from server.changes.erasure import naming
from server.changes.messages import Channel, queue
from server.changes.people import end_member
from server.changes.purge import purge
from server.database import erased
from server.database.engine import Database, files
from server.database.types import moment
from server.errors import DatabaseError
from server.main import Server
from server.models import (
    Account,
    AuditRow,
    CarnetEntry,
    ChannelChoice,
    Credential,
    JournalRow,
    Member,
    Message,
    PaidUnit,
    Pass,
)
from server.queries import history
from server.queries.accounts import at_the_machine
from tests.server.test_main import config
from tests.support_pages import CHEAP_HASH, CREDENTIAL_KEY, EVENING, Place
from tests.support_postgres import Kept
from tests.support_server import small_bundle
from tests.support_site import at
from wire.credential import pseudonym

WHO = "brigitte"


@pytest.fixture
def former(place: Place) -> Place:
    """Somebody with badge, carnet, account and passages, whose membership has just ended."""
    place.staff().get(f"/members/{WHO}")
    with place.database.transaction() as session:
        link = invite(session, at_the_machine("root"), datetime.now(UTC), login="brigitte.m@example.org", member=WHO)
        take_up(session, link, datetime.now(UTC), password_hash=CHEAP_HASH, device="")
    leave(place)
    with place.database.transaction() as session:
        end_member(session, at_the_machine("root"), Decided("root", EVENING, "elle déménage"), WHO)
    place.publish()
    return place


def leave(place: Place) -> None:
    place.journal.leaves(at(19, 11), WHO)
    place.tell()


def erase(place: Place, who: str = WHO) -> tuple[int, str]:
    client = place.staff()
    answer = client.post(f"/members/{who}/erase", data={"csrf_token": place.form_token(client, "/account")})
    return answer.status_code, answer.location or place.words(answer)


def counts(session: Session) -> tuple[object, ...]:
    """What accounts and figures stand on."""
    hours = [(hour.start, hour.peak) for hour in history.hours(session, at(4), at(23))]
    sums = [session.exec(select(func.count()).select_from(table)).one() for table in (Pass, CarnetEntry, PaidUnit)]
    return hours, len(list(history.arrivals(session, at(4), at(23)))), sums


def test_nothing_names_them_and_what_counts_stays(former: Place) -> None:
    database = former.database
    with database.reading() as session:
        before, name = counts(session), session.get_one(Member, WHO).name
        [uid] = session.exec(select(Credential.uid).where(Credential.member == WHO))
        passed = len(session.exec(select(JournalRow.id).where(JournalRow.member == WHO)).all())
    status, where = erase(former)
    assert (status, where.partition("?")[0]) == (303, "/members/ancien-1")
    assert "Effacé à sa demande" in former.page("/members/ancien-1", former.staff())
    with database.reading() as session:
        assert counts(session) == before
        assert len(session.exec(select(JournalRow.id).where(JournalRow.member == "ancien-1")).all()) == passed > 0
        for table, column in naming():
            assert session.connection().execute(select(column).where(column == WHO)).all() == [], table.name
        assert verify(session).broken is None
        last = session.exec(select(AuditRow).order_by(col(AuditRow.id).desc())).first()
        assert last is not None
        assert (last.did, last.subject, last.account) == ("erased", "ancien-1", "equipe")
        account = session.exec(select(Account).where(Account.member == "ancien-1")).one()
        assert (account.login, account.password_hash) == ("ancien-1", None)
    gone = [WHO, name, uid, uid.lower(), pseudonym(CREDENTIAL_KEY, bytes.fromhex(uid)), "brigitte.m@example.org"]
    for file in files(str(database._writer.url)):
        content = file.read_bytes() if file.exists() else b""
        found = [content[max(0, spot - 60) : spot + 60] for word in gone if (spot := content.find(word.encode())) >= 0]
        assert found == [], file.name
    assert former.staff().get(f"/members/{WHO}").status_code == 404


@pytest.mark.sqlite
def test_no_message_stays_that_was_to_reach_them(former: Place) -> None:
    """Nor is one that waits for the morning sent to them any more."""
    topic, until = "loquet-0123456789abcdef", moment(EVENING) + timedelta(days=1)
    with former.database.transaction() as session:
        session.add(ChannelChoice(member=WHO, channel="ntfy", address=topic, quiet=True))
        for channel, to in (("ntfy", topic), ("mail", "brigitte.m@example.org"), ("mail", "another@example.org")):
            queue(
                session, Decided("server", EVENING), moment(EVENING),
                about="t", to=to, subject="s", body="b", until=until, channel=Channel(channel),
            )  # fmt: skip
    assert erase(former)[0] == 303
    with former.database.reading() as session:
        assert session.exec(select(Message.to)).all() == ["another@example.org"]


def test_a_login_that_they_had_before_stays_nowhere(former: Place) -> None:
    """Nor a message to it; of whoever has it since all stays."""
    old, later = "brigitte.m@example.org", datetime.now(UTC) + timedelta(days=1)
    with former.database.transaction() as session:
        account = session.exec(select(Account.id).where(Account.member == WHO)).one()
        for made, to in ((datetime.now(UTC), old), (later, old)):
            queue(session, Decided("server", EVENING), made, about="t", to=to, subject="s", body="b", until=later)
        assert account is not None
        set_login(session, at_the_machine("root"), datetime.now(UTC) + timedelta(minutes=1), account, "b@example.net")
    assert erase(former)[0] == 303
    with former.database.reading() as session:
        said = "".join(str(row.model_dump()) for row in session.exec(select(AuditRow)))
        assert [one for one in (old, "b@example.net") if one in said] == []
        assert verify(session).broken is None
        assert len(session.exec(select(Message).where(Message.to == old)).all()) == 1


def test_the_badge_is_free_and_nobody_comes_back(former: Place) -> None:
    with former.database.reading() as session:
        [uid] = session.exec(select(Credential.uid).where(Credential.member == WHO))
    erase(former)
    client = former.staff()
    token = former.form_token(client, "/account")
    given = client.post("/members/remy/badges", data={"uid": uid, "csrf_token": token})
    assert (given.status_code, given.location.startswith("/members/remy")) == (303, True)
    for press in ("return", "erase"):
        answer = client.post(f"/members/ancien-1/{press}", data={"csrf_token": token})
        assert answer.status_code == 409, press


@pytest.mark.sqlite
def test_who_is_a_member_or_inside_is_not_erased(place: Place) -> None:
    assert erase(place)[0] == 409, "a member still"
    with place.database.transaction() as session:
        end_member(session, at_the_machine("root"), Decided("root", EVENING), WHO)
    place.publish()
    status, said = erase(place)
    assert (status, "encore à l’intérieur" in said) == (409, True)
    assert former_page(place).count("Effacer à sa demande…") == 1


def former_page(place: Place) -> str:
    return place.page(f"/members/{WHO}", place.staff())


@pytest.mark.sqlite
def test_the_second_step_and_the_page_of_everybody_say_the_same(former: Place) -> None:
    page, told = former_page(former), former.page("/kept")
    said = re.search(r"Ce qui part, .*?30 jours", page)
    assert said is not None
    assert said[0] in told


@pytest.mark.sqlite
def test_an_older_copy_brings_nobody_back(place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In the copy she is a member still, inside, and has a badge that is good."""
    file, copy = place.database.file, tmp_path / "copy.db"
    assert file is not None
    with place.database.reading() as session:
        uid, name = session.exec(select(Credential.uid, Member.name).join(Member).where(Member.id == WHO)).one()
    with closing(sqlite3.connect(file)) as now, closing(sqlite3.connect(copy)) as then:
        now.backup(then)
    place.now += 1000
    leave(place)
    with place.database.transaction() as session:
        end_member(session, at_the_machine("root"), Decided("root", place.now), WHO)
    place.publish()
    assert erase(place)[0] == 303
    place.database.close()
    said = restore(f"sqlite:///{file}", copy, agreed=True, now=moment(place.now))
    assert "1 erased since the copy was made: they are erased again at the start" in " ".join(said)
    told = replace(config(tmp_path), database=f"sqlite:///{file}")
    with caplog.at_level("INFO", "loquet.server"):
        server = Server(told, lambda: place.now + 60_000)
    assert "erased again, whom an older copy had brought back: ancien-1" in caplog.text
    rules = server.exchange.publisher.current.rules
    assert pseudonym(CREDENTIAL_KEY, bytes.fromhex(uid)) not in rules.credentials
    assert WHO not in rules.members
    with server.database.reading() as session:
        for table, column in naming():
            assert session.connection().execute(select(column).where(column == WHO)).all() == [], table.name
    server.stop()
    kept = [one.read_bytes() for one in files(told.database) if one.exists()]
    assert not any(word.encode() in one for one in kept for word in (WHO, name))
    assert file.with_name(f"{file.name}.erased").stat().st_mode & 0o777 == 0o600


def test_on_postgresql_nobody_comes_back_by_whatever_the_copy_came(
    kept: Kept, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept.restore()
    database, control = Database(kept.url), tmp_path / "control"
    place = Place(database, control=control)
    place.staff()
    with database.transaction() as session:
        end_member(session, at_the_machine("root"), Decided("root", place.now), WHO)
    place.publish()
    assert erase(place)[0] == 303
    database.close()
    kept.restore()
    told = replace(config(tmp_path), database=kept.url, socket=control)
    assert erased.place(told.database, told.control) == tmp_path / "kept.erased"
    with caplog.at_level("INFO", "loquet.server"):
        server = Server(told, lambda: place.now + 60_000)
    with server.database.reading() as session:
        assert session.get(Member, WHO) is None
    server.stop()
    assert caplog.text.count("erased again, whom an older copy had brought back: ancien-1") == 1
    with caplog.at_level("WARNING", "loquet.server"):
        Server(replace(told, socket=None), lambda: place.now + 60_000).stop()
    assert "who is erased is noted nowhere" in caplog.text


@pytest.mark.sqlite
def test_who_was_erased_before_the_copy_is_not_looked_for_in_it(
    former: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody new may bear that id."""
    file, copy = former.database.file, tmp_path / "copy.db"
    assert file is not None
    assert erase(former)[0] == 303
    with closing(sqlite3.connect(file)) as now, closing(sqlite3.connect(copy)) as then:
        now.backup(then)
    former.database.close()
    assert "erased since" not in " ".join(restore(f"sqlite:///{file}", copy, agreed=True, now=moment(former.now)))
    told = replace(config(tmp_path), database=f"sqlite:///{file}")
    with closing(Database(told.database)) as restored, restored.transaction() as session:
        anew = next(one for one in small_bundle().members if one.id == WHO)
        put(session, [anew], Decided("root", former.now + 1000))
    server = Server(told, lambda: former.now + 60_000)
    with server.database.reading() as session:
        assert session.get_one(Member, WHO).name == anew.name
    server.stop()
    assert "erased again" not in caplog.text


@pytest.mark.sqlite
def test_who_came_anew_stays_when_the_audit_of_that_year_is_empty(
    former: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Under the id of somebody who was erased, as a bundle may have it."""
    assert erase(former)[0] == 303
    former.database.close()
    told, later = replace(config(tmp_path), database=f"sqlite:///{former.database.file}"), former.now + 400 * DAY
    anew = next(one for one in small_bundle().members if one.id == WHO)
    with closing(Database(told.database)) as database, database.transaction() as session:
        put(session, [anew], Decided("root", former.now + 1000))
        while purge(session, later, 90) is not None:
            pass
        assert not session.exec(select(AuditRow.id).where(AuditRow.subject == WHO)).all()
    server = Server(told, lambda: later)
    with server.database.reading() as session:
        assert session.get_one(Member, WHO).name == anew.name
    server.stop()
    assert "erased again" not in caplog.text


@pytest.mark.sqlite
def test_what_cannot_be_noted_beside_the_database_is_not_erased(former: Place) -> None:
    file = former.database.file
    assert file is not None
    file.with_name(f"{file.name}.erased").mkdir()
    assert erase(former)[0] >= 500
    with former.database.reading() as session:
        assert session.get(Member, WHO) is not None


def test_a_line_that_a_full_disk_cut_takes_no_other_with_it(tmp_path: Path) -> None:
    file = tmp_path / "loquet.db.erased"
    file.write_text("2026-11-24T09:00:00+00:00 half")
    erased.note(file, datetime(2026, 11, 24, 10, tzinfo=UTC), "whole")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        copy.execute("CREATE TABLE audit (at TEXT)")
        assert erased.since(file, copy) == 2
        copy.execute("INSERT INTO audit VALUES ('2026-11-24T09:30:00')")
        assert erased.since(file, copy) == 1
    assert list(erased.noted(file)) == ["half", "whole"]


@pytest.mark.parametrize("written", ["2026-11-24T09:00:00+0", "hier", "9999-99-99", "0001-01-01T00:00:00+14:00"])
def test_a_line_whose_instant_cannot_be_read_is_named_with_what_helps(tmp_path: Path, written: str) -> None:
    file = tmp_path / "loquet.db.erased"
    file.write_text(f"\n2026-11-24T09:00:00+00:00 whole\n\n{written} other\n")
    with pytest.raises(DatabaseError, match=r"line 4 begins with .* no instant: .* correct it"):
        erased.noted(file)


def test_a_list_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    file = tmp_path / "loquet.db.erased"
    file.mkdir()
    with pytest.raises(DatabaseError, match="who was erased would come back"):
        erased.noted(file)
