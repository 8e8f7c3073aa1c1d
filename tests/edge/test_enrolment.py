"""Enrolment at the edge: one badge that nobody has is told to the server alone; nothing opens or changes else."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.actions import BadgeLaid
from edge.controller import Step
from edge.events import CardsCollided, CardSeen, Ordered
from edge.patterns import ENROLLED, LAY_HERE
from policy.reasons import Reason
from policy.ruleset import Credential
from simulator.clock import VirtualClock
from tests.support_edge import TOPICS, Bench, Folder, make_folder
from tests.support_fablab import FabBench, fab_rules, kinds
from tests.support_machine import fab_bench, power_cut
from tests.support_site import ALICE, BRIGITTE, UNKNOWN, at
from wire.enrolment import public_of, unseal
from wire.messages import ENROL_LASTS, Command, Laid, Reply
from wire.row import Kind, Order, Row

KEY = X25519PrivateKey.generate()
PHONE = bytes.fromhex("08A11CE0")
SEVEN = bytes.fromhex("04610000000099")


class Desk(FabBench):
    """A controller, and what it told the server of the badge that was laid last."""

    laid: tuple[BadgeLaid, ...] = ()

    def _carry_out(self, step: Step) -> list[Row]:
        told = tuple(action for action in step.actions if isinstance(action, BadgeLaid))
        self.laid = told or self.laid
        return super()._carry_out(Step([action for action in step.actions if action not in told], step.deadline))

    def enrols(self, reader: str = "front-in", nonce: str = "n1", **fields: object) -> list[Row]:
        told: dict[str, object] = {"by": "alice", "until": self.mono + 10, "key": public_of(KEY)} | fields
        return self.does(Ordered, nonce=nonce, order=Order.ENROL, place=reader, **told)

    def lays(self, uid: bytes, reader: str = "front-in") -> tuple[list[Row], tuple[BadgeLaid, ...]]:
        self.laid = ()
        rows = self.does(CardSeen, reader=reader, uid=uid, sak=8, transfers=26, seconds=0.003)
        return rows, self.laid

    @property
    def strike(self) -> bool:
        return self.outputs["strike"]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make_folder(tmp_path / "site")


@pytest.fixture
def bench(folder: Folder) -> Bench:
    bench = fab_bench(folder)
    bench.connect()
    return bench


def enrol(bench: Bench, reader: str = "front-in") -> Command:
    command = bench.order(Order.ENROL, reader, key=public_of(KEY))
    (reply,) = bench.wire.taken("reply")
    assert reply == Reply(command.nonce, done=True), "it says at once that the reader waits"
    return command


def lay(bench: Bench, uid: bytes, reader: int = 0) -> list[Reply]:
    bench.readers[reader].lay(uid)
    bench.settle()
    bench.readers[reader].take(uid)
    bench.settle()
    return bench.wire.taken("reply")


@pytest.mark.parametrize("uid", [UNKNOWN, SEVEN, bytes(range(1, 11))])
def test_a_new_badge_is_told_sealed_and_is_no_tap(bench: Bench, uid: bytes) -> None:
    command = enrol(bench)
    before = bench.rows()
    (reply,) = lay(bench, uid)
    assert (reply.nonce, reply.laid, reply.member) == (command.nonce, Laid.NEW, None)
    assert reply.sealed is not None
    assert unseal(KEY, command.nonce, reply.sealed) == uid
    assert not bench.pins.is_active("strike")
    (row,) = bench.rows()[len(before) :]
    assert (row.kind, row.reader, row.access_point, row.nonce) == (Kind.ENROLLED, "front-in", "front", command.nonce)
    assert (row.credential, row.member) == (None, None)


def test_once_told_the_next_badge_is_a_tap_again(bench: Bench) -> None:
    enrol(bench)
    lay(bench, UNKNOWN)
    bench.wait(1)
    assert lay(bench, SEVEN) == []
    assert bench.rows(Kind.TAP)[-1].reason is Reason.UNKNOWN_CREDENTIAL


@pytest.mark.parametrize("reader", ["front-in", "front-out", "laser-tap"])
def test_nothing_of_it_lies_on_the_disk_or_in_the_log_or_is_kept_by_the_broker(
    bench: Bench, reader: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor its keyed hash, by which who holds an edge's key would find a number of four bytes."""
    enrol(bench, reader)
    names = list(bench.config.readers)
    bench.readers[names.index(reader)].lay(SEVEN)
    bench.settle()
    bench.wait(120)
    hashed = bench.core.pseudonym(SEVEN)
    secrets = [SEVEN, SEVEN.hex().encode(), SEVEN.hex().upper().encode(), hashed.encode(), bytes.fromhex(hashed)]
    files = [file.read_bytes() for file in bench.config.journal.parent.glob("journal*")]
    assert files, "there is a journal to look through"
    kept = [str(sent.message).encode() for sent in bench.wire.sent if sent.leaf != "reply"]
    replies = [sent for sent in bench.wire.sent if sent.leaf == "reply"]
    assert len(replies) == 1
    assert not any(sent.retain for sent in replies)
    for said in (*files, *kept, caplog.text.encode(), str(replies).encode()):
        assert not any(secret in said for secret in secrets)


