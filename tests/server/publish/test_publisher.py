"""Rules get a new version when they change, and only then; each hour and each connect confirms them."""

from datetime import date

import msgspec
import pytest
from sqlmodel import select

from policy.bundle import Credential, Member
from policy.instants import text
from policy.ruleset import RuleSet
from policy.spans import covers
from policy.terms import DAY, HOUR, SECOND
from server.changes.bundle import import_bundle, put
from server.database.engine import Database
from server.errors import DatabaseError, ImportRefusedError
from server.models import Edge, Published
from server.publish.rules import Publisher
from server.queries.public_holidays import holidays_of
from tests.support_pages import CREDENTIAL_KEY, SERVER_KEY, Place
from tests.support_server import DECIDED, FRONT_KEY, TOPICS, public, small_bundle
from tests.support_site import ALICE, BRIGITTE, at
from wire.credential import pseudonym
from wire.envelope import unseal
from wire.messages import Fresh, Rules, decode
from wire.ruleset import unpack


def rules(place: Place) -> Rules:
    body = unseal(SERVER_KEY.public_key(), "server", TOPICS.rules, place.published[TOPICS.rules])
    return decode(Rules, body, "rules")


def fresh(place: Place) -> Fresh:
    body = unseal(SERVER_KEY.public_key(), "server", TOPICS.fresh, place.published[TOPICS.fresh])
    return decode(Fresh, body, "fresh")


def compiled(place: Place) -> RuleSet:
    return unpack(rules(place).body)


def test_what_is_published_is_signed_and_confirmed(place: Place) -> None:
    sent, confirmed = rules(place), fresh(place)
    assert sent.version == confirmed.version == 1
    assert confirmed.hash == sent.hash
    assert (sent.issued, sent.not_after) == (text(place.now), text(place.now + 14 * DAY))
    assert compiled(place).members["alice"].staff
    assert compiled(place).readers["front-in"].edge == "front"
    assert compiled(place).edges["front"] == public(FRONT_KEY)


def test_neither_name_nor_uid_travels(place: Place) -> None:
    travelled = unpack(rules(place).body)
    told = msgspec.json.encode(travelled).decode().lower()
    for member in small_bundle().members:
        assert member.name.split()[1].lower() not in told
    for credential in small_bundle().credentials:
        assert credential.uid.lower() not in told
    assert pseudonym(CREDENTIAL_KEY, ALICE) in travelled.credentials
    assert travelled.credentials[pseudonym(CREDENTIAL_KEY, BRIGITTE)].blocked


def test_the_same_rules_keep_their_version(place: Place) -> None:
    place.publisher.publish()
    place.now += HOUR
    place.publisher.publish()
    assert rules(place).version == 1
    assert rules(place).issued == text(place.now)


def test_changed_rules_get_the_next_version(place: Place) -> None:
    with place.database.transaction() as session:
        put(session, [Credential(uid=ALICE.hex(), member="alice", status="stolen")], DECIDED)
    assert place.publisher.publish().version == 2
    assert rules(place).version == fresh(place).version == 2
    assert compiled(place).credentials[pseudonym(CREDENTIAL_KEY, ALICE)].blocked


def test_a_name_is_no_rule(place: Place) -> None:
    with place.database.transaction() as session:
        put(
            session,
            [Member(id="alice", name="Alice Martin", tier="team", roles=small_bundle().members[0].roles)],
            DECIDED,
        )
    assert place.publisher.publish().version == 1


def test_the_version_outlives_the_process(place: Place) -> None:
    with place.database.transaction() as session:
        session.exec(select(Published)).one().version = 41
    after = Publisher(place.database, SERVER_KEY, CREDENTIAL_KEY, lambda: place.now, place.published.__setitem__)
    assert after.publish().version == 41
    with place.database.transaction() as session:
        session.exec(select(Edge)).first()
        put(session, [Credential(uid="01020304", member="remy")], DECIDED)
    assert after.publish().version == 42


def test_a_connect_confirms_what_is_in_force(place: Place) -> None:
    place.now += 5 * SECOND
    place.publisher.confirm()
    assert fresh(place).issued == text(place.now)
    assert fresh(place).version == 1


def test_each_hour_confirms(place: Place) -> None:
    start = place.now
    for _ in range(8):
        place.now += 10 * 60 * SECOND
        place.publisher.tick()
    assert fresh(place).issued == text(start + HOUR)


def test_a_clock_that_is_set_back_confirms_too(place: Place) -> None:
    place.now -= 2 * HOUR
    place.publisher.tick()
    assert fresh(place).issued == text(place.now)


def test_each_site_day_is_compiled_anew(place: Place) -> None:
    place.now = at(4) + DAY - SECOND
    place.publisher.tick()
    assert rules(place).version == 1
    place.now += SECOND
    place.publisher.tick()
    assert rules(place).version == 2


def test_rules_reach_beyond_the_day_on_which_they_are_stale(place: Place) -> None:
    for days in range(15):
        noon = at(12) + days * DAY
        weekday = (1 + days) % 7
        assert covers(compiled(place).staffed, noon) == (weekday < 5 or days == 4)


@pytest.mark.parametrize(("code", "open_on_good_friday"), [("FR", True), ("FR-57", False), (None, True)])
def test_holidays_of_the_subdivision(place: Place, code: str | None, open_on_good_friday: bool) -> None:
    bundle = small_bundle()
    with place.database.transaction() as session:
        import_bundle(
            session, msgspec.structs.replace(bundle, site=msgspec.structs.replace(bundle.site, holidays=code)), DECIDED
        )
    place.now = at(12) + 120 * DAY
    place.publisher.publish()
    friday = at(12) + 122 * DAY - HOUR * 0
    assert date(2027, 3, 26).weekday() == 4
    assert covers(compiled(place).staffed, friday) is open_on_good_friday


def test_holidays_that_nobody_knows() -> None:
    with pytest.raises(ImportRefusedError, match="'XX-1': not known; use a country"):
        holidays_of("XX-1")
    assert date(2026, 12, 25) in holidays_of("FR")(2026)
    assert date(2026, 12, 25) in holidays_of("FRA")(2026)
    assert list(holidays_of(None)(2026)) == []


@pytest.mark.parametrize(
    ("code", "meant"),
    [("France", "FR"), ("fr", "FR"), ("fr-57", "FR"), ("france", "FR"), ("Belgiun", "BE"), ("HolidayBase", None)],
)
def test_a_country_is_written_as_its_code(code: str, meant: str | None) -> None:
    """The library has classes called France and HolidayBase; the latter knows no holiday at all."""
    with pytest.raises(ImportRefusedError) as caught:
        holidays_of(code)
    assert f"site.holidays {code!r}: not known{f' ({meant}?)' if meant else ''}; use a country" in str(caught.value)


def test_what_an_earlier_version_kept_is_no_reason_to_stop() -> None:
    assert date(2026, 7, 14) in holidays_of("France", kept=True)(2026)


def test_before_the_first_bundle(database: Database) -> None:
    with database.transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM site")
    empty = Publisher(database, SERVER_KEY, CREDENTIAL_KEY, lambda: 0, lambda topic, payload: None)
    with pytest.raises(DatabaseError, match="start once with --bundle FILE"):
        empty.publish()
    with pytest.raises(RuntimeError, match="call publish first"):
        _ = empty.current
