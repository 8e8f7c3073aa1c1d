"""A plug that lies, falls silent, was set otherwise or comes back on by itself: safe first, for each make."""

import pytest

from edge.devices.plug import AUDIT, CONFIRM, READ_WITHIN, SETTLE, SILENT, Plug
from edge.devices.plug_words import DEAD_MAN, DIALECTS, Message
from simulator.plug import SimulatedPlug
from wire.messages import PlugFault


class Pair:
    """A plug and the edge that tells it, second by second. cable: whether the edge still goes round."""

    def __init__(self, kind: str, *, switches: bool = True) -> None:
        self.mono = 1000.0
        self.edge = Plug(DIALECTS[kind]("plug-7", "fablab"), switches=switches)
        self.sent: list[Message] = []
        self.alive = True
        self.plug = SimulatedPlug(kind, "plug-7", self._heard)
        self.edge.connected()

    def _heard(self, topic: str, payload: bytes) -> None:
        if topic in self.edge.dialect.topics and self.alive:
            word = self.edge.dialect.heard(topic, payload)
            assert word is not None
            self.edge.hear(word, self.mono)

    def tells(self) -> None:
        if self.alive:
            for message in self.edge.due(self.mono):
                self.sent.append(message)
                self.plug.hear(message)

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.tells()
            self.mono += 1
            self.plug.passes(1)
        self.tells()

    def wants(self, *, on: bool) -> None:
        self.edge.want(on, self.mono)
        self.passes(1)

    @property
    def fault(self) -> PlugFault | None:
        return self.edge.fault(self.mono)


@pytest.fixture(params=tuple(DIALECTS))
def pair(request: pytest.FixtureRequest) -> Pair:
    made = Pair(request.param)
    assert made.fault is PlugFault.SILENT, "nothing is known of it yet"
    made.passes(2)
    assert made.fault is None
    return made


@pytest.fixture
def running(pair: Pair) -> Pair:
    pair.wants(on=True)
    assert (pair.plug.on, pair.fault) == (True, None)
    return pair


def test_a_start_clears_reads_switches_off_and_only_then_is_it_fit(pair: Pair) -> None:
    clears = [message for message in pair.sent if message.retain]
    assert clears
    assert all(message.payload == b"" for message in clears), "a retained command would switch it on after a power cut"
    assert pair.sent.index(clears[-1]) < pair.sent.index(pair.edge.dialect.audit()[0])
    assert pair.sent.index(pair.edge.dialect.audit()[0]) < pair.sent.index(pair.edge.dialect.off()[0])


def test_one_that_is_found_on_is_switched_off_first(pair: Pair) -> None:
    other = Pair(pair.plug.kind)
    other.plug.on = True
    other.passes(2)
    assert (other.plug.on, other.fault) == (False, None)


def test_it_stays_on_while_it_is_told_and_goes_off_by_itself_when_the_edge_hangs(running: Pair) -> None:
    running.passes(10 * DEAD_MAN)
    assert running.plug.on
    running.alive = False
    running.passes(DEAD_MAN)
    assert not running.plug.on


def test_without_its_network_it_goes_off_by_itself_and_the_edge_says_that_it_is_silent(running: Pair) -> None:
    running.plug.unheard = True
    running.passes(DEAD_MAN)
    assert not running.plug.on
    running.passes(SILENT - DEAD_MAN + 2)
    assert running.fault is PlugFault.SILENT


def test_how_long_it_takes_to_go_off_is_measured(running: Pair) -> None:
    running.plug.mute = True
    running.wants(on=False)
    running.passes(1)
    running.plug.mute = False
    running.passes(CONFIRM)
    assert running.edge.off_seconds is not None
    assert 2 <= running.edge.off_seconds <= 2 + CONFIRM
    assert running.fault is None


def test_one_that_does_not_switch_off_is_told_again_and_is_a_fault(running: Pair) -> None:
    running.plug.stuck = True
    running.wants(on=False)
    running.passes(CONFIRM)
    assert running.fault is PlugFault.DISOBEYS
    before = len(running.sent)
    running.passes(10)
    assert running.edge.dialect.off()[0] in running.sent[before:]
    running.plug.stuck = False
    running.passes(CONFIRM)
    assert (running.plug.on, running.fault) == (False, None)


def test_one_that_does_not_switch_on_is_a_fault(pair: Pair) -> None:
    pair.plug.stuck = True
    pair.edge.want(True, pair.mono)
    pair.passes(CONFIRM)
    assert pair.fault is PlugFault.DISOBEYS


def test_one_that_somebody_switches_off_in_a_session_is_a_fault_at_once(running: Pair) -> None:
    running.plug.turn(on=False)
    assert running.fault is PlugFault.DISOBEYS