def test_somebodys_badge_is_decided_as_always_and_named(bench: Bench) -> None:
    command = enrol(bench)
    (reply,) = lay(bench, ALICE)
    assert reply == Reply(command.nonce, done=True, laid=Laid.TAKEN, member="alice")
    assert bench.rows(Kind.TAP)[-1].reason is Reason.STAFF
    assert bench.pins.is_active("strike")
    (reply,) = lay(bench, UNKNOWN)
    assert reply.laid is Laid.NEW, "it waits on for the right one"


def test_a_blocked_badge_is_somebodys_too(desk: Desk) -> None:
    rules = fab_rules()
    blocked = Credential("brigitte", blocked=True)
    desk.swaps(fab_rules(credentials=rules.credentials | {BRIGITTE.hex(): blocked}))
    desk.enrols()
    _, told = desk.lays(BRIGITTE)
    assert [(it.laid, it.member, it.uid) for it in told] == [(Laid.TAKEN, "brigitte", None)]


def test_a_phone_is_told_as_such_and_is_no_tap(bench: Bench) -> None:
    enrol(bench)
    (reply,) = lay(bench, PHONE)
    assert (reply.laid, reply.sealed) == (Laid.RANDOM, None)
    assert bench.pins.is_active("front-in.red")
    assert not bench.rows(Kind.TAP, Kind.ENROLLED)


def test_two_cards_at_once_are_what_they_always_are(desk: Desk) -> None:
    desk.enrols()
    rows = desk.does(CardsCollided, reader="front-in")
    assert kinds(rows) == [Kind.CARDS_COLLIDED]
    assert [it.laid for it in desk.laid] == [Laid.SEVERAL]
    assert desk.lays(UNKNOWN)[1], "and it waits on"


def test_another_reader_knows_nothing_of_it(desk: Desk) -> None:
    desk.enrols("front-in")
    rows, told = desk.lays(UNKNOWN, "laser-tap")
    assert (kinds(rows), told) == ([Kind.TAP], ())
    assert rows[0].reason is Reason.UNKNOWN_CREDENTIAL


def test_it_ends_thirty_seconds_after_it_came(desk: Desk) -> None:
    desk.enrols()
    desk.waits(ENROL_LASTS - 0.001)
    assert desk.controller.core.enrols_at == "front-in"
    desk.waits(0.001)
    assert desk.controller.core.enrols_at is None
    rows, told = desk.lays(UNKNOWN)
    assert (kinds(rows), told) == ([Kind.TAP], ())


def test_a_clock_that_is_set_neither_ends_nor_prolongs_it(desk: Desk) -> None:
    desk.enrols()
    desk.start += 3_600_000
    desk.waits(ENROL_LASTS - 1)
    assert desk.controller.core.enrols_at == "front-in"
    desk.start -= 7_200_000
    desk.waits(1)
    assert desk.controller.core.enrols_at is None


