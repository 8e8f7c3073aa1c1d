"""How is each make of plug spoken to over MQTT? Topics and messages out, words in; nothing is decided here.

Whatever a message holds beside what is asked for is left out, and one that is not understood says nothing. No command
is ever retained: a retained one would switch the plug on again after each power cut, whatever its settings say.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

DEAD_MAN = 30
"""Seconds after which a plug that is not told again switches itself off."""


class Message(NamedTuple):
    topic: str
    payload: bytes
    retain: bool = False


class Word(NamedTuple):
    """What a message says; None of what it does not. settings: by the make's own names. alive: False as it goes."""

    on: bool | None = None
    watts: float | None = None
    settings: Mapping[str, Any] = {}
    alive: bool = True


class Tasmota:
    """wanted: the settings without which a plug switches nothing, here as in the others.

    Only builds for the ESP32 speak TLS. PulseTime1 130 is 30 s; POWER ON starts it again.
    """

    wanted: Mapping[str, Any] = {
        "PowerOnState": 0,
        "PulseTime1": 100 + DEAD_MAN,
        "SetOption0": "OFF",
        "SetOption65": "ON",
        "SetOption73": "ON",
        "PowerRetain": "OFF",
    }

    def __init__(self, name: str, _: str) -> None:
        self._name = name
        self.topics = (f"tele/{name}/LWT", f"tele/{name}/SENSOR", f"stat/{name}/RESULT", f"stat/{name}/STATUS10")

    def _command(self, command: str, payload: str = "", *, retain: bool = False) -> Message:
        return Message(f"cmnd/{self._name}/{command}", payload.encode(), retain)

    def clear(self) -> list[Message]:
        return [self._command(command, retain=True) for command in ("POWER", "POWER1")]

    def on(self) -> list[Message]:
        return [self._command("POWER", "ON")]

    def off(self) -> list[Message]:
        return [self._command("POWER", "OFF")]

    def ask(self) -> list[Message]:
        return [self._command("POWER"), self._command("Status", "10")]

    def audit(self) -> list[Message]:
        return [self._command(setting) for setting in self.wanted]

    def heard(self, topic: str, payload: bytes) -> Word | None:
        leaf = topic.rpartition("/")[2]
        if leaf == "LWT":
            return Word(alive=payload == b"Online")
        said = _object(payload)
        if leaf in ("SENSOR", "STATUS10"):
            return Word(watts=_number(_inner(said, *(("StatusSNS",) if leaf == "STATUS10" else ()), "ENERGY"), "Power"))
        pulse = said.get("PulseTime1")
        if isinstance(pulse, dict):
            said["PulseTime1"] = pulse.get("Set")
        on = {"ON": True, "OFF": False}.get(str(said.get("POWER", said.get("POWER1"))))
        return Word(on, settings={name: said[name] for name in self.wanted if name in said})


class Shelly:
    """Gen2 and later, over MQTT's RPC. toggle_after is the dead-man, auto_off its floor."""

    wanted: Mapping[str, Any] = {"initial_state": "off", "auto_off": True, "auto_off_delay": 60, "in_mode": "detached"}

    def __init__(self, name: str, edge: str) -> None:
        self._name, self._own = name, f"loquet-{edge}/{name}"
        self.topics = (f"{name}/online", f"{name}/events/rpc", f"{self._own}/rpc")

    def _call(self, which: int, method: str, **params: Any) -> Message:
        said = {"id": which, "src": self._own, "method": f"Switch.{method}", "params": {"id": 0, **params}}
        return Message(f"{self._name}/rpc", msgspec.json.encode(said))

    def clear(self) -> list[Message]:
        return [Message(f"{self._name}/{leaf}", b"", True) for leaf in ("rpc", "command/switch:0")]

    def on(self) -> list[Message]:
        return [self._call(1, "Set", on=True, toggle_after=DEAD_MAN), *self.ask()]

    def off(self) -> list[Message]:
        return [self._call(1, "Set", on=False), *self.ask()]

    def ask(self) -> list[Message]:
        return [self._call(2, "GetStatus")]

    def audit(self) -> list[Message]:
        return [self._call(3, "GetConfig")]

    def heard(self, topic: str, payload: bytes) -> Word | None:
        if topic.endswith("/online"):
            return Word(alive=payload == b"true")
        said = _object(payload)
        status = _inner(said, "params", "switch:0") if "params" in said else _inner(said, "result")
        on = status.get("output")
        settings = {name: status[name] for name in self.wanted if name in status}
        return Word(on if isinstance(on, bool) else None, _number(status, "apower"), settings)


class Zigbee:
    """Over Zigbee2MQTT on this machine. Whether a device keeps to on_time only its own page says, and the trial."""

    wanted: Mapping[str, Any] = {"power_on_behavior": "off"}

    def __init__(self, name: str, _: str) -> None:
        self._base = f"zigbee2mqtt/{name}"
        self.topics = (self._base, f"{self._base}/availability")

    def _set(self, **said: Any) -> list[Message]:
        return [Message(f"{self._base}/set", msgspec.json.encode(said))]

    def clear(self) -> list[Message]:
        return [Message(f"{self._base}/set", b"", True)]

    def on(self) -> list[Message]:
        return self._set(state="ON", on_time=DEAD_MAN, off_wait_time=0)

    def off(self) -> list[Message]:
        return self._set(state="OFF")

    def ask(self) -> list[Message]:
        return [Message(f"{self._base}/get", b'{"state":"","power":""}')]

    def audit(self) -> list[Message]:
        return [Message(f"{self._base}/get", b'{"power_on_behavior":""}')]

    def heard(self, topic: str, payload: bytes) -> Word | None:
        if topic.endswith("/availability"):
            return Word(alive=payload == b"online" or _object(payload).get("state") == "online")
        said = _object(payload)
        on = {"ON": True, "OFF": False}.get(str(said.get("state")))
        return Word(on, _number(said, "power"), {name: said[name] for name in self.wanted if name in said})


Dialect: TypeAlias = Tasmota | Shelly | Zigbee
DIALECTS: Mapping[str, type[Tasmota] | type[Shelly] | type[Zigbee]] = {
    "tasmota": Tasmota,
    "shelly": Shelly,
    "zigbee2mqtt": Zigbee,
}


def _object(payload: bytes) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _inner(said: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        inner = said.get(key)
        said = inner if isinstance(inner, dict) else {}
    return said


def _number(said: dict[str, Any], key: str) -> float | None:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # JSON knows whole numbers that no float holds
        return None
