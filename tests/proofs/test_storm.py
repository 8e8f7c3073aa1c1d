"""The stormy site is itself tried: one seed is one story, and each thing that it vows to notice is noticed."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from sqlmodel import select

import policy.door
from edge import commands, door, machine
from edge.controller import TO_CORE
from edge.core import Core
from edge.events import LinkChanged, Ordered, RulesSwapped
from edge.journal import Journal
from edge.knowledge import Knowledge
from edge.machine import MachineController
from policy.bundle import Pass
from policy.case import Decision
from policy.presence import Move
from policy.reasons import Reason
from policy.terms import DAY, HOUR, MINUTE, ClockState, Instant
from proofs.storm import faults, reading
from proofs.storm.casting import MINT
from proofs.storm.credits import Given
from proofs.storm.hours import day_start, instant_of
from proofs.storm.pi import Pi
from proofs.storm.reading import Knowledge as Known
from proofs.storm.record import BrokenWorldError
from proofs.storm.site import Site, storm
from server.changes import credits as credit_changes
from server.ingest.messages import Ingest, Message, Owed, Taken
from server.models import JournalRow
from wire.messages import Ack
from wire.row import Kind, Order, Row

SEED = 3


@pytest.fixture
def site() -> Iterator[Site]:
    with storm(SEED) as site:
        yield site


def lived(seed: int, days: int = 1) -> Site:
    with storm(seed) as site:
        for _ in range(days):
            site.live_a_day()
        return site


def badge_of(site: Site, who: str) -> str:
    return next(uid for uid, member in site.uids if member == who)


def front(site: Site) -> Pi:
    return site.pis[0]


def broken(act: Callable[[], object]) -> str:
    """What the watch says of it."""
    with pytest.raises(BrokenWorldError) as caught:
        act()
    return str(caught.value)


def last_row(site: Site) -> Row:
    edge = front(site).edge
    assert edge is not None
    assert edge.storage.writer.journal is not None
    return edge.storage.writer.journal.rows()[-1]


def pass_seconds(site: Site, seconds: int) -> None:
    site.pass_until(site.clock.now() + seconds * 1000)


def test_one_seed_is_one_story_to_the_byte() -> None:
    once, again, other = lived(SEED), lived(SEED), lived(SEED + 1)
    assert once.digest.hexdigest() == again.digest.hexdigest() != other.digest.hexdigest()
    assert once.watch.counts == again.watch.counts
    assert once.watch.counts["taps"] > 200
    assert once.watch.counts["comparisons"] > 0


def test_what_is_broken_is_named_with_instant_and_edge(site: Site) -> None:
    said = broken(lambda: site.watch.broken(front(site), "all is lost"))
    assert said == "2026-01-05T03:00:05.000Z at edge 'front': all is lost"


def test_a_relay_that_a_link_moves(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def opens(core: Core, now: Any, event: LinkChanged) -> None:
        core.link_changed(now, event)
        core.drive("strike", not event.up)

    monkeypatch.setitem(TO_CORE, LinkChanged, opens)
    assert "the strike moved" in broken(lambda: site.network.cable("front", whole=False))


def test_a_relay_that_falls_back_with_the_link(site: Site) -> None:
    lamps = ["front-in.green", "front-in.buzzer"]
    site.watch.relays.still(front(site), lamps, "its link broke")
    said = broken(lambda: site.watch.relays.still(front(site), [*lamps, "strike"], "its link broke"))
    assert said.endswith("the strike moved when its link broke")


def test_a_relay_that_a_start_moves(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Core.begin

    def opens(core: Core, now: Any) -> None:
        core.drive("strike", True)
        honest(core, now)

    front(site).switch_off(site.luck)
    monkeypatch.setattr(Core, "begin", opens)
    assert "strike moved" in broken(lambda: front(site).switch_on(ClockState.SYNCED, 0))


def test_a_relay_that_nobody_asked_for(site: Site) -> None:
    pi = front(site)
    pi.output("strike", True)
    assert "nobody was granted anything" in broken(lambda: site.watch.relays.after(pi))


def extended(it: commands.Dated) -> commands.Dated:
    return dataclasses.replace(it, not_after=it.not_after + MINUTE)


def opened_by_order(site: Site, after: float, *, kept_back: bool) -> int:
    """How often an order to the front door releases the strike that the broker says (again) so many seconds later."""
    given_by_broker(site, Order.OPEN, "front", after, kept_back=kept_back)
    return site.watch.counts["openings by command"]


def given_by_broker(site: Site, order: Order, place: str, after: float, *, kept_back: bool) -> None:
    site.network.withholds = kept_back
    site.office.order(order, place)
    pass_seconds(site, 1)
    site.network.withholds = False
    [said] = site.network.commands
    site.agenda.after(after - 1, lambda: site.network.say_again(*said))
    pass_seconds(site, round(after))


def test_an_order_is_carried_out_once(site: Site) -> None:
    assert opened_by_order(site, 8, kept_back=False) == 1
    assert site.watch.counts["commands late or again"] == 1


@pytest.mark.parametrize(("after", "times"), [(8, 1), (11, 0)])
def test_an_order_that_is_kept_back_is_carried_out_in_time_or_never(site: Site, after: int, times: int) -> None:
    assert opened_by_order(site, after, kept_back=True) == times
    assert site.watch.counts["commands late or again"] == 1 - times


def test_an_order_excuses_no_later_pulse(site: Site) -> None:
    assert opened_by_order(site, 8, kept_back=False) == 1
    front(site).output("strike", True)
    assert "nobody was granted anything" in broken(lambda: site.watch.relays.after(front(site)))


def test_an_order_excuses_one_pulse(site: Site) -> None:
    pi = front(site)
    site.watch.seen[pi.name].ordered = True
    for _ in range(2):
        pi.output("strike", True)
    assert "nobody was granted anything" in broken(lambda: site.watch.relays.after(pi))


def test_an_order_that_does_what_another_should(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = door.DoorController._ordered

    def opens(controller: door.DoorController, now: Any, event: Ordered) -> None:
        honest(controller, now, replace(event, order=Order.OPEN))

    monkeypatch.setitem(door.HANDLERS, Ordered, opens)
    site.office.order(Order.SOUND, "front-in")
    assert "nobody was granted anything" in broken(lambda: pass_seconds(site, 2))


@pytest.mark.parametrize(("after", "kept_back"), [(3, False), (11, True)])
def test_another_order_that_is_carried_out_twice_or_late(
    site: Site, monkeypatch: pytest.MonkeyPatch, after: int, kept_back: bool
) -> None:
    """No relay moves by it: its rows tell."""
    honest = commands.dated
    monkeypatch.setattr(commands, "dated", lambda command: extended(honest(command)))
    monkeypatch.setattr(commands, "judge", lambda *_: None)
    monkeypatch.setattr(commands.SeenCommands, "knows", lambda seen, it: False)
    given_by_broker(site, Order.SOUND, "front-in", after, kept_back=kept_back)
    pass_seconds(site, 5)
    said = broken(lambda: site.quiet.compare(site.clock.now()))
    assert "(sound) was carried out late, twice or uncalled for" in said


def test_an_order_that_is_carried_out_twice(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands.SeenCommands, "knows", lambda seen, it: False)
    assert "nor ordered it in time and once" in broken(lambda: opened_by_order(site, 8, kept_back=False))


def test_an_order_that_is_carried_out_late(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = commands.dated
    monkeypatch.setattr(commands, "dated", lambda command: extended(honest(command)))
    monkeypatch.setattr(commands, "judge", lambda *_: None)
    assert "nor ordered it in time and once" in broken(lambda: opened_by_order(site, 11, kept_back=True))


@pytest.mark.parametrize("doors", [1, 5])
def test_a_site_has_as_many_doors_as_it_is_told(doors: int) -> None:
    with storm(SEED, doors) as site:
        assert len(site.pis) == doors + 1
        faults.rush(site, site.luck)
        site.live_a_day()
        assert {place for place in site.watch.seen if site.watch.seen[place].on_disk} == {pi.name for pi in site.pis}


def test_a_tap_over_a_bad_link_counts_as_such(site: Site) -> None:
    """Away, slow, or up and down: for the edge, or for the server."""
    front, server = site.network.clients["front"], site.network.clients["server"]
    pass_seconds(site, 5)
    assert not site._hampered("front")
    for end in (front, server):
        end.slow = True
        assert site._hampered("front")
        end.slow = False
        site.network.cable(end.name, False)
        assert site._hampered("front")
        site.network.cable(end.name, True)
        pass_seconds(site, 1)
        assert end.up
        assert site._hampered("front")
        pass_seconds(site, 5)
        assert not site._hampered("front")


def at_the_machine(site: Site) -> None:
    """A resident comes in, and starts the machine."""
    site.tap(front(site), "front-in", badge_of(site, "resident-0"))
    pass_seconds(site, 5)
    site.tap(site.machine, "cnc-in", badge_of(site, "resident-0"))


def test_an_interlock_that_does_not_wait_for_the_disk(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = MachineController._start

    def at_once(controller: MachineController, *how: Any) -> None:
        honest(controller, *how)
        controller._powered = True

    monkeypatch.setattr(MachineController, "_start", at_once)
    assert "of the start is not on the disk" in broken(lambda: at_the_machine(site))


def test_a_session_that_the_server_counts_otherwise(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    at_the_machine(site)
    pass_seconds(site, 120)
    site.tap(site.machine, "cnc-in", badge_of(site, "resident-0"))
    pass_seconds(site, 10)
    site.quiet.compare(site.clock.now())
    edge = site.machine.edge
    assert edge is not None
    assert edge.storage.writer.journal is not None
    rows = edge.storage.writer.journal.rows()
    changed = [replace(row, ended=row.started) if row.kind is Kind.SESSION_ENDED else row for row in rows]
    monkeypatch.setattr(Journal, "rows", lambda journal: changed)
    assert "cnc': sessions: " in broken(lambda: site.quiet.compare(site.clock.now()))


def test_a_decision_that_the_rules_do_not_give(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "decide", lambda rules, state, tap, at: Decision(True, Reason.ALWAYS, "nomad-0"))
    said = broken(lambda: site.tap(front(site), "front-in", badge_of(site, "nomad-0")))
    assert "decided (True, 'always'), should be (False, 'outside_hours')" in said


def test_a_machine_that_starts_for_anybody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "decide", lambda rules, state, tap, at: Decision(True, Reason.WALK_UP, "nomad-0"))
    said = broken(lambda: site.tap(site.machine, "cnc-in", badge_of(site, "nomad-0")))
    assert "should be (False, 'not_certified')" in said


def test_a_revoked_badge_that_is_granted(site: Site) -> None:
    uid = badge_of(site, "team-0")
    site.tap(front(site), "front-in", uid)
    row = last_row(site)
    assert row.granted
    assert row.rules_version is not None
    bundle = site.watch.bundles[row.rules_version]
    revoked = tuple(replace(badge, status="lost") for badge in bundle.credentials)
    site.watch.bundles[row.rules_version] = replace(bundle, credentials=revoked)
    assert "which revoke it" in broken(lambda: site.watch.never_let_in(front(site), row, uid))


def test_somebody_who_is_kept_in(site: Site) -> None:
    site.tap(front(site), "front-out", badge_of(site, "team-0"))
    presented = site.watch.seen["front"].presented
    assert presented is not None
    refused = replace(last_row(site), granted=False)
    said = broken(lambda: site.watch.never_held_up(front(site), refused, presented[2]))
    assert "who only wants to leave or stop" in said


def test_an_edge_that_forgets_what_it_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.tap(front(site), "front-in", badge_of(site, "team-0"))
    monkeypatch.setattr(Knowledge, "add_heard", lambda *told: None)
    monkeypatch.setattr(Knowledge, "replace_snapshot", lambda *told: None)
    assert "came, and it knows" in broken(lambda: pass_seconds(site, 5))


def test_an_edge_that_believes_what_nobody_told(site: Site) -> None:
    pi = front(site)
    assert pi.edge is not None
    presence = pi.edge.control.controller.core.state.presence
    presence.apply("resident-1", Move(site.clock.now() - 1000, inside=True))
    said = broken(lambda: site.tap(pi, "front-in", badge_of(site, "resident-1")))
    assert "takes resident-1 for inside; it was told otherwise" in said


def test_rules_that_do_not_come_into_force(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TO_CORE, RulesSwapped, lambda *told: None)

    def change() -> None:
        badges = tuple(replace(badge, status="lost") for badge in site.office.bundle.credentials)
        site.office.change(replace(site.office.bundle, credentials=badges))
        pass_seconds(site, 5)

    assert "are in force" in broken(change)


def test_a_server_that_acknowledges_what_it_does_not_store(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    take_all = Ingest.take_all

    def lies(ingest: Ingest, messages: Sequence[Message]) -> Taken:
        bodies = [json.loads(payload)["body"] for _, payload in messages]
        if not all("rows" in body for body in bodies):
            return take_all(ingest, messages)
        edges = [topic.split("/")[3] for topic, _ in messages]
        owed = [
            Owed(edge, Ack(body["journal"], body["rows"][-1]["seq"])) for edge, body in zip(edges, bodies, strict=True)
        ]
        return Taken(owed, [])

    monkeypatch.setattr(Ingest, "take_all", lies)
    site.tap(front(site), "front-in", badge_of(site, "team-0"))
    said = broken(lambda: pass_seconds(site, 5))
    assert said.endswith("row 2 is acknowledged; of those after row 1 the server has 0")


def test_rows_that_the_server_lost(site: Site) -> None:
    with site.office.database.transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM journal_row WHERE edge = 'front'")
    assert "1 rows in its journal, 0 on the server" in broken(lambda: site.quiet.compare(site.clock.now()))


def test_a_tap_that_no_journal_has(site: Site) -> None:
    site.watch.unwritten["front"].add(77)
    assert "taps [77] were decided, and no journal has them" in broken(lambda: site.quiet.compare(site.clock.now()))


def test_copies_that_differ(site: Site) -> None:
    pi = front(site)
    assert pi.edge is not None
    pi.edge.control.controller.core.state.lockdown = True
    assert "after quiet lockdown" in broken(lambda: site.quiet.compare(site.clock.now()))


def test_a_server_that_is_wrong_about_who_is_inside(site: Site) -> None:
    site.tap(front(site), "front-in", badge_of(site, "team-0"))
    pass_seconds(site, 5)
    site.quiet.compare(site.clock.now())
    site.watch.moves["team-0"][-1].inside = False
    assert "the server takes team-0 for" in broken(lambda: site.quiet.compare(site.clock.now()))


def closed_by_a_gardien(site: Site) -> None:
    """The gardien of the first shift comes, and a nomad; the gardien goes as the last and lays the badge on twice."""
    shift = min(site.office.bundle.shifts, key=lambda one: one.start)
    site.pass_until(instant_of(shift.start))
    for who, way in ((shift.gardien, "in"), ("nomad-0", "in"), (shift.gardien, "out"), (shift.gardien, "out")):
        site.tap(front(site), f"front-{way}", badge_of(site, who))
        pass_seconds(site, 10)


def test_a_gardien_closes_the_place_as_the_last_and_the_pages_say_so(site: Site) -> None:
    closed_by_a_gardien(site)
    assert site.watch.counts["closings"] == site.watch.counts["people checked out by a closing"] == 1
    site.quiet.compare(site.clock.now())
    with site.office.database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE journal_row SET member = 'team-0' WHERE kind = 'closed'")
    said = broken(lambda: site.quiet.compare(site.clock.now()))
    assert "who closed the place for whom is told wrong: [('nomad-0', 'gardien-" in said


def test_a_place_that_the_last_gardien_does_not_close(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = policy.door.leave
    monkeypatch.setattr(policy.door, "leave", lambda case, *, second: honest(case, second=False))
    closed_by_a_gardien(site)
    said = broken(lambda: site.quiet.compare(site.clock.now()))
    assert "who closed the place for whom is told wrong: [('nomad-0', 'gardien-" in said


def test_a_lamp_that_says_nothing_of_who_is_left(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = policy.door.leave
    monkeypatch.setattr(policy.door, "leave", lambda case, *, second: replace(honest(case, second=second), marks=()))
    assert "leaves somebody who may not stay; the lamp says the opposite" in broken(lambda: closed_by_a_gardien(site))


def test_an_evening_is_booked_and_minted_the_night_after(site: Site) -> None:
    shift = min(site.office.bundle.shifts, key=lambda one: one.start)
    start, end = instant_of(shift.start), instant_of(shift.end)
    for at, way in ((start, "in"), (end, "out")):
        site.pass_until(at)
        site.tap(front(site), f"front-{way}", badge_of(site, shift.gardien))
    site.pass_until(day_start(end) + DAY + 10 * MINUTE)
    site.bank.night()
    earned = (end - start) // MINUTE
    assert earned >= MINT // 2
    assert site.watch.counts["minutes earned"] == earned
    assert site.watch.counts["half-days minted"] == earned // MINT
    site.bank.credits.standing["a tip"] = Given(shift.gardien, 1, 0)
    assert f"{shift.gardien} has {earned % MINT} minutes in the ledger" in broken(site.bank.night)


def night_after(site: Site, at: Instant) -> None:
    """The bank books at the end of that site day."""
    site.pass_until(day_start(at) + DAY + 10 * MINUTE)
    site.bank.night()


def written_down_later(site: Site) -> Instant:
    """One forgot the badge on the first evening: the night books nothing, next morning the desk writes it down."""
    shift = min(site.office.bundle.shifts, key=lambda one: one.start)
    night_after(site, instant_of(shift.start))
    assert site.watch.counts["minutes earned"] == 0
    site.pass_until(instant_of(shift.end) + 12 * HOUR)
    site.desk.evening(Random(1))
    night_after(site, site.clock.now())
    return instant_of(shift.end)


def test_a_correction_that_is_taken_back_is_countered(site: Site) -> None:
    written_down_later(site)
    assert site.watch.counts["corrections of settled nights"] == 1
    assert site.watch.counts["minutes earned"] >= MINT // 2
    site.pass_until(site.clock.now() + 6 * HOUR)
    site.desk.back(Random(1))
    assert not site.desk.standing
    night_after(site, site.clock.now())
    assert (site.watch.counts["corrections taken back"], site.watch.counts["minutes earned"]) == (1, 0)
    assert site.watch.counts["counter-entries"] == 2  # of an evening of no minutes, and of one that was held
    site.quiet.compare(site.clock.now())


def test_a_correction_of_which_the_bank_knows_nothing(site: Site) -> None:
    written_down_later(site)
    site.desk.standing.clear()
    assert " minutes in the ledger, 0 by the recount" in broken(site.bank.night)


def test_the_desk_says_who_came_in_behind_another_and_who_left(site: Site) -> None:
    site.pass_until(site.clock.now() + 6 * HOUR)
    site.desk.arrival(Random(1))
    pass_seconds(site, 5)
    site.quiet.compare(site.clock.now())
    [(who, [came])] = site.watch.moves.items()
    site.pass_until(site.clock.now() + 2 * HOUR)
    site.desk.leaving(Random(1))
    pass_seconds(site, 5)
    site.quiet.compare(site.clock.now())
    assert [move.inside for move in site.watch.moves[who]] == [True, False]
    site.watch.moves[who] = [came]
    assert f"the server takes {who} for" in broken(lambda: site.quiet.compare(site.clock.now()))


def test_no_correction_is_made_while_the_server_is_away(site: Site) -> None:
    site.office.stop()
    site.desk.arrival(Random(1))
    assert site.desk.standing == []
    assert not site.watch.moves


def test_a_credit_counts_by_two_names_and_is_countered_when_it_is_removed(site: Site) -> None:
    night_after(site, site.clock.now() - DAY)
    luck = Random(2)
    while site.watch.counts["credits by two names"] < 3:
        site.bank.credits.give(luck)
    night_after(site, site.clock.now() + 4 * DAY)
    site.bank.credits.remove(luck)
    night_after(site, site.clock.now())
    assert site.watch.counts["credits removed"] == 1
    assert site.watch.counts["counter-entries"] >= 1


def test_a_credit_by_one_name_that_counts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = credit_changes.attest

    def by_another(session: Any, decided: Any, by: str, which: str, days: int) -> object:
        return honest(session, decided, "team-1", which, days)

    def give_often() -> None:
        for number in range(9):
            site.bank.credits.give(Random(number))

    monkeypatch.setattr(credit_changes, "attest", by_another)
    assert "vouched for the credit k-" in broken(give_often)


def test_what_two_doors_sold_too_much_no_later_half_day_owes() -> None:
    minted = [Pass(f"garde/{day}", "gardien-0", "half_day", 1, valid_from=date(2026, 1, day)) for day in (5, 20)]
    told = frozenset({"2026-01-10am", "2026-01-10pm"})
    known = Known(at=0, trusted=True, stale=False, lockdown=False, linked=True, inside=frozenset(), paid=told)
    assert [reading._any_left(minted, known, date(2026, 1, day)) for day in (11, 19, 20)] == [False, False, True]


def tap_while_the_clock_is_wrong(site: Site) -> None:
    """And it is set right; then all is told."""
    front(site).clock.step(-30 * MINUTE)
    site.tap(front(site), "front-in", badge_of(site, "team-0"))
    faults.network_time(front(site))
    pass_seconds(site, 10)
    site.quiet.compare(site.clock.now())


def test_whom_a_wrong_clock_moved_the_server_dates_anew(site: Site) -> None:
    tap_while_the_clock_is_wrong(site)
    with site.office.database.reading() as session:
        last = session.exec(select(JournalRow).where(JournalRow.edge == "front", JournalRow.member == "team-0")).one()
    assert last.moved_at is not None
    assert last.moved_at - last.at > timedelta(minutes=29)


def test_a_jump_of_the_clock_of_which_the_edge_says_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Core, "_clock_was_set", lambda *_: None)
    assert "moved team-0 at 2026-01-05T03:00:" in broken(lambda: tap_while_the_clock_is_wrong(site))


def test_rows_that_a_power_cut_took_from_the_disk(site: Site) -> None:
    pi = front(site)
    site.watch.journalled(pi, 1000)
    pi.switch_off(site.luck)
    said = broken(lambda: pi.switch_on(ClockState.SYNCED, 0))
    assert said.endswith("row 1000 was on the disk, after the power cut the journal ends at 1")


def test_what_waited_for_a_full_disk_may_be_lost(site: Site) -> None:
    """Only that: it is counted, and nobody believes in it afterwards."""
    pi = front(site)
    site.disk.full.add(pi.prefix)
    site.tap(pi, "front-in", badge_of(site, "team-0"))
    pi.switch_off(site.luck)
    site.disk.full.clear()
    pi.switch_on(ClockState.SYNCED, 0)
    pass_seconds(site, 5)
    site.quiet.compare(site.clock.now())
    assert site.watch.counts["taps lost before they were on a disk"] == 1
    assert not site.watch.moves["team-0"]


@pytest.mark.parametrize("fault", sorted({fault for fault, _ in faults.CHANCES}, key=lambda fault: fault.__name__))
def test_every_fault_is_survived(site: Site, fault: faults.Fault) -> None:
    fault(site, site.luck)
    site.crowd(20, 60)
    site.live_a_day()
    assert site.watch.counts["taps"] > 10


def test_who_passes_may_start_the_machine_until_the_last_day_and_not_once_it_is_withdrawn(site: Site) -> None:
    bundle, today = site.office.bundle, date(2026, 1, 5)
    nomad = next(one for one in bundle.members if one.id == "nomad-0")
    at = Known(instant_of("2026-01-05T10:00"), True, False, False, True, frozenset({"nomad-0"}), frozenset())
    assert reading.read_machine(bundle, nomad, at) == (False, "not_certified")
    site.workshop.certify("nomad-0", today, today + timedelta(3))
    bundle = site.office.bundle
    assert reading.read_machine(bundle, nomad, at) == (True, "walk_up")
    last, after = (dataclasses.replace(at, at=at.at + days * DAY) for days in (3, 4))
    assert reading.read_machine(bundle, nomad, last) == (True, "walk_up")
    assert reading.read_machine(bundle, nomad, after) == (False, "certification_expired")
    site.workshop.withdraw("nomad-0")
    assert reading.read_machine(site.office.bundle, nomad, at) == (False, "not_certified")
    site.workshop.night()


def test_a_training_that_the_server_has_and_nobody_decided_is_noticed(site: Site) -> None:
    site.workshop.standing["nomad-1"] = None
    assert "nomad-1" in broken(site.workshop.night)
