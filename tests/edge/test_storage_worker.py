"""Behind the door: rules come into force only from the disk, rows go out until acknowledged, and trouble is said."""

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge import journal_writer, rule_updates, rules
from edge.config import Config
from edge.held import HeldRules
from edge.journal import KEEP
from edge.journal_errors import JournalError
from edge.message_verifier import subscriptions
from edge.status import farewell
from edge.work_items import MessagesWaiting, Received, RowToWrite
from policy.instants import text
from policy.reasons import Reason
from policy.ruleset import Credential, Reader, RuleSet
from policy.terms import DAY, ClockState, Direction
from simulator.clock import VirtualClock
from tests.support_edge import TOPICS, Bench, Folder, make_folder
from tests.support_site import ALICE, BRIGITTE, REMY, at
from wire.envelope import MAX_BYTES, seal
from wire.messages import Ack, Fresh, Rules, State, encode
from wire.row import Kind, decode
from wire.snapshot import Snapshot, pack
from wire.topics import Topics


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make_folder(tmp_path / "site")


@pytest.fixture
def bench(folder: Folder) -> Bench:
    bench = Bench(folder)
    bench.turn()
    return bench


def again(bench: Bench) -> Bench:
    """The edge after a restart on the same disk."""
    bench.edge.stop()
    bench = Bench(bench.folder, VirtualClock(start=bench.clock.now()))
    bench.turn()
    return bench


def version(bench: Bench) -> int | None:
    held = bench.core.held
    return held.version if held else None


