"""A former member who asks for it is forgotten to the last byte; accounts and counts stay as they were."""

import re
from datetime import UTC, datetime

import pytest
from sqlmodel import Session, col, func, select

from server.audit import Decided, verify
from server.changes.accounts import invite, take_up
from server.changes.erasure import naming
from server.changes.people import end_member
from server.database.engine import files
from server.models import Account, AuditRow, CarnetEntry, Credential, JournalRow, Member, PaidUnit, Pass
from server.queries import history
from server.queries.accounts import at_the_machine
from tests.support_pages import CHEAP_HASH, CREDENTIAL_KEY, EVENING, Place
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
