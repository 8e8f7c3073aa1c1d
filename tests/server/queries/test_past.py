"""What is known of evenings and days, kept between two questions, is what reading every move anew would give."""

import random
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from threading import Event, Thread

import pytest
from sqlmodel import Session, col, delete, select, update

from policy.held import Moves, length
from policy.instants import of
from policy.terms import DAY, HOUR, MINUTE, Instant
from server.ahead import Ahead
from server.database.engine import beside_the_server
from server.database.types import moment
from server.models import JournalRow, Member
from server.queries.bank_rows import moves
from server.queries.counts import Days, Numbers, What, by_month, first_uncounted
from server.queries.gardien_figures import Evening, evenings
from server.queries.now import few
from server.queries.past import past
from server.queries.past_days import Part
from server.queries.rota import Turn
from tests.support_pages import Place
from tests.support_server import statements
from tests.support_site import at

pytestmark = pytest.mark.sqlite
WHO = ("alice", "brigitte", "gregoire", "remy")


def over(place: Place) -> list[Turn]:
    """Five evenings, two of them beside each other, one into the next morning, one without a gardien."""
    spans = [(18, 22, "gregoire"), (18, 23, "remy"), (42, 46, None), (46, 54, "gregoire"), (66, 70, "zoe")]
    return [
        Turn(f"shift:{n}", "", place.publisher.current.calendar.day_at(at(start)), who, at(start), at(end))
        for n, (start, end, who) in enumerate(spans)
    ]


