"""A plug that is not there, on a broker that is not there: it speaks as its make documents it, and it can lie.

A double written from the makes' documentation; no real plug was ever tried.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from edge.devices.plug_words import DIALECTS, Message


class SimulatedPlug:
    """say: takes what it publishes, a topic and a payload. retained: what the broker kept for it.

    mute: it hears, and says nothing. stuck: it switches no more, whatever it is told. lies: it says that it is off
    while its relay sticks. unheard: messages to it are lost, as without Wi-Fi; what it says is lost, too.
    """

    def __init__(self, kind: str, name: str, say: Callable[[str, bytes], None]) -> None:
        self.kind, self.name, self._say = kind, name, say
        self.on = False
        self.draws = 60.0
        self.settings: dict[str, Any] = dict(DIALECTS[kind].wanted)
        self.retained: dict[str, bytes] = {}
        self.mute = self.stuck = self.lies = self.unheard = False
        self._left: float | None = None

    def hear(self, message: Message) -> None:
        """The broker hands on what the edge published."""
        if message.retain:
            self.retained[message.topic] = message.payload
        if not self.unheard:
            {"tasmota": self._tasmota, "shelly": self._shelly, "zigbee2mqtt": self._zigbee}[self.kind](message)

    def passes(self, seconds: float) -> None:
        """Its own timer runs on, whoever is there."""
        if self._left is not None:
            self._left -= seconds
            if self._left <= 0:
                self.turn(on=False)

    def power_cut(self) -> None:
        """Power goes and comes back: it is as it is set to be, and then hears what the broker retained."""
        self._left = None
        always = {"PowerOnState": 1, "initial_state": "on", "power_on_behavior": "on"}
        self.on = any(self.settings.get(name) == value for name, value in always.items())
        self._state()
        for topic, payload in self.retained.items():
            if payload:
                self.hear(Message(topic, payload))

    def turn(self, *, on: bool, seconds: float | None = None) -> None:
        """By its timer, its button or a message."""
        if not self.stuck:
            self.on, self._left = on, seconds if on else None
        self._state()

    @property
    def gives_power(self) -> bool:
        return self.on or self.lies

    def _publish(self, topic: str, said: Any) -> None:
        if not (self.mute or self.unheard):
            self._say(topic, said if isinstance(said, bytes) else msgspec.json.encode(said))

    def _state(self, topic: str = "", extra: dict[str, Any] | None = None) -> None:
        watts = self.draws if self.gives_power else 0.0
        word = "ON" if self.on else "OFF"
        if self.kind == "tasmota":
            self._publish(f"stat/{self.name}/RESULT", {"POWER": word})
            self._publish(f"tele/{self.name}/SENSOR", {"Time": "2026-11-24T09:00:00", "ENERGY": {"Power": watts}})
        elif self.kind == "shelly":
            status = {"id": 0, "source": "MQTT", "output": self.on, "apower": watts, "voltage": 229.8}
            if topic:
                self._publish(topic, {"id": 2, "src": self.name, "result": status})
            else:
                params = {"ts": 1795525200.5, "switch:0": status}
                self._publish(f"{self.name}/events/rpc", {"method": "NotifyStatus", "params": params})
        else:
            self._publish(
                f"zigbee2mqtt/{self.name}", {"state": word, "power": watts, "linkquality": 120} | (extra or {})
            )

    def _tasmota(self, message: Message) -> None:
        command = message.topic.rpartition("/")[2]
        if command == "POWER" and message.payload:
            pulse = self.settings["PulseTime1"]
            self.turn(on=message.payload == b"ON", seconds=pulse - 100 if pulse > 111 else None)
        elif command == "POWER":
            self._state()
        elif command == "Status":
            watts = self.draws if self.gives_power else 0.0
            self._publish(f"stat/{self.name}/STATUS10", {"StatusSNS": {"ENERGY": {"Power": watts}}})
        elif command in self.settings:
            value = self.settings[command]
            said = {"Set": value, "Remaining": 0} if command == "PulseTime1" else value
            self._publish(f"stat/{self.name}/RESULT", {command: said})

    def _shelly(self, message: Message) -> None:
        if not message.payload:
            return
        call = msgspec.json.decode(message.payload)
        answer = f"{call['src']}/rpc"
        if call["method"] == "Switch.Set":
            self.turn(on=call["params"]["on"], seconds=call["params"].get("toggle_after"))
            self._publish(answer, {"id": 1, "src": self.name, "result": {"was_on": self.on}})
        elif call["method"] == "Switch.GetStatus":
            self._state(answer)
        else:
            self._publish(answer, {"id": 3, "src": self.name, "result": {"id": 0, "name": None} | self.settings})

    def _zigbee(self, message: Message) -> None:
        said = msgspec.json.decode(message.payload or b"{}")
        if message.topic.endswith("/set") and "state" in said:
            self.turn(on=said["state"] == "ON", seconds=said.get("on_time"))
        elif "power_on_behavior" in said:
            self._state(extra=self.settings)
        elif said:
            self._state()