def test_a_lockdown_ends_it_and_lets_none_begin(desk: Desk) -> None:
    desk.enrols()
    desk.knows(lockdown=True)
    assert desk.lays(UNKNOWN)[1] == ()
    (row,) = desk.enrols(nonce="n2")
    assert (row.granted, row.detail) == (False, "a lockdown holds: lift it first")


def test_a_power_cut_ends_it(bench: Bench) -> None:
    enrol(bench)
    bench = power_cut(bench, VirtualClock(start=bench.clock.now() + 2000))
    bench.connect()
    assert lay(bench, UNKNOWN) == []
    assert bench.rows(Kind.TAP)[-1].reason is Reason.UNKNOWN_CREDENTIAL


def test_a_later_order_takes_its_place(desk: Desk) -> None:
    desk.enrols(nonce="n1")
    desk.enrols("laser-tap", nonce="n2")
    assert desk.lays(UNKNOWN, "front-in")[1] == ()
    assert [it.nonce for it in desk.lays(UNKNOWN, "laser-tap")[1]] == ["n2"]


def test_it_is_stopped_where_it_waits_and_nowhere_else(desk: Desk) -> None:
    desk.enrols("front-in")
    desk.does(Ordered, nonce="s1", order=Order.STOP_ENROL, place="laser-tap", by="alice", until=desk.mono + 10)
    assert desk.controller.core.enrols_at == "front-in"
    [row] = desk.does(Ordered, nonce="s2", order=Order.STOP_ENROL, place="front-in", by="alice", until=desk.mono + 10)
    assert (row.kind, row.reader, row.order, row.granted) == (Kind.COMMAND, "front-in", Order.STOP_ENROL, True)
    assert not desk.outputs["front-in.red"], "its lamp asks for no badge"
    rows, told = desk.lays(UNKNOWN)
    assert (kinds(rows), told) == ([Kind.TAP], ())


def test_an_edge_without_rules_would_take_everybodys_badge_for_a_new_one(folder: Folder) -> None:
    bench = Bench(folder)
    bench.connect()
    bench.order(Order.ENROL, "front-in", key=public_of(KEY))
    (reply,) = bench.wire.taken("reply")
    assert not reply.done
    assert reply.why.startswith("this edge has no rules yet")


def test_a_second_copy_of_the_order_begins_nothing(bench: Bench) -> None:
    command = enrol(bench)
    lay(bench, UNKNOWN)
    bench.wait(1)
    bench.wire.say(TOPICS.command("front"), command)
    bench.settle()
    assert lay(bench, SEVEN) == []


def test_the_lamp_says_lay_it_here_and_then_that_it_was_read(desk: Desk) -> None:
    desk.enrols()
    shown = [(desk.outputs["front-in.green"], desk.outputs["front-in.red"])]
    for seconds, _ in LAY_HERE.frames:
        desk.waits(seconds)
        shown.append((desk.outputs["front-in.green"], desk.outputs["front-in.red"]))
    assert shown == [(True, True), (True, False), (True, True)]
    desk.lays(UNKNOWN)
    assert desk.outputs["front-in.buzzer"]
    desk.waits(ENROLLED.seconds)
    assert not desk.outputs["front-in.green"]


def test_a_running_session_is_not_disturbed(desk: Desk) -> None:
    desk.taps(BRIGITTE)
    assert desk.runs()
    desk.enrols("laser-tap")
    desk.lays(UNKNOWN, "laser-tap")
    assert desk.runs()
    assert desk.now.at >= at(10)


def test_between_two_taps_of_a_pair_it_is_no_tap(desk: Desk) -> None:
    before = vars(desk.controller.core.pairs).copy()
    desk.enrols()
    desk.lays(UNKNOWN)
    assert vars(desk.controller.core.pairs) == before
    assert not desk.strike
