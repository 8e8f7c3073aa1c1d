"""Is a machine ever booked twice? A hundred members want one slot at one instant, some of them by moving a booking.

A round is that, on SQLite and, where it is installed, on PostgreSQL: one has the slot; the others are told that it is
taken by somebody else and what is free next, which is free. Then a few wait for the slot, and at one instant its holder
cancels, those who wait press for it and others book it: nobody has it but whoever came first, and nobody else is
offered it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from threading import Barrier

from policy.booking_terms import Against
from policy.bundle import BookingTerms, Bundle, Machine, Member, Site, Tier
from policy.instants import instant
from policy.ruleset import Ground
from policy.terms import DAY, HOUR, MINUTE, Instant
from proofs.folders import passing_folder
from proofs.postgres import INSTALLED, cluster
from proofs.proof import BrokenError, Proof, Rounds, Task
from server.audit import Decided
from server.changes.booking_waits import leave, take, wait
from server.changes.bookings import Booked, Cancelled, Taken, Wanted, book, cancel, end_slots, move
from server.changes.bundle import import_bundle
from server.database.engine import Database
from server.database.schema import upgrade
from server.queries.booking_waits import Wait, waits
from server.queries.bookings import Slot, slots

PEOPLE, MOVERS, WAITING, OUTSIDERS = 100, 20, 4, 8
MIDNIGHT = instant("2026-03-02T00:00:00+01:00")
DAYS = 364
"""The slots lie in one year, with its two changes of the clocks, and then in it again."""
MACHINE = "cnc"
Outcome = Booked | Taken | Against


def run(task: Task) -> Rounds:
    with _databases() as databases, ThreadPoolExecutor(PEOPLE) as pool:
        for done, number in enumerate(task.numbers, 1):
            for database in databases:
                if (wrong := _contest(database, pool, number, task.random(number))) is not None:
                    raise BrokenError(number, f"{database.url.get_backend_name()}: {wrong}")
            yield done
    names = " and ".join(database.url.get_backend_name() for database in databases)
    asked = task.rounds * PEOPLE * len(databases)
    won = task.rounds * len(databases)
    return f"{names}: {asked} asked for {won} slots, {won} have one, {asked - won} were told what is free next"


@contextmanager
def _databases() -> Iterator[list[Database]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(passing_folder("bookings")))
        urls = [f"sqlite:///{folder}/loquet.db"]
        if INSTALLED:
            urls.append(stack.enter_context(cluster()).create("bookings"))
        found = []
        for url in urls:
            database = Database(url)
            stack.callback(database.close)
            upgrade(database, lambda line: None)
            with database.transaction() as session:
                import_bundle(session, _bundle(), Decided("proof", MIDNIGHT))
            found.append(database)
        yield found


def _bundle() -> Bundle:
    return Bundle(
        format="loquet.bundle/1",
        site=Site("casaco", "Casaco", "Europe/Paris", booking=BookingTerms(open=1000, ahead_days=3)),
        tiers=(Tier("resident", (Ground.ALWAYS,)),),
        machines=(Machine(MACHINE, "cnc", "cnc-tap"),),
        members=tuple(Member(f"m{number}", f"M {number}", "resident") for number in range(PEOPLE)),
    )


def _contest(database: Database, pool: ThreadPoolExecutor, number: int, luck: Random) -> str | None:
    """What is wrong with the round; None for nothing."""
    now = MIDNIGHT + number % DAYS * DAY
    start = now + DAY + luck.randrange(9 * 4, 18 * 4) * 15 * MINUTE
    end = start + luck.randrange(2, 16) * 15 * MINUTE
    theirs = _bookings_to_move(database, now)
    gate = Barrier(PEOPLE)

    def want(who: int) -> Outcome:
        gate.wait()
        with database.transaction() as session:
            decided = Decided(f"m{who}", now)
            if who < MOVERS:
                return move(session, decided, theirs[who].id, start, end)
            return book(session, decided, Wanted((MACHINE,), f"m{who}", start, end))

    said = list(pool.map(want, luck.sample(range(PEOPLE), PEOPLE)))
    with database.reading() as session:
        held = slots(session, now, now + 3 * DAY)
    wrong = _judged(said, held, start, end)
    if wrong is None:
        wrong = _turn(database, pool, now, next(one for one in held if (one.start, one.end) == (start, end)))
    with database.transaction() as session:
        end_slots(session, Decided("proof", now), slots(session, now, now + 3 * DAY))
        for one in waits(session, now):
            leave(session, Decided("proof", now), one.id, one.member)
    return wrong


def _turn(database: Database, pool: ThreadPoolExecutor, now: Instant, slot: Slot) -> str | None:
    """What is wrong with whose turn it is once the holder cancels; None for nothing."""
    others = [f"m{number}" for number in range(PEOPLE) if f"m{number}" != slot.member]
    waiting = others[:WAITING]

    def queue(who: str) -> Wait | Taken | Against:
        with database.transaction() as session:
            return wait(session, Decided(who, now), Wanted((MACHINE,), who, slot.start, slot.end))

    places = [one for one in map(queue, waiting) if isinstance(one, Wait)]
    gate = Barrier(1 + WAITING + OUTSIDERS)

    def press(who: int) -> Outcome | Cancelled:
        gate.wait()
        with database.transaction() as session:
            decided = Decided("proof", now)
            if who == 0:
                return cancel(session, decided, slot.id)
            if who <= WAITING:
                return take(session, decided, places[who - 1].id, waiting[who - 1])
            return book(session, decided, Wanted((MACHINE,), others[who], slot.start, slot.end))

    said = list(pool.map(press, range(1 + WAITING + OUTSIDERS)))
    with database.reading() as session:
        offered = [one.member for one in waits(session, now) if one.until is not None]
    return _turned([one.slot.member for one in said if isinstance(one, Booked)], offered, waiting[0])


def _turned(won: list[str], offered: list[str], first: str) -> str | None:
    if won + offered != [first]:
        return f"{first} came first; booked by {won or 'nobody'}, offered to {offered or 'nobody'}"
    return None


def _bookings_to_move(database: Database, now: Instant) -> list[Slot]:
    """One of each who moves, in the early hours of the day before."""
    found = []
    with database.transaction() as session:
        for who in range(MOVERS):
            start = now + HOUR + who * 30 * MINUTE
            made = book(session, Decided("proof", now), Wanted((MACHINE,), f"m{who}", start, start + 30 * MINUTE))
            if isinstance(made, Booked):
                found.append(made.slot)
    return found


def _judged(said: list[Outcome], held: list[Slot], start: Instant, end: Instant) -> str | None:
    won = [one for one in said if isinstance(one, Booked)]
    stored = [one for one in held if one.start < end and one.end > start]
    if len(won) != 1 or len(stored) != 1 or won[0].slot != stored[0]:
        return f"{len(won)} were told that they have the slot, {len(stored)} bookings of it are stored"
    taken = [one for one in said if isinstance(one, Taken) and one.held_by_other]
    if len(taken) != len(said) - 1:
        return f"{len(said) - 1} lost, {len(taken)} were told that somebody else has it"
    for one in taken:
        free = one.next_free
        if free is None or free.end - free.start != end - start or free.start != end:
            return f"free next is [{end}, ...), and somebody was told {free}"
    return None


PROOF = Proof(
    "no machine is booked twice, whoever is late hears what is free next, and it is offered to one at a time",
    "rounds of a hundred",
    ci=20,
    release=1_000,
    run=run,
    real_time=True,
)