class TestRules:
    def test_a_new_device_holds_none(self, bench: Bench) -> None:
        assert version(bench) is None
        assert bench.tap(ALICE).reason is Reason.RULES_STALE

    def test_genuine_rules_come_into_force_and_stay(self, bench: Bench) -> None:
        bench.give_rules()
        assert version(bench) == 7
        assert bench.tap(ALICE).reason is Reason.STAFF
        bench = again(bench)
        assert version(bench) == 7
        assert bench.core.held == bench.edge.storage.rule_updates.held
        assert bench.tap(ALICE).reason is Reason.STAFF

    def test_a_key_that_the_rules_do_not_give_this_edge_is_said(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        words = "another public key for this edge"
        rules, ours = bench.folder.set(), bench.folder.own.public_key()
        bench.give_rules(bench.folder.rules(7, rules=replace(rules, edges={"front": ours.public_bytes_raw().hex()})))
        assert words not in caplog.text
        bench.give_rules(bench.folder.rules(8, rules=replace(rules, edges={"front": "ab" * 32})))
        assert caplog.text.count(words) == 1
        again(bench)
        assert caplog.text.count(words) == 2

    def test_higher_replaces_lower_is_refused(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        bench.give_rules(bench.folder.rules(7))
        bench.give_rules(bench.folder.rules(9))
        bench.give_rules(bench.folder.rules(8))
        assert version(bench) == 9
        assert "rules 8: this edge holds 9" in caplog.text
        assert version(again(bench)) == 9

    def test_expired_rules_are_refused(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        bench.give_rules(bench.folder.rules(7, not_after=at(9, 59)))
        assert version(bench) is None
        assert "rules 7: expired" in caplog.text

    def test_with_a_clock_in_doubt_nobody_can_call_rules_expired(self, folder: Folder) -> None:
        bench = Bench(folder, VirtualClock(start=at(10), state=ClockState.UNKNOWN))
        bench.give_rules(folder.rules(7, not_after=at(9, 59)))
        assert version(bench) == 7

    def test_equal_rules_confirm(self, bench: Bench) -> None:
        bench.give_rules(bench.folder.rules(7))
        later = at(10) + 20 * DAY
        bench.give_rules(bench.folder.rules(7, not_after=later))
        assert bench.core.held is not None
        assert bench.core.held.not_after == later
        assert again(bench).core.held.not_after == later  # type: ignore[union-attr]

    def test_two_sets_under_one_version_are_refused(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        bench.give_rules(bench.folder.rules(7))
        other = replace(bench.folder.set(), credentials={})
        bench.give_rules(bench.folder.rules(7, other, not_after=at(10) + 20 * DAY))
        assert bench.tap(ALICE).reason is Reason.STAFF
        assert "two sets under one version" in caplog.text


UNFIT = {
    "another site": (lambda rules: replace(rules, site="treso"), "made for site 'treso'"),
    "no days": (lambda rules: replace(rules, days=()), "no site days"),
    "no reader": (lambda rules: without_reader(rules, "front-in"), "reader 'front-in' of edge.toml is not in them"),
    "no out": (lambda rules: without_reader(rules, "front-out"), "reader 'front-out'"),
    "another edge's": (
        lambda rules: with_reader(rules, Reader("front", Direction.IN, "garden")),
        "in at 'front' of edge 'garden' there, but in at 'front' of edge 'front' in edge.toml",
    ),
    "nobody's": (lambda rules: with_reader(rules, Reader("front", Direction.IN, None)), "of edge None there"),
    "another door's": (lambda rules: with_reader(rules, Reader("back", Direction.IN, "front")), "in at 'back'"),
    "the other way": (lambda rules: with_reader(rules, Reader("front", Direction.OUT, "front")), "out at 'front'"),
    "no member": (lambda rules: replace(rules, credentials={"c0": Credential("zoe")}), "member 'zoe' is named"),
    "no such gardien": (lambda rules: replace(rules, shifts={"zoe": (1, 2)}), "member 'zoe' is named"),
    "no tier": (lambda rules: replace(rules, tiers={}), "tier 'team' is named"),
}


def without_reader(rules: RuleSet, name: str) -> RuleSet:
    return replace(rules, readers={known: reader for known, reader in rules.readers.items() if known != name})


def with_reader(rules: RuleSet, reader: Reader) -> RuleSet:
    return replace(rules, readers=rules.readers | {"front-in": reader})


@pytest.mark.parametrize("case", UNFIT)
def test_rules_that_do_not_fit_this_door_are_refused(bench: Bench, case: str, caplog: pytest.LogCaptureFixture) -> None:
    change, words = UNFIT[case]
    bench.give_rules(bench.folder.rules(6))
    bench.give_rules(bench.folder.rules(7, change(bench.folder.set())))
    assert version(bench) == 6
    assert words in caplog.text
    assert bench.edge.storage.refusals.counts == {"rules unfit": 1}


def test_rules_on_the_disk_are_checked_anew(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.give_rules()
    bench.edge.stop()
    bench.folder.replace("[door.front]", "[door.back]")
    for line in ("strike", "contact", "rex", "fire"):
        bench.folder.replace(f"[door.front.{line}]", f"[door.back.{line}]")
    moved = Bench(bench.folder)
    assert version(moved) is None
    assert "rules on the disk" in str(moved.edge.storage.refusals.counts)
    assert "make the two agree" in caplog.text


def test_what_lies_on_the_disk_of_another_site_is_called_that(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """`site` was mistyped: nobody forged anything."""
    bench.give_rules()
    bench.wire.say(TOPICS.state, State(3, text(at(10)), pack(Snapshot(False, (), {}))))
    bench.settle()
    bench.edge.stop()
    bench.folder.replace('site = "casaco"', 'site = "cassco"')
    moved = Bench(bench.folder)
    assert version(moved) is None
    said = "of site 'casaco', this edge is of site 'cassco': mend site in edge.toml"
    assert [said in line for line in caplog.messages if "on the disk" in line] == [True, True]
    assert "signature" not in caplog.text
    assert moved.edge.storage.refusals.counts == dict.fromkeys(
        ("rules on the disk OtherSiteError", "state on the disk OtherSiteError"), 1
    )


def test_rules_on_the_disk_that_another_server_signed_are_forged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever site they name."""
    rules = bench.folder.rules(6, replace(bench.folder.set(), site="cassco"))
    forged = seal(Ed25519PrivateKey.generate(), "server", Topics("cassco").rules, encode(rules))
    bench.edge.storage.writer.keep({"rules": forged})
    bench.edge.stop()
    moved = Bench(bench.folder)
    assert moved.edge.storage.refusals.counts == {"rules on the disk ForgedError": 1}
    assert "see that site and keys.server in edge.toml are this server's" in caplog.text


class TestFresh:
    def confirmed(self, bench: Bench, **changes: object) -> int:
        """Send a confirmation of the rules held, changed as told; until when they are confirmed now."""
        rules = bench.folder.rules(7)
        fresh = Fresh(7, rules.hash, text(at(10)), text(at(10) + 15 * DAY))
        bench.wire.say(TOPICS.fresh, replace(fresh, **changes))
        bench.settle()
        assert bench.core.held is not None
        return bench.core.held.not_after - at(10)

    def test_it_prolongs_and_survives_a_restart(self, bench: Bench) -> None:
        bench.give_rules()
        assert self.confirmed(bench) == 15 * DAY
        held = again(bench).core.held
        assert held is not None
        assert held.not_after == at(10) + 15 * DAY

    @pytest.mark.parametrize(
        "changes",
        [{"version": 6}, {"version": 8}, {"hash": "00" * 32}, {"not_after": text(at(11))}, {"not_after": "soon"}],
    )
    def test_what_confirms_other_rules_or_less_changes_nothing(self, bench: Bench, changes: dict[str, object]) -> None:
        bench.give_rules()
        assert self.confirmed(bench, **changes) == 14 * DAY

    def test_new_rules_forget_what_confirmed_the_old(self, bench: Bench) -> None:
        bench.give_rules()
        self.confirmed(bench)
        bench.give_rules(bench.folder.rules(8))
        assert set(bench.journal.kept()) == {"rules"}
        held = again(bench).core.held
        assert held is not None
        assert (held.version, held.not_after) == (8, at(10) + 14 * DAY)

    def test_before_any_rules_it_means_nothing(self, bench: Bench) -> None:
        bench.wire.say(TOPICS.fresh, Fresh(7, "00", text(at(10)), text(at(12))))
        bench.settle()
        assert version(bench) is None


STRANGER = Ed25519PrivateKey.generate()


ACK = TOPICS.ack("front")


def forged(key: Ed25519PrivateKey, by: str, folder: Folder, signed_for: str = TOPICS.rules) -> tuple[str, bytes]:
    """New rules that somebody else signed, or for another topic."""
    return TOPICS.rules, seal(key, by, signed_for, encode(folder.rules(8)))


def altered(folder: Folder, **changes: object) -> tuple[str, bytes]:
    """Rules that the server signed, but with something in them that cannot be."""
    return TOPICS.rules, folder.sealed(TOPICS.rules, replace(folder.rules(8), **changes))


FORGERIES: dict[str, Callable[[Folder], tuple[str, bytes]]] = {
    "another key": lambda folder: forged(STRANGER, "server", folder),
    "an edge's key": lambda folder: forged(folder.own, "front", folder),
    "an edge as the server": lambda folder: forged(folder.own, "server", folder),
    "another topic": lambda folder: forged(folder.server, "server", folder, TOPICS.fresh),
    "unsigned": lambda folder: (TOPICS.rules, encode(folder.rules(8))),
    "cut short": lambda folder: (TOPICS.rules, folder.sealed(TOPICS.rules, folder.rules(8))[:-9]),
    "not json": lambda folder: (TOPICS.rules, b"\x00\xff"),
    "nothing": lambda folder: (TOPICS.rules, b""),
    "deep": lambda folder: (TOPICS.rules, b"[" * 100_000),
    "oversized": lambda folder: (TOPICS.rules, b"x" * (MAX_BYTES + 1)),
    "another message": lambda folder: (TOPICS.rules, folder.sealed(TOPICS.rules, Ack("j", 1))),
    "another place": lambda folder: ("loquet/casaco/edge/front/command", b"{}"),
    "no rule set": lambda folder: altered(folder, body=b"zip"),
    "no instant": lambda folder: altered(folder, not_after="soon"),
    "a stranger's ack": lambda folder: (ACK, seal(STRANGER, "server", ACK, encode(Ack("j", 1)))),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_what_is_not_genuine_changes_nothing(bench: Bench, case: str, caplog: pytest.LogCaptureFixture) -> None:
    topic, payload = FORGERIES[case](bench.folder)
    bench.give_rules()
    before = (version(bench), bench.journal.acknowledged, bench.journal.kept(), bench.journal.last_seq)
    caplog.clear()
    for _ in range(3):
        bench.wire.deliver(topic, payload)
    bench.settle()
    assert (version(bench), bench.journal.acknowledged, bench.journal.kept(), bench.journal.last_seq) == before
    assert [record.levelno for record in caplog.records] == [logging.WARNING], "said once, not three times"
    assert topic in caplog.text
    assert sum(bench.edge.storage.refusals.counts.values()) == 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(position=st.integers(0, 5000), flip=st.integers(1, 255))
def test_no_altered_byte_is_let_through(bench: Bench, position: int, flip: int) -> None:
    """Whatever byte of signed rules is changed: refused, or (in the layout of the envelope) the same rules."""
    message = bench.folder.rules(8)
    altered = bytearray(bench.folder.sealed(TOPICS.rules, message))
    altered[position % len(altered)] ^= flip
    bench.wire.deliver(TOPICS.rules, bytes(altered))
    bench.settle()
    held = bench.edge.storage.rule_updates.held
    assert held is None or held.hash == message.hash


class TestSending:
    def test_without_a_link_nothing_leaves(self, bench: Bench) -> None:
        bench.tap(ALICE)
        assert bench.wire.sent == []

    def test_rows_leave_at_connect_from_the_first_unacknowledged(self, bench: Bench) -> None:
        bench.tap(ALICE)
        bench.connect()
        (events,) = bench.wire.taken("events")
        assert events.journal == bench.journal.id
        assert [decode(bytes(row), "sent") for row in events.rows] == bench.rows()
        assert bench.rows()[0].kind is Kind.STARTED

    def test_after_an_answer_only_what_is_new(self, bench: Bench) -> None:
        bench.connect()
        last = bench.journal.last_seq
        bench.acknowledge(last)
        bench.wire.taken("events")
        bench.tap(REMY)
        (events,) = bench.wire.taken("events")
        assert decode(bytes(events.rows[0]), "sent").seq == last + 1

    def test_without_an_answer_all_again_after_a_while_and_at_reconnect(self, bench: Bench) -> None:
        bench.connect()
        first = bench.wire.taken("events")
        bench.wait(4.5)
        assert bench.wire.taken("events") == []
        bench.wait(1.0)
        assert bench.wire.taken("events") == first
        bench.wire.down()
        bench.settle()
        bench.connect()
        assert bench.wire.taken("events") == first

    def test_when_nobody_answers_it_connects_anew_and_less_and_less_often(self, bench: Bench) -> None:
        bench.connect()
        for _ in range(130):  # an hour
            bench.clock.advance(30_000_000_000)
            bench.settle()
            if bench.wire.state == "reconnected":
                bench.wire.state = "connected again"
                bench.wire.down()
                bench.connect()
        assert [why.rpartition("the next try in ")[2] for why in bench.wire.anew] == [
            f"{minutes} min" for minutes in (2, 4, 8, 16, 32)
        ]
        bench.acknowledge(bench.journal.last_seq)
        anew = len(bench.wire.anew)
        bench.clock.advance(7_200_000_000_000)
        bench.settle()
        assert len(bench.wire.anew) == anew, "an edge that owes nothing has nothing to hear"

    def test_a_server_that_answers_and_takes_nothing_is_heard(self, bench: Bench) -> None:
        bench.connect()
        for _ in range(20):
            bench.clock.advance(30_000_000_000)
            bench.settle()
            bench.acknowledge(0)
        assert bench.wire.anew == []

    def test_the_acknowledgement_is_kept(self, bench: Bench) -> None:
        bench.connect()
        bench.acknowledge(bench.journal.last_seq)
        assert bench.journal.acknowledged == bench.journal.last_seq > 0
        assert again(bench).journal.acknowledged > 0

    def test_an_answer_about_another_journal_means_nothing(self, bench: Bench) -> None:
        bench.acknowledge(1, journal="another")
        bench.acknowledge(10_000, journal="another")
        assert bench.journal.acknowledged == 0
        assert list(bench.folder.config.parent.glob("journal.db.aside*")) == []

    def test_a_long_outage_drains_in_order_and_once(self, bench: Bench) -> None:
        for number in range(450):
            press(bench, number)
        bench.connect()
        seen: list[int] = []
        while messages := bench.wire.taken("events"):
            (events,) = messages
            assert len(events.rows) <= 200
            seen += [decode(bytes(row), "sent").seq for row in events.rows]
            bench.acknowledge(seen[-1])
        assert seen == list(range(1, bench.journal.last_seq + 1))
        assert len(seen) > 200

    def test_a_restored_card_begins_a_new_journal(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        """The server has row 500 of this journal, the disk ends long before: rows of this start go over."""
        bench.give_rules()
        bench = again(bench)
        before, seq = bench.journal.id, bench.core.seq
        tapped = bench.tap(ALICE)
        bench.connect()
        bench.wire.taken("events")
        bench.acknowledge(500)
        assert bench.journal.id != before
        kinds = [row.kind for row in bench.rows()]
        assert kinds == [Kind.STARTED, Kind.TAP]
        assert bench.rows(Kind.TAP)[0].at == tapped.at
        (events,) = bench.wire.taken("events")
        assert events.journal == bench.journal.id
        assert "row 500 is acknowledged" in caplog.text
        bench.pins.put("contact", True)
        bench.wait(0.1)
        opened = bench.rows(Kind.DOOR_OPENED)[0]
        assert (opened.seq, opened.settles) == (3, 2)
        assert bench.core.seq == seq + 2
        assert version(again(bench)) == 7


class TestStatus:
    def test_at_connect(self, bench: Bench) -> None:
        bench.connect()
        (status,) = bench.wire.taken("status")
        assert status.online
        assert (status.software, status.clock, status.rules_version) == ("9.9", ClockState.SYNCED, None)
        assert status.readers == {"front-in": None, "front-out": None}
        assert status.journal_fault is None
        assert status.free_disk > 0

    def test_it_is_retained(self, bench: Bench) -> None:
        bench.connect()
        assert [sent.retain for sent in bench.wire.sent if sent.leaf == "status"] == [True]
        assert [sent.retain for sent in bench.wire.sent if sent.leaf == "events"] == [False]

    def test_each_30_seconds_and_no_more(self, bench: Bench) -> None:
        bench.connect()
        bench.acknowledge(bench.journal.last_seq)
        bench.wire.taken("status")
        bench.wait(29.5)
        assert bench.wire.taken("status") == []
        bench.wait(1)
        assert len(bench.wire.taken("status")) == 1

    def test_after_a_broken_connection_it_says_at_once_that_it_is_there(self, bench: Bench) -> None:
        """Meanwhile the broker has published the will."""
        bench.connect()
        bench.wire.down()
        bench.settle()
        bench.wire.taken("status")
        bench.connect()
        (status,) = bench.wire.taken("status")
        assert status.online

    def test_when_something_changes(self, bench: Bench) -> None:
        bench.connect()
        bench.wire.taken("status")
        bench.give_rules()
        assert [status.rules_version for status in bench.wire.taken("status")] == [7]
        bench.readers[0].fault("no answer")
        bench.settle()
        assert bench.wire.taken("status")[-1].readers == {"front-in": "no answer", "front-out": None}
        bench.readers[0].recover()
        bench.settle()
        assert bench.wire.taken("status")[-1].readers == {"front-in": None, "front-out": None}
        bench.clock.set(state=ClockState.UNKNOWN)
        bench.pins.put("rex", True)
        bench.wait(0.1)
        assert bench.wire.taken("status")[-1].clock is ClockState.UNKNOWN

    def test_what_it_holds_when_the_server_offers_less(self, bench: Bench) -> None:
        """A restored server: until it knows that, whatever it says is refused."""
        bench.connect()
        bench.give_rules(bench.folder.rules(9))
        assert bench.wire.taken("status")[-1].rules_hash == bench.folder.rules(9).hash
        bench.give_rules(bench.folder.rules(8))
        assert [status.rules_version for status in bench.wire.taken("status")] == [9]
        bench.give_rules(bench.folder.rules(8))
        assert bench.wire.taken("status") == [], "once for each"
        other = bench.folder.rules(9, replace(bench.folder.set(), credentials={}))
        bench.give_rules(other)
        (status,) = bench.wire.taken("status")
        assert (status.rules_version, status.rules_hash) == (9, bench.folder.rules(9).hash)
        assert status.rules_hash != other.hash

    def test_the_will_says_offline(self, bench: Bench) -> None:
        topic, payload = farewell(bench.config, bench.clock.now())
        bench.wire.publish(topic, payload)
        (status,) = bench.wire.taken("status")
        assert not status.online
        assert status.at == text(bench.clock.now())


class FullDisk:
    """Lets the journal's file grow no more, as SQLite sees a full disk."""

    def __init__(self, bench: Bench) -> None:
        self._db = bench.journal._db

    def fill(self) -> None:
        pages = self._db.execute("PRAGMA page_count").fetchone()[0]
        self._db.execute(f"PRAGMA max_page_count={pages}")

    def make_room(self) -> None:
        self._db.execute("PRAGMA max_page_count=1000000")


def press(bench: Bench, number: int) -> None:
    """The exit button is pressed, or let go: every second time, and no faster than a hand."""
    bench.clock.advance(2_000_000_000)
    bench.pins.put("rex", number % 2 == 0)
    bench.turn(4)


def fill_until_trouble(bench: Bench) -> None:
    FullDisk(bench).fill()
    for number in range(200):
        press(bench, number)
        if bench.edge.storage.writer.trouble:
            return
    raise AssertionError("the disk never filled")


class TestTrouble:
    def test_with_a_full_disk_the_door_goes_on_deciding_and_says_so(self, bench: Bench) -> None:
        bench.give_rules()
        bench.connect()
        fill_until_trouble(bench)
        on_disk = bench.journal.last_seq
        bench.readers[0].lay(ALICE)
        bench.settle()
        assert bench.pins.is_active("strike")
        assert bench.pins.is_active("front-in.green")
        fault = bench.wire.taken("status")[-1].journal_fault
        assert "the disk is full: make room" in fault
        assert bench.journal.last_seq == on_disk

    def test_nothing_is_lost_when_there_is_room_again(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        bench.give_rules()
        bench.connect()
        fill_until_trouble(bench)
        bench.readers[0].lay(ALICE)
        bench.wait(3)
        wanted = bench.core.seq
        assert bench.journal.last_seq < wanted
        FullDisk(bench).make_room()
        bench.wait(1.1)
        assert [row.seq for row in bench.rows()] == list(range(1, wanted + 1))
        assert bench.rows(Kind.TAP)[-1].reason is Reason.STAFF
        assert bench.wire.taken("status")[-1].journal_fault is None
        assert caplog.text.count("the disk is full") == 1, "said once, not each second"
        assert "can be written again" in caplog.text

    def test_beyond_the_most_that_can_wait_events_are_counted(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(journal_writer, "MOST_WAITING", 10)
        bench.connect()
        fill_until_trouble(bench)
        for number in range(40):
            press(bench, number)
        bench.wait(1.1)
        assert bench.core.unrecorded > 0
        fault = bench.wire.taken("status")[-1].journal_fault
        assert f"{bench.core.unrecorded} events could not be recorded" in fault
        assert "the disk is full" in fault
        FullDisk(bench).make_room()
        bench.wait(1.1)
        lost = bench.core.unrecorded
        bench.tap(ALICE)
        assert bench.core.unrecorded == lost
        assert [row.seq for row in bench.rows()] == list(range(1, bench.core.seq + 1))
        assert bench.wire.taken("status")[-1].journal_fault == f"{lost} events could not be recorded"

    def test_rules_that_the_disk_does_not_take_are_not_in_force_until_it_does(self, bench: Bench) -> None:
        bench.give_rules()
        FullDisk(bench).fill()
        large = bench.folder.set()
        large = replace(large, credentials=large.credentials | {f"{n:032x}": Credential("remy") for n in range(4000)})
        bench.give_rules(bench.folder.rules(8, large))
        assert version(bench) == 7
        bench.wait(2)
        assert version(bench) == 7
        FullDisk(bench).make_room()
        bench.wait(1.1)
        assert version(bench) == 8
        assert version(again(bench)) == 8

    def test_rules_that_the_disk_does_not_take_are_checked_once(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checked: list[int] = []

        def opened(message: Rules, config: Config) -> HeldRules:
            checked.append(message.version)
            return rules.opened(message, config)

        monkeypatch.setattr(rule_updates, "opened", opened)
        bench.give_rules()
        disk = FullDisk(bench)
        disk.fill()
        large = bench.folder.set()
        large = replace(large, credentials=large.credentials | {f"{n:032x}": Credential("remy") for n in range(4000)})
        bench.give_rules(bench.folder.rules(8, large))
        bench.wait(3)
        disk.make_room()
        bench.wait(1.1)
        assert version(bench) == 8
        assert checked == [7, 8]

    def test_rules_that_the_disk_did_not_take_are_not_those_that_came_after(self, bench: Bench) -> None:
        bench.give_rules()
        FullDisk(bench).fill()
        large = bench.folder.set()
        large = replace(large, credentials=large.credentials | {f"{n:032x}": Credential("remy") for n in range(4000)})
        bench.give_rules(bench.folder.rules(8, large))
        FullDisk(bench).make_room()
        bench.give_rules(bench.folder.rules(9))
        assert version(bench) == 9
        bench.wait(2)
        assert version(bench) == 9

    def test_a_journal_that_is_damaged_while_it_runs(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        bench.give_rules()
        bench.tap(ALICE)
        bench.journal._db.execute("UPDATE journal SET row = x'00' WHERE seq = 2")
        before = bench.journal.id
        bench.edge.storage.writer.attempt(lambda journal: journal.rows())
        assert bench.journal.id != before
        bench.tap(BRIGITTE)
        assert [row.seq for row in bench.rows()] == list(range(1, bench.journal.last_seq + 1))
        assert bench.rows(Kind.TAP)[-1].reason is Reason.STAFFED_HOURS
        assert "set aside as journal.db.aside-1" in caplog.text
        assert version(again(bench)) == 7

    def test_an_answer_that_takes_nothing_of_it_is_not_answered_with_the_same_rows_at_once(self, bench: Bench) -> None:
        """The server answers so while an edge has begun too many journals in an hour: one has to wait then."""
        bench.connect()
        bench.tap(ALICE)
        before = bench.journal.id
        bench.journal._db.execute("UPDATE journal SET row = x'00' WHERE seq = 2")
        bench.edge.storage.writer.attempt(lambda journal: journal.rows())
        bench.settle()
        assert before in [events.journal for events in bench.wire.taken("events")]
        for _ in range(5):
            bench.acknowledge(0, journal=before)
        assert bench.wire.taken("events") == []
        bench.wait(6)
        assert [events.journal for events in bench.wire.taken("events")] == [before]
        bench.acknowledge(1, journal=before)
        bench.tap(BRIGITTE)
        assert [events.journal for events in bench.wire.taken("events")] == [bench.journal.id]

    def test_while_a_damaged_journal_cannot_be_replaced_rows_wait(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_room(*_: object) -> None:
            raise JournalError("no room for another file")

        bench.give_rules()
        bench.connect()
        with monkeypatch.context() as patched:
            patched.setattr(journal_writer, "renew", no_room)
            patched.setattr(journal_writer, "open_journal", no_room)
            bench.edge.storage.writer.renew("damaged")
            bench.readers[0].lay(ALICE)
            bench.wait(3)
            assert bench.pins.is_active("strike")
            assert bench.edge.storage.writer.journal is None
            bench.acknowledge(1, journal="any")
            assert bench.wire.taken("status")[-1].journal_fault == "no room for another file"
        bench.wait(1.1)
        assert [row.seq for row in bench.rows()] == list(range(1, bench.core.seq + 1))
        assert bench.rows(Kind.TAP)[-1].reason is Reason.STAFF
        assert bench.wire.taken("status")[-1].journal_fault is None

    def test_a_journal_that_was_damaged_at_the_start_is_said_in_its_first_row(self, folder: Folder) -> None:
        (folder.config.parent / "journal.db").write_bytes(b"rubbish" * 1000)
        bench = Bench(folder)
        bench.turn()
        assert bench.rows()[0].kind is Kind.STARTED
        assert "set aside as journal.db.aside-1" in str(bench.rows()[0].detail)
        assert not bench.pins.is_active("strike")

    def test_a_row_that_is_damaged_in_the_middle_keeps_no_edge_from_starting(self, bench: Bench) -> None:
        bench.give_rules()
        bench.connect()
        bench.acknowledge(1)
        for badge in (ALICE, BRIGITTE, ALICE):
            bench.tap(badge)
        bench.journal._db.execute("UPDATE journal SET row = x'00' WHERE seq = 3")
        started = again(bench)
        assert version(started) == 7
        assert "row 3" in str(started.rows(Kind.STARTED)[-1].detail)
        started.tap(BRIGITTE)
        assert [row.seq for row in started.rows()] == list(range(1, started.core.seq + 1))


class TestPrune:
    def test_old_rows_go_each_hour(self, bench: Bench) -> None:
        bench.connect()
        bench.acknowledge(bench.journal.last_seq)
        bench.clock.set(now=at(10) + KEEP + DAY)
        bench.clock.advance(3_600_000_000_000)
        bench.settle()
        assert Kind.STARTED not in [row.kind for row in bench.rows()]

    def test_a_clock_in_doubt_prunes_nothing(self, bench: Bench) -> None:
        bench.connect()
        bench.acknowledge(bench.journal.last_seq)
        bench.clock.set(now=at(10) + KEEP + DAY, state=ClockState.UNKNOWN)
        bench.clock.advance(3_600_000_000_000)
        bench.settle()
        assert bench.rows()[0].kind is Kind.STARTED


def test_the_topics_to_read(bench: Bench) -> None:
    own = TOPICS.ack("front"), TOPICS.command("front")
    read = (TOPICS.rules, TOPICS.fresh, TOPICS.state, *own, TOPICS.all_facts)
    assert subscriptions(bench.config) == read


def test_no_uid_and_no_name_leaves(bench: Bench) -> None:
    bench.give_rules()
    bench.tap(ALICE)
    bench.connect()
    (events,) = bench.wire.taken("events")
    said = msgspec.json.encode(events).lower()
    assert ALICE.hex().encode() not in said
    assert b"alice" in said, "the member's id, which is what the rules call them"


def test_own_rows_are_on_the_disk_before_anything_that_was_heard_is_looked_at(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    last, found = bench.rows()[-1], []

    def taken() -> tuple[list[Received], int]:
        found.append(bench.journal.last_seq)
        return [], 0

    monkeypatch.setattr(bench.edge.storage.inbound, "drain", taken)
    bench.edge.storage.handle([MessagesWaiting(), RowToWrite(replace(last, seq=last.seq + 1), 0.0)])
    assert found == [last.seq + 1]
