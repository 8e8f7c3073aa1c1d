"""A bundle goes into the tables and comes out as it was."""

from datetime import date

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from policy import bundle as parts
from policy.bundle import Bundle, Member, Role, Tier
from policy.errors import BundleError
from policy.ruleset import Ground
from server.db import Database
from server.errors import ImportRefusedError
from server.importer import export, put, replace
from server.models import Credential, JournalRow, Shift
from tests.support_server import Desk, Journal, small_bundle
from tests.support_site import at


def stored(database: Database) -> Bundle:
    with database.reading() as session:
        bundle = export(session)
    assert bundle is not None
    return bundle


def test_a_round_trip_loses_nothing(database: Database) -> None:
    assert stored(database) == small_bundle()


def test_before_the_first_bundle_there_is_none(database: Database) -> None:
    with database.transaction() as session:
        replace(session, msgspec.structs.replace(small_bundle(), **EMPTY))
        session.connection().exec_driver_sql("DELETE FROM site")
    with database.reading() as session:
        assert export(session) is None


EMPTY: dict[str, tuple[()]] = dict.fromkeys(
    ("access_points", "tiers", "members", "credentials", "passes", "shifts"), ()
)


def test_a_new_bundle_replaces_the_old_one_whole(database: Database) -> None:
    bare = msgspec.structs.replace(small_bundle(), **EMPTY)
    with database.transaction() as session:
        replace(session, bare)
    assert stored(database) == bare


def test_the_journal_outlives_a_new_bundle(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    desk.take(journal.rows)
    with desk.database.transaction() as session:
        replace(session, small_bundle())
    with desk.database.reading() as session:
        assert len(session.exec(select(JournalRow)).all()) == 3


def test_a_uid_is_one_uid_in_any_case(database: Database) -> None:
    with database.transaction() as session:
        put(session, [parts.Credential(uid="04a11ce0", member="alice", status="stolen")])
    with database.reading() as session:
        rows = session.exec(select(Credential).where(Credential.member == "alice")).all()
    assert [(row.uid, row.status) for row in rows] == [("04A11CE0", "stolen")]


def test_put_replaces_in_place_and_adds_at_the_end(database: Database) -> None:
    changed = Member(id="gregoire", name="Grégoire Vasseur", tier="nomad", status="suspended")
    new = Member(id="nadia", name="Nadia Belkacem", tier="resident")
    with database.transaction() as session:
        put(session, [changed, new])
    members = stored(database).members
    assert [member.id for member in members] == ["alice", "gregoire", "brigitte", "remy", "zoe", "nadia"]
    assert members[1] == changed
    assert members[-1] == new


def test_put_refuses_what_no_rule_decides(database: Database) -> None:
    quota = parts.Quota(kind="laser", minutes=60, period="week")
    with pytest.raises(ImportRefusedError, match="Quota: not decided yet"), database.transaction() as session:
        put(session, [quota])


def test_an_undecided_key_is_refused_by_name(database: Database) -> None:
    night = Tier(id="night", grounds=(Ground.HOURS,))
    with pytest.raises(BundleError, match=r"tiers\[4\].grounds hours \(of night\)"), database.transaction() as session:
        put(session, [night])
    laser = msgspec.structs.replace(small_bundle(), quotas=(parts.Quota(kind="laser", minutes=60, period="week"),))
    with pytest.raises(BundleError, match="quotas"), database.transaction() as session:
        replace(session, laser)
    assert stored(database) == small_bundle()


def test_a_member_of_a_tier_that_does_not_exist_is_kept_out(database: Database) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"), database.transaction() as session:
        put(session, [Member(id="nadia", name="Nadia Belkacem", tier="ghost")])
    assert stored(database) == small_bundle()


dates = st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1))
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
ids = st.lists(words, unique=True, max_size=4)


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    """Any people in any tiers."""
    tiers = tuple(
        Tier(
            id=tier,
            grounds=tuple(draw(st.lists(st.sampled_from([g for g in Ground if g is not Ground.HOURS]), unique=True))),
            hours=draw(st.sampled_from([{}, {"sat": (("10:00", "12:00"),)}])),
            access_points=draw(st.just(msgspec.UNSET) | ids.map(tuple)),
            pass_=draw(st.sampled_from(["none", "day", "half_day"])),
        )
        for tier in draw(ids)
    )
    names = draw(ids) if tiers else []
    members = tuple(
        Member(
            id=member,
            name=draw(words),
            tier=draw(st.sampled_from(tiers)).id,
            roles=tuple(draw(st.lists(st.sampled_from(Role), unique=True))),
            status=draw(st.sampled_from(["active", "suspended"])),
            valid_from=draw(dates),
            valid_until=draw(dates),
        )
        for member in names
    )
    return msgspec.structs.replace(small_bundle(), **(EMPTY | {"tiers": tiers, "members": members}))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bundle=bundles())
def test_any_people_come_back_as_they_were(database: Database, bundle: Bundle) -> None:
    with database.transaction() as session:
        replace(session, bundle)
    assert stored(database) == bundle


def test_shift_times_are_kept_as_they_were_written(database: Database) -> None:
    with database.reading() as session:
        starts = [shift.start for shift in session.exec(select(Shift))]
    assert starts == ["2026-11-24T18:00", "2026-11-26T18:00+01:00"]
