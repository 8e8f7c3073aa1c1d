"""A bundle goes into the tables and comes out as it was."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import col, select

from policy import bundle as parts
from policy import parse
from policy.bundle import Bundle, Member, Role, Tier
from policy.ruleset import Ground
from policy.terms import DAY, Instant
from server import models
from server.audit import Decided
from server.changes.bundle import Imported, end, import_bundle, put, set_site, would_end
from server.database.engine import Database
from server.database.types import moment
from server.errors import ImportRefusedError, MistakeError
from server.models import AuditRow, Credential, JournalRow, Shift
from server.publish.bundle import COLLECTIONS, Collection, Exporter, export
from server.queries.known_edges import known_edges
from server.queries.site_state import known
from tests.support_server import DECIDED, Desk, Journal, small_bundle, whole_bundle
from tests.support_site import ALICE, at

EMPTY: dict[str, tuple[()]] = dict.fromkeys((collection.name for collection in COLLECTIONS), ())
NEEDED = ("access_points", "tiers", "members", "machines")
"""Collections of which others name something."""


def stored(database: Database) -> Bundle:
    with database.reading() as session:
        bundle = export(session)
    assert bundle is not None
    return bundle


def test_a_round_trip_loses_nothing(database: Database) -> None:
    assert stored(database) == small_bundle()


def test_before_the_first_bundle_there_is_none(database: Database) -> None:
    with database.transaction() as session:
        import_bundle(session, msgspec.structs.replace(small_bundle(), **EMPTY), DECIDED)
        session.connection().exec_driver_sql("DELETE FROM site")
    with database.reading() as session:
        assert export(session) is None


def test_a_new_bundle_replaces_the_old_one_whole(database: Database) -> None:
    bare = msgspec.structs.replace(small_bundle(), **EMPTY)
    with database.transaction() as session:
        import_bundle(session, bare, DECIDED)
    assert stored(database) == bare


def test_the_journal_outlives_a_new_bundle(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    desk.take(journal.rows)
    with desk.database.transaction() as session:
        import_bundle(session, small_bundle(), DECIDED)
    with desk.database.reading() as session:
        assert len(session.exec(select(JournalRow)).all()) == 3


def test_rota_and_bank_are_kept(database: Database) -> None:
    whole = whole_bundle()
    tuesday, saturday = whole.rota
    taken = parts.RotaChange(rota="mardi", date=date(2026, 12, 1), gardien="gregoire")
    bundle = msgspec.structs.replace(
        whole,
        site=msgspec.structs.replace(whole.site, time_bank=parts.TimeBank(rate=50, valid_months=12)),
        rota=(msgspec.structs.replace(tuesday, gardien="gregoire"), saturday),
        rota_changes=(*whole.rota_changes, taken),
    )
    with database.transaction() as session:
        import_bundle(session, bundle, DECIDED)
    assert stored(database) == bundle


def test_a_uid_is_one_uid_in_any_case(database: Database) -> None:
    with database.transaction() as session:
        put(session, [parts.Credential(uid="04a11ce0", member="alice", status="stolen")], DECIDED)
    with database.reading() as session:
        rows = session.exec(select(Credential).where(Credential.member == "alice")).all()
    assert [(row.uid, row.status) for row in rows] == [("04A11CE0", "stolen")]


def test_put_replaces_in_place_and_adds_at_the_end(database: Database) -> None:
    changed = Member(id="gregoire", name="Grégoire Vasseur", tier="nomad", status="suspended")
    new = Member(id="nadia", name="Nadia Belkacem", tier="resident")
    with database.transaction() as session:
        put(session, [changed, new], DECIDED)
    members = stored(database).members
    assert [member.id for member in members] == ["alice", "gregoire", "brigitte", "remy", "zoe", "nadia"]
    assert members[1] == changed
    assert members[-1] == new


def test_every_collection_comes_back_as_it_was(database: Database) -> None:
    with database.transaction() as session:
        import_bundle(session, whole_bundle(), DECIDED)
    assert stored(database) == whole_bundle()
    assert {c.name for c in COLLECTIONS} == {f.name for f in msgspec.structs.fields(Bundle)} - {"format", "site"}
    assert [c.name for c in COLLECTIONS if not getattr(whole_bundle(), c.name)] == []


def test_the_whole_bundle_is_a_valid_file_and_the_same_once_more(database: Database) -> None:
    bundle = parse.parse(parse.export(whole_bundle()), "site.json", ZoneInfo)
    assert bundle == whole_bundle()
    with database.transaction() as session:
        import_bundle(session, bundle, DECIDED)
        import_bundle(session, bundle, DECIDED)
    assert stored(database) == bundle


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda collection: collection.name)
def test_a_part_that_is_put_again_stays_in_its_place(database: Database, collection: Collection) -> None:
    with database.transaction() as session:
        import_bundle(session, whole_bundle(), DECIDED)
        put(session, list(reversed(getattr(whole_bundle(), collection.name))), DECIDED)
    assert stored(database) == whole_bundle()


@pytest.mark.parametrize("collection", [c for c in COLLECTIONS if c.name not in NEEDED], ids=lambda c: c.name)
def test_who_exports_again_sees_every_change(database: Database, collection: Collection) -> None:
    before = getattr(whole_bundle(), collection.name)
    key = tuple(getattr(before[0], name) for name in collection.key)
    export = Exporter()
    for change_it in (
        lambda session: import_bundle(session, whole_bundle(), DECIDED),
        lambda session: end(session, collection.name, [key], DECIDED),
        lambda session: put(session, [before[0]], DECIDED),
    ):
        with database.transaction() as session:
            change_it(session)
        with database.reading() as session:
            assert export(session) == export(session) == stored(database)


def test_what_did_not_change_is_not_made_again(database: Database) -> None:
    export = Exporter()
    with database.transaction() as session:
        before = export(session)
        put(session, [parts.Credential(uid="04a11ce0", member="alice", status="stolen")], DECIDED)
    with database.reading() as session:
        after = export(session)
    assert before is not None
    assert after is not None
    assert after.members is before.members
    assert after.credentials != before.credentials


@pytest.mark.parametrize("collection", [c for c in COLLECTIONS if c.name not in NEEDED], ids=lambda c: c.name)
def test_what_is_ended_is_gone_and_comes_back_at_the_end(database: Database, collection: Collection) -> None:
    before = getattr(whole_bundle(), collection.name)
    key = tuple(getattr(before[0], name) for name in collection.key)
    with database.transaction() as session:
        import_bundle(session, whole_bundle(), DECIDED)
        end(session, collection.name, [key], DECIDED)
    assert getattr(stored(database), collection.name) == before[1:]
    with database.transaction() as session:
        put(session, [before[0]], DECIDED)
    assert getattr(stored(database), collection.name) == (*before[1:], before[0])


def test_what_is_not_there_cannot_be_ended(database: Database) -> None:
    refused = pytest.raises(ImportRefusedError, match="certifications: no remy/laser to end")
    with refused, database.transaction() as session:
        end(session, "certifications", [("remy", "laser")], DECIDED)


def test_a_uid_is_ended_in_any_case(database: Database) -> None:
    with database.transaction() as session:
        end(session, "credentials", [(ALICE.hex().lower(),)], DECIDED)
    assert "alice" not in {credential.member for credential in stored(database).credentials}


def test_what_others_name_is_not_ended(database: Database) -> None:
    refused = pytest.raises(ImportRefusedError, match=r"members: .* has tier 'nomad', which has ended: change it first")
    with refused, database.transaction() as session:
        end(session, "tiers", [("nomad",)], DECIDED)
    assert stored(database) == small_bundle()


def changed(database: Database, before: Bundle, after: Bundle) -> Bundle:
    with database.transaction() as session:
        import_bundle(session, before, DECIDED)
    with database.transaction() as session:
        import_bundle(session, after, DECIDED)
    return stored(database)


def test_a_change_touches_what_differs(database: Database) -> None:
    """A tier goes, whose member has another one now; somebody new comes with a badge; the site is called otherwise."""
    before = small_bundle()
    team = next(tier for tier in before.tiers if tier.id == before.members[0].tier)
    moved = tuple(msgspec.structs.replace(member, tier=team.id) for member in before.members)
    after = msgspec.structs.replace(
        before,
        site=msgspec.structs.replace(before.site, name="Otherwise"),
        tiers=(team,),
        members=(*moved, Member(id="noor", name="Noor", tier=team.id)),
        credentials=(*before.credentials, parts.Credential(uid="04AA0001", member="noor")),
    )
    assert changed(database, before, after) == after
    assert changed(database, after, msgspec.structs.replace(after, credentials=(), shifts=())).credentials == ()


def test_readers_may_change_places(database: Database) -> None:
    before = whole_bundle()
    first, second, *rest = before.access_points
    swapped = (
        msgspec.structs.replace(first, readers=second.readers),
        msgspec.structs.replace(second, readers=first.readers),
    )
    after = msgspec.structs.replace(before, access_points=(*swapped, *rest))
    assert changed(database, before, after) == after


def test_another_site_replaces_all(database: Database) -> None:
    before = small_bundle()
    after = msgspec.structs.replace(before, site=msgspec.structs.replace(before.site, id="elsewhere"))
    assert changed(database, before, after) == after


def test_the_site_alone_may_change(database: Database) -> None:
    changed = msgspec.structs.replace(
        small_bundle().site, anti_passback="hard", at_capacity="deny", adhoc_hours=3, capacity=None, closures=()
    )
    with database.transaction() as session:
        set_site(session, changed, DECIDED)
    assert stored(database) == msgspec.structs.replace(small_bundle(), site=changed)


def test_a_member_of_a_tier_that_does_not_exist_is_kept_out(database: Database) -> None:
    with pytest.raises(MistakeError, match=r"(?i)foreign key constraint"), database.transaction() as session:
        put(session, [Member(id="nadia", name="Nadia Belkacem", tier="ghost")], DECIDED)
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
            grounds=tuple(draw(st.lists(st.sampled_from(Ground), unique=True))),
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
        import_bundle(session, bundle, DECIDED)
    assert stored(database) == bundle


def test_shift_times_are_kept_as_they_were_written(database: Database) -> None:
    with database.reading() as session:
        starts = [shift.start for shift in session.exec(select(Shift))]
    assert starts == ["2026-11-24T18:00", "2026-11-26T18:00+01:00"]


def written(database: Database) -> tuple[list[AuditRow], dict[str, list[tuple[object, ...]]]]:
    """The audit, and all that the tables of the bundle hold, ended or not."""
    with database.reading() as session:
        tables = {
            collection.name: [
                tuple(row)
                for row in session.connection().exec_driver_sql(
                    f"SELECT * FROM {collection.table.__tablename__} ORDER BY 1, 2"  # noqa: S608
                )
            ]
            for collection in COLLECTIONS
        }
        return list(session.exec(select(AuditRow).order_by(col(AuditRow.id)))), tables


MORNING = at(20, 9)


def imported(database: Database, bundle: Bundle, when: Instant = MORNING, unblock: tuple[str, ...] = ()) -> Imported:
    with database.transaction() as session:
        return import_bundle(session, bundle, Decided("denise", when), unblock)


def without(bundle: Bundle, member: str) -> Bundle:
    """Everything of a member gone."""
    lists = {
        collection.name: tuple(
            part
            for part in getattr(bundle, collection.name)
            if member not in (part.id if isinstance(part, Member) else None, getattr(part, "member", None))
        )
        for collection in COLLECTIONS
    }
    return msgspec.structs.replace(bundle, **lists)


def test_the_same_bundle_once_more_writes_nothing(database: Database) -> None:
    imported(database, whole_bundle())
    before = written(database)
    statements: list[str] = []
    with database.transaction() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *told: statements.append(told[2]))
        done = import_bundle(session, whole_bundle(), DECIDED)
    assert done == Imported(0, 0, (), ())
    assert statements
    assert [said for said in statements if not said.startswith("SELECT")] == []
    assert len(statements) == len(set(statements)), "a table is read more than once"
    assert written(database) == before


def test_who_is_gone_is_ended_and_what_speaks_of_them_stays(database: Database) -> None:
    """Their account refers to them: to delete them would break there."""
    with database.transaction() as session:
        session.add(models.Account(login="remy", member="remy", made=moment(at(17, 9))))
    after = without(small_bundle(), "remy")
    with database.reading() as session:
        assert ("members", "remy (Rémy Quentin)") in would_end(session, after)
    done = imported(database, after)
    assert ("members", "remy (Rémy Quentin)") in done.ended
    assert stored(database) == after
    with database.reading() as session:
        remy = session.get_one(models.Member, "remy")
        assert remy.ended == moment(at(20, 9))
        assert session.exec(select(models.Account.member).where(models.Account.login == "remy")).one() == "remy"
    imported(database, small_bundle(), at(21, 9))
    assert {member.id for member in stored(database).members} == {member.id for member in small_bundle().members}
    with database.reading() as session:
        assert session.get_one(models.Member, "remy").ended is None


def badges(database: Database, uid: bytes) -> list[tuple[str, str, bool]]:
    """Who had a number, how it stands, and whether they have it still."""
    with database.reading() as session:
        rows = session.exec(select(Credential).where(Credential.uid == uid.hex().upper()).order_by(col(Credential.id)))
        return [(row.member, row.status, row.ended is None) for row in rows]


def with_badge(bundle: Bundle, uid: bytes, member: str, status: str = "active") -> Bundle:
    kept = [badge for badge in bundle.credentials if badge.uid.upper() != uid.hex().upper()]
    badge = parts.Credential(uid=uid.hex(), member=member, status=status)  # type: ignore[arg-type]
    return msgspec.structs.replace(bundle, credentials=(*kept, badge))


def test_one_number_has_a_history(database: Database) -> None:
    imported(database, with_badge(small_bundle(), ALICE, "gregoire"))
    assert badges(database, ALICE) == [("alice", "active", False), ("gregoire", "active", True)]
    imported(database, with_badge(small_bundle(), ALICE, "alice"))
    assert badges(database, ALICE)[2:] == [("alice", "active", True)]


@pytest.mark.parametrize("way", ["at once", "after it was left out", "for somebody else"])
def test_an_import_makes_no_blocked_badge_good_again_unless_it_is_named(database: Database, way: str) -> None:
    imported(database, with_badge(small_bundle(), ALICE, "alice", "stolen"))
    if way == "after it was left out":
        imported(database, without(small_bundle(), "alice"))
        assert not [badge for badge in badges(database, ALICE) if badge[2]]
    whose = "gregoire" if way == "for somebody else" else "alice"
    old = with_badge(small_bundle(), ALICE, whose)
    done = imported(database, old)
    assert done.blocked == (ALICE.hex().upper(),)
    assert badges(database, ALICE)[-1] == (whose, "stolen", True)
    again = imported(database, old)
    assert (again.new, again.changed, again.ended) == (0, 0, ())
    assert imported(database, old, unblock=(ALICE.hex(),)).blocked == ()
    assert badges(database, ALICE)[-1] == (whose, "active", True)


def test_times_stand_in_utc_and_follow_the_zone_of_the_site(database: Database) -> None:
    def starts() -> list[datetime]:
        with database.reading() as session:
            return list(session.exec(select(Shift.start_at).order_by(Shift.id)))

    assert starts()[0] == datetime(2026, 11, 24, 17, tzinfo=UTC)
    small = small_bundle()
    imported(database, msgspec.structs.replace(small, site=msgspec.structs.replace(small.site, timezone="UTC")))
    assert starts() == [datetime(2026, 11, 24, 18, tzinfo=UTC), datetime(2026, 11, 26, 17, tzinfo=UTC)]


def test_who_changed_what_is_written_down_and_no_number_of_a_badge(database: Database) -> None:
    first, _ = written(database)
    assert {row.did for row in first} == {"added"}
    changed = tuple(
        msgspec.structs.replace(member, status="suspended") if member.id == "gregoire" else member
        for member in small_bundle().members
    )
    imported(
        database, without(with_badge(msgspec.structs.replace(small_bundle(), members=changed), ALICE, "zoe"), "remy")
    )
    told = written(database)[0][len(first) :]
    assert {(row.account, row.at) for row in told} == {("denise", moment(at(20, 9)))}
    suspended = next(row for row in told if row.subject == "gregoire")
    assert (suspended.noun, suspended.did, suspended.before, suspended.after) == (
        *("member", "changed"),
        {"status": "active"},
        {"status": "suspended"},
    )
    remy = next(row for row in told if (row.noun, row.subject) == ("member", "remy"))
    assert (remy.did, remy.after) == ("ended", None)
    assert remy.before is not None
    assert remy.before["name"] == "Rémy Quentin"
    assert (
        ALICE.hex() not in msgspec.json.encode([(row.before, row.after, row.subject) for row in told]).decode().lower()
    )


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "table", [Shift, models.Event, models.Invitation, models.Booking], ids=lambda table: table.__name__
)
def test_what_overlaps_a_week_is_one_query_by_an_index(database: Database, table: Any) -> None:
    monday, sunday = moment(at(0)), moment(at(0) + 7 * DAY)
    asked = select(table.id).where(table.start_at < sunday, table.end_at > monday, table.ended.is_(None))
    with database.reading() as session:
        compiled = asked.compile(session.connection(), compile_kwargs={"literal_binds": True})
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all()
    assert len(plan) == 1
    assert f"SEARCH {table.__tablename__} USING INDEX ix_{table.__tablename__}_" in plan[0][3]


def test_what_has_ended_is_nobodys_any_more(database: Database) -> None:
    """No edge owns it, nothing can be ordered of it, and the state says nothing of it."""
    imported(database, whole_bundle())
    with database.transaction() as session:
        places = [*(point.id for point in whole_bundle().access_points), *(m.id for m in whole_bundle().machines)]
        session.get_one(models.Edge, "front").access_points = places
        owned = known_edges(session)["front"].readers
        before = known(session)
    smaller = msgspec.structs.replace(without(whole_bundle(), "remy"), machines=(), bookings=(), quotas=())
    [kept, *gone] = smaller.access_points
    tiers = tuple(msgspec.structs.replace(tier, access_points=msgspec.UNSET) for tier in smaller.tiers)
    events = tuple(msgspec.structs.replace(one, access_points=msgspec.UNSET) for one in smaller.events)
    invitations = tuple(msgspec.structs.replace(one, access_points=msgspec.UNSET) for one in smaller.invitations)
    imported(
        database,
        msgspec.structs.replace(smaller, access_points=(kept,), tiers=tiers, events=events, invitations=invitations),
    )
    with database.reading() as session:
        left = known_edges(session)["front"].readers
        after = known(session)
    readers = {kept.readers.in_, kept.readers.out} - {None}
    assert gone
    assert set(left) == readers
    assert set(owned) > readers
    assert before.members - after.members == {"remy"}
    assert before.kinds
    assert not after.kinds


def test_an_import_reads_the_badges_so_often_however_many_are_new(database: Database) -> None:
    """Once for each new one, and 10,000 badges would hold up the site for minutes."""

    def reads(badges: int) -> int:
        more = tuple(parts.Credential(uid=f"04{badges:04X}{n:08X}", member="alice") for n in range(badges))
        bundle = msgspec.structs.replace(small_bundle(), credentials=(*small_bundle().credentials, *more))
        statements: list[str] = []
        with database.transaction() as session:
            event.listen(session.connection(), "before_cursor_execute", lambda *told: statements.append(told[2]))
            import_bundle(session, bundle, DECIDED)
        return sum("FROM credential" in said and "credential.ended IS NULL" in said for said in statements)

    assert reads(40) == reads(2)