def read_anew(session: Session, place: Place) -> Iterator[Evening]:
    """From every row since a day before the first evening, all members at once."""
    current, turns = place.publisher.current, over(place)
    inside: defaultdict[str, Moves] = defaultdict(Moves)
    came: list[tuple[Instant, str]] = []
    for row in moves(session, turns[0].start, [member.id for member in current.bundle.members]):
        inside[row.member].add(row.move)
        if row.move.inside:
            came.append((row.move.at, row.member))
    came.sort()
    for turn in turns:
        held = inside[turn.gardien].inside(current.calendar, turn.start, turn.end) if turn.gardien else ()
        some = came[bisect_right(came, (turn.start, "")) : bisect_right(came, (turn.end, ""))]
        people = {member for _, member in some} - {turn.gardien}
        yield Evening(turn, length(held) // MINUTE, few(len(people)) if people else 0)


def seen(place: Place) -> list[Evening]:
    current = place.publisher.current
    with place.database.reading() as session:
        found = evenings(session, current.bundle, current.calendar, over(place))
        assert found == list(read_anew(session, place))
        numbers = counted(session, place)
        if numbers:
            assert told(numbers) == counted_anew(session, place)
    with beside_the_server(str(place.database.url)) as session:
        assert counted(session, place) == numbers, "by tier, too: a session that keeps nothing counts the same"
    return found


def counted(session: Session, place: Place) -> Numbers:
    """Of November."""
    current = place.publisher.current
    days = Days(session, current.bundle, current.calendar, date(2026, 11, 1), date(2026, 11, 30), place.now)
    return by_month(days).get(date(2026, 11, 1), Counter())


def counted_anew(session: Session, place: Place) -> dict[tuple[What, str], int]:
    """Visits, people, days and seats, move by move."""
    calendar, first = place.publisher.current.calendar, first_uncounted(session, place.publisher.current.calendar)
    found, days, visits = Counter[tuple[What, str]](), defaultdict[date, list[JournalRow]](list), set()
    people = set()
    for row in session.exec(select(JournalRow).where(col(JournalRow.inside).is_not(None))):
        if row.moved_at is not None and of(row.moved_at) < place.now:
            day = calendar.day_at(of(row.moved_at))
            people |= {row.member} if row.inside else set()
            if first is not None and day >= first:
                days[day].append(row)
                visits |= (
                    {(day, of(row.moved_at) < calendar.half_day(day, "13:00"), row.member)} if row.inside else set()
                )
    for day, rows in days.items():
        noon, inside = calendar.half_day(day, "13:00"), set[str]()
        begin = {Part.MORNING: 0, Part.AFTERNOON: noon, Part.EVENING: noon + 5 * HOUR}
        rows.sort(key=lambda row: (of(row.moved_at or row.at), not row.inside))
        for part, end in ((Part.MORNING, noon), (Part.AFTERNOON, noon + 5 * HOUR), (Part.EVENING, noon + DAY)):
            most = 0 if any(of(row.moved_at or row.at) == begin[part] for row in rows) else len(inside)
            for row in rows:
                if begin[part] <= of(row.moved_at or row.at) < end:
                    (inside.add if row.inside else inside.discard)(str(row.member))
                    most = max(most, len(inside))
            found[What.SEATS, part] += most
    found.update({(What.PEOPLE, ""): len(people), (What.DAYS, ""): len(days), (What.VISITS, ""): len(visits)})
    return +found


def told(numbers: Numbers) -> dict[tuple[What, str], int]:
    """The numbers that follow from moves, those by tier added up."""
    found = Counter({key: count for key, count in numbers.items() if key[0] in (What.DAYS, What.SEATS)})
    found[What.PEOPLE, ""] = numbers[What.PEOPLE, ""]
    found[What.VISITS, ""] = sum(count for (what, _), count in numbers.items() if what is What.VISITS)
    return +found


def move(number: int, when: Instant, who: str, inside: bool) -> JournalRow:
    return JournalRow(
        edge="front",
        journal="late",
        seq=number,
        at=moment(when),
        received=moment(when),
        mono_ms=0,
        boot="b",
        clock="synced",
        kind="tap",
        pending=False,
        member=who,
        inside=inside,
        moved_at=moment(when),
    )


def any_move(chance: random.Random, number: int) -> JournalRow:
    """Of those days, at a full half-hour; one in five is of somebody whom nobody knows."""
    when = at(0) + chance.randrange(150) * 30 * MINUTE
    return move(number, when, chance.choice((*WHO, "zoe")), chance.random() < 0.6)


@pytest.mark.parametrize("seed", range(4))
def test_late_rows_corrections_and_erasures_count_as_if_all_were_read_anew(place: Place, seed: int) -> None:
    chance, row = random.Random(seed), JournalRow
    for number in range(20):
        with place.database.transaction() as session:
            who, since = chance.choice(WHO), moment(at(0) + chance.randrange(75) * HOUR)
            match chance.randrange(12):
                case 0:  # a correction taken back
                    gone = update(row).where(col(row.member) == who, col(row.moved_at) > since)
                    session.exec(gone.values(inside=None, moved_at=None))
                case 1:  # a clock set right
                    session.exec(update(row).where(col(row.member) == who).values(moved_at=since))
                case 2:  # the new id of somebody erased
                    session.exec(update(row).where(col(row.member) == who).values(member="ancien-1"))
                case 3:  # a purge
                    session.exec(delete(row).where(col(row.moved_at) < since))
                case 4:
                    session.exec(update(Member).where(col(Member.id) == who).values(ended=chance.choice((None, since))))
                case _:
                    session.add_all(any_move(chance, 10 * number + more) for more in range(chance.randrange(1, 5)))
        place.publisher.publish()
        place.now = chance.choice((at(19, 12), at(40), at(12) + 4 * DAY))
        seen(place)


def test_what_is_kept_costs_no_row(place: Place) -> None:
    place.now = at(12) + 4 * DAY
    before = seen(place)
    place.journal.enters(at(12) + 4 * DAY - MINUTE, "remy")
    place.tell()
    current = place.publisher.current
    with statements(place.database) as asked, place.database.reading() as session:
        assert evenings(session, current.bundle, current.calendar, over(place)) == before
    (moved,) = ((sql, told) for sql, told in asked if "moved_at" in sql)
    assert "journal_row.id > " in moved[0], "a row that came since was of no evening"
    with place.database.reading() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {moved[0]}", moved[1]).all()
    assert any("INTEGER PRIMARY KEY" in str(step) for step in plan), "what is new is looked through, not what is old"


def test_a_late_row_costs_the_evening_it_is_of(place: Place) -> None:
    place.now = at(12) + 4 * DAY
    seen(place)
    place.journal.enters(at(43), "remy")
    place.tell()
    current = place.publisher.current
    with statements(place.database) as asked, place.database.reading() as session:
        evenings(session, current.bundle, current.calendar, over(place))
    reckoned = [sql for sql, _ in asked if "moved_at >= " in sql]
    assert len(reckoned) == 2, "who came to that one, and the moves of whoever held the one that day, after it"
    seen(place)


def test_whoever_sees_an_earlier_moment_leaves_nothing_behind(place: Place) -> None:
    """A page that began before a row was stored, and ends after another page has read it."""
    current = place.publisher.current
    place.now = at(12) + 4 * DAY
    with place.database.reading() as early:
        evenings(early, current.bundle, current.calendar, over(place)[:1])
        with place.database.transaction() as session:
            session.add_all(move(n, at(43), who, True) for n, who in enumerate(("alice", "brigitte", "remy")))
        with place.database.reading() as late:
            assert evenings(late, current.bundle, current.calendar, over(place))[2].people == 3
        assert evenings(early, current.bundle, current.calendar, over(place))[2].people == 0
    assert seen(place)[2].people == 3


def test_the_numbers_of_a_year_cost_no_day_that_is_known(place: Place) -> None:
    """And whom a door refused is found by the index of the refused, not among all who tapped."""
    place.now = at(12) + 4 * DAY
    for hour in (9, 33):
        place.journal.enters(at(hour), "remy")
    place.tell()
    with place.database.reading() as session:
        before = counted(session, place)
    assert before[What.DAYS, ""] == 2
    with statements(place.database) as asked, place.database.reading() as session:
        assert counted(session, place) == before
        plans = [
            str(session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", told).all())
            for sql, told in asked[:]
            if "granted IS" in sql
        ]
    assert not [sql for sql, _ in asked if "moved_at >= " in sql], "no day is read anew"
    assert len(plans) == 1
    assert "ix_journal_row_refused" in plans[0]


def evening_of(session: Session, place: Place, reckon: Callable[[], int]) -> int:
    """What is known of [43 h, 44 h), which reckons itself as told."""
    return past(session).of("a number", at(43), at(44), reckon)


def never() -> int:
    raise AssertionError("it is known")


def test_nobody_waits_for_what_somebody_else_reckons_and_both_may_keep_it(place: Place) -> None:
    """A year's figures take a minute where there are ten million moves, and were reckoned under a lock."""
    place.now = at(12) + 4 * DAY
    begun, go_on = Event(), Event()

    def slowly() -> int:
        begun.set()
        assert go_on.wait(20)
        return 1

    def ask() -> None:
        with place.database.reading() as session:
            evening_of(session, place, slowly)

    asking = Thread(target=ask)
    asking.start()
    assert begun.wait(20)
    place.journal.enters(at(12) + 4 * DAY - MINUTE, "remy")
    place.tell()
    seen(place)
    go_on.set()
    asking.join(20)
    with place.database.reading() as session:
        assert evening_of(session, place, never) == 1, "of a row that came meanwhile it was not"


@pytest.mark.parametrize("rewritten", [False, True])
def test_what_was_reckoned_while_a_row_of_it_came_or_changed_is_not_kept(place: Place, rewritten: bool) -> None:
    def meanwhile() -> int:
        with place.database.transaction() as session:
            if rewritten:
                session.exec(update(JournalRow).values(moved_at=moment(at(43))))
            else:
                session.add(move(1, at(43, 30), "zoe", True))
        with place.database.reading() as another:
            past(another)
        return 1

    with place.database.reading() as session:
        assert evening_of(session, place, meanwhile) == 1, "as this session sees it"
        assert evening_of(session, place, never) == 1
    with place.database.reading() as session:
        assert evening_of(session, place, lambda: 2) == 2


def test_after_a_start_the_figures_are_reckoned_before_somebody_asks(place: Place) -> None:
    place.now = at(12) + 4 * DAY
    place.journal.enters(at(9), "remy")
    place.tell()
    stopping = [True]
    ahead = Ahead(place.database, lambda: place.now, lambda: place.publisher.current, lambda: stopping[0])
    ahead.tick()
    stopping[0] = False
    with statements(place.database) as asked:
        ahead.tick()
    assert [sql for sql, _ in asked if "moved_at >= " in sql], "not when it was to stop"
    with statements(place.database) as asked, place.database.reading() as session:
        counted(session, place)
    days = {str(told[0]) for sql, told in asked if "moved_at >= " in sql}
    assert days <= {"2026-11-28 03:00:00.000000"}, "today goes on"
    with statements(place.database) as asked:
        ahead.tick()
    assert len(asked) <= 1, "once"
