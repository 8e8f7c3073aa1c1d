"""Bugs that leave a machine its power: caught by power-off."""

from proofs.plants.plant import Plant

MACHINE = (
    Plant(
        "the machine's relay pulls when its edge has died",
        "edge/setup/render.py",
        'yield lines[signal.key], "dl" if signal.active_high else "dh"',
        'yield lines[signal.key], "dh" if signal.active_high else "dl"',
        "power-off",
        200,
    ),
    Plant(
        "systemd hears of the control loop while the inputs hang",
        "edge/runtime.py",
        "            self._pins.beat()\n            self._feed()",
        "            self._pins.beat()\n        self._feed()",
        "power-off",
        200,
    ),
    Plant(
        "the monostable hears of the control loop while the inputs hang",
        "edge/runtime.py",
        "            self._pins.beat()\n            self._feed()",
        "            self._feed()\n        self._pins.beat()",
        "power-off",
        200,
    ),
    Plant(
        "a clock that is set puts a session's end off",
        "edge/machine.py",
        "None if session.until is None else session.until + by",
        "None if session.until is None else session.until + by + abs(by)",
        "power-off",
        200,
    ),
    Plant(
        "a contact is believed the later, the longer it was at rest",
        "edge/hardware/lines.py",
        "            self._count = 0\n            return False",
        "            self._count -= 1\n            return False",
        "power-off",
        200,
    ),
    Plant(
        "nothing is switched off while the disk fails",
        "edge/machine.py",
        '        self._powered = False\n        self._core.drive(f"{self.place}.interlock", False)',
        "        self._powered = self._core.journal_fault is not None",
        "power-off",
        200,
    ),
)