def test_one_that_comes_back_on_after_a_power_cut_is_switched_off_and_kept_off(pair: Pair) -> None:
    name = next(name for name in ("PowerOnState", "initial_state", "power_on_behavior") if name in pair.plug.settings)
    pair.plug.settings[name] = 1 if name == "PowerOnState" else "on"
    pair.plug.power_cut()
    assert pair.fault is PlugFault.CAME_BACK
    pair.passes(60)
    assert not pair.plug.on
    assert pair.fault is PlugFault.SETTINGS
    assert name in pair.edge.wrong
    pair.plug.settings[name] = pair.edge.dialect.wanted[name]
    pair.mono += AUDIT - 120
    pair.passes(120)
    assert pair.fault is None


def test_one_that_is_switched_on_by_its_button_is_off_again_and_read_anew(pair: Pair) -> None:
    pair.plug.turn(on=True)
    assert pair.fault is PlugFault.CAME_BACK
    pair.passes(2)
    assert (pair.plug.on, pair.fault) == (False, None)


def test_a_power_cut_with_the_right_settings_leaves_it_off(running: Pair) -> None:
    running.plug.power_cut()
    assert not running.plug.on
    assert running.fault is PlugFault.DISOBEYS, "the session on it ends"
    running.passes(60)
    assert not running.plug.on, "and the edge does not start the machine again"


def test_one_that_says_off_while_power_flows_lies(running: Pair) -> None:
    running.plug.lies = True
    running.wants(on=False)
    running.passes(SETTLE + 11)
    assert running.fault is PlugFault.LIES


def test_settings_are_read_each_day_and_one_that_was_changed_is_named(running: Pair) -> None:
    name = next(iter(running.plug.settings))
    running.plug.settings[name] = "other"
    running.passes(60)
    assert running.fault is None
    running.edge._audit_at = running.mono
    running.passes(1)
    assert running.fault is PlugFault.SETTINGS
    assert running.edge.wrong == {name: "other"}


def test_settings_that_are_not_told_are_a_fault(pair: Pair) -> None:
    pair.edge._audit_at = pair.mono
    pair.plug.settings.clear()
    pair.passes(READ_WITHIN + 1)
    assert pair.fault is PlugFault.SETTINGS


def test_a_broker_that_is_away_for_a_moment_stops_nothing(running: Pair) -> None:
    running.plug.unheard = True
    running.passes(DEAD_MAN - 15)
    running.plug.unheard = False
    running.edge.connected()
    running.passes(2 * DEAD_MAN)
    assert running.fault is None
    assert running.plug.on, "it was told in time"


@pytest.mark.parametrize("begins_anew", [True, False])
@pytest.mark.parametrize("later", range(5))
def test_a_network_that_comes_back_after_the_plug_went_off_starts_nothing(
    running: Pair, later: int, begins_anew: bool
) -> None:
    running.passes(later)
    running.plug.unheard = True
    while running.plug.on:
        running.tells()
        running.mono += 1
        running.plug.passes(1)
    running.plug.unheard = False
    if begins_anew:
        running.edge.connected()
    for _ in range(round(SILENT)):
        running.passes(1)
        assert not running.plug.on
    assert running.fault is PlugFault.DISOBEYS


def test_one_beside_a_relay_tells_watts_and_is_told_nothing(pair: Pair) -> None:
    sensing = Pair(pair.plug.kind, switches=False)
    sensing.plug.on = True
    sensing.passes(60)
    assert (sensing.plug.on, sensing.fault, sensing.edge.watts) == (True, None, 60.0)
    assert set(sensing.sent) == set(sensing.edge.dialect.ask())


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b"\xff", b'{"POWER": 3}', b'{"params": []}', b"[" * 5000])
def test_what_is_not_understood_says_nothing(pair: Pair, payload: bytes) -> None:
    for topic in pair.edge.dialect.topics[-1:]:
        word = pair.edge.dialect.heard(topic, payload)
        assert word is None or (word.on, word.watts, dict(word.settings)) == (None, None, {})


@pytest.mark.parametrize("kind", DIALECTS)
def test_a_number_that_no_float_holds_says_nothing_and_ends_no_edge(kind: str) -> None:
    """Whatever a broker hands over: what goes wrong here goes wrong in the loop that opens the doors."""
    plug, huge = DIALECTS[kind]("plug-7", "fablab"), b"9" * 400
    said = b'{"power": %b, "apower": %b, "Power": %b}' % (huge, huge, huge)
    whole = b'{"ENERGY": %b, "StatusSNS": {"ENERGY": %b}, "result": %b, %b' % (said, said, said, said[1:])
    for topic in plug.topics:
        word = plug.heard(topic, whole)
        assert word is None or word.watts is None
