"""May a plug be trusted with a machine just now, and what is it told? One plug: words in, messages out, by the clock.

Heard? -> settings read back and right? -> told off, and says off -> fit. Anything else is a fault, and a machine whose
plug has a fault runs no more. While its machine runs the plug is told so every RENEW seconds, by the control loop
alone: one that is not told switches itself off DEAD_MAN seconds later, whatever hangs, dies or breaks between the two.
"""

from typing import Any

from edge.devices.plug_words import Dialect, Message, Word
from wire.messages import PlugFault

RENEW = 10.0
CONFIRM = 3.0
"""Seconds within which a plug says that it did as it was told."""
SILENT = 35.0
"""Seconds without a word after which nobody knows what it does. It is asked every RENEW seconds."""
FRESH = 15.0
"""Seconds for which its last word counts when it is told again that it is on: RENEW before that word it may have been
told last, and DEAD_MAN is not over yet."""
AUDIT = 86_400.0
"""Seconds from one reading of its settings to the next."""
READ_WITHIN = 10.0
"""Seconds for all of its settings to come."""
IDLE_WATTS, SETTLE = 5.0, 15.0
"""What nothing may draw through a plug that has said for SETTLE seconds that it is off."""


class Plug:
    """mono: monotonic seconds, everywhere. switches: whether it stands for an interlock; else it only tells watts."""

    def __init__(self, dialect: Dialect, *, switches: bool) -> None:
        self.dialect, self.switches = dialect, switches
        self.on: bool | None = None
        self.watts: float | None = None
        self.off_seconds: float | None = None
        """How long it took, the last time, from being told to saying that it is off."""
        self.wrong: dict[str, Any] = {}
        """The settings that are not as they must be, as they are."""
        self._wanted = self._came_back = False
        self._heard: float | None = None
        self._off_since: float | None = None
        self._told: tuple[float, bool] | None = None
        """When it was first told what it does not say yet, and what."""
        self._settings: dict[str, Any] = {}
        self._reading: dict[str, Any] = {}
        """Those that came since they were last asked for."""
        self.audits = 0
        """How often all of them were read."""
        self._read_by: float | None = None
        self._audit_at = self._tell_at = self._ask_at = 0.0
        self._begins = True

    def connected(self) -> None:
        """The broker is reached again: what it may have missed is said in the order of a start. While the broker was
        away nobody told it anything, and it may have gone off."""
        self._begins = True

    def want(self, on: bool, mono: float) -> None:
        """The machine's power."""
        if on != self._wanted:
            self._wanted, self._told, self._tell_at = on, (mono, on), mono

    def hear(self, word: Word, mono: float) -> None:
        self._heard = mono if word.alive else None
        self.watts = self.watts if word.watts is None else word.watts
        self._settings.update(word.settings)
        self._reading.update(word.settings)
        if self._read_by is not None and self._reading.keys() >= self.dialect.wanted.keys():
            self._read_by, self.audits = None, self.audits + 1
        if word.settings:
            self.wrong = {name: self._settings[name] for name in self._settings if not self._is_right(name)}
        if word.on is not None:
            self._says(word.on, mono)

    def _says(self, on: bool, mono: float) -> None:
        if self._told is not None and self._told[1] is on:
            self.off_seconds = self.off_seconds if on else mono - self._told[0]
            self._told = None
        elif on and not self._wanted and self._told is None:
            self._came_back = self.switches
            self._told, self._tell_at = (mono, False), mono
            self._settings, self._audit_at = {}, mono  # what was set may be so no more
        elif not on and self._wanted and self._told is None:
            self._told = (mono - CONFIRM, True)  # somebody switched it, or its own timer did
        self._off_since = None if on else (mono if self._off_since is None else self._off_since)
        self.on = on

    def _is_right(self, name: str) -> bool:
        wanted, is_ = self.dialect.wanted[name], self._settings[name]
        if name == "auto_off_delay":
            return isinstance(is_, int | float) and 0 < is_ <= wanted
        return type(is_) is type(wanted) and is_ == wanted

    @property
    def _are_read(self) -> bool:
        """Whether all of its settings are known."""
        return self._settings.keys() >= self.dialect.wanted.keys()

    def fault(self, mono: float) -> PlugFault | None:
        """Why no machine may run on it; None when one may."""
        if self._heard is None or mono - self._heard > SILENT:
            return PlugFault.SILENT
        if not self.switches:
            return None
        if self._came_back and not self.wrong:
            return PlugFault.CAME_BACK
        if self.wrong or not self._are_read:
            return PlugFault.SETTINGS
        if self.on is None or (self._told is not None and mono - self._told[0] >= CONFIRM):
            return PlugFault.DISOBEYS
        settled = self._off_since is not None and mono - self._off_since >= SETTLE
        return PlugFault.LIES if settled and self.watts is not None and self.watts > IDLE_WATTS else None

    def due(self, mono: float) -> list[Message]:
        """What to tell it now."""
        messages: list[Message] = []
        if self._begins:
            self._begins = False
            messages += self.dialect.clear() if self.switches else []
            self._audit_at = self._ask_at = mono
            if self.switches and not self._wanted:
                self._told, self._tell_at = (mono, False), mono
        if self.switches:
            messages += self._audited(mono) + self._switched(mono)
        if mono >= self._ask_at:
            self._ask_at = mono + RENEW
            messages += self.dialect.ask()
        return messages

    def _audited(self, mono: float) -> list[Message]:
        if self._read_by is not None and mono >= self._read_by:
            self._settings, self._read_by, self._audit_at = {}, None, mono
        if mono < self._audit_at:
            return []
        self._audit_at, self._read_by, self._reading = mono + AUDIT, mono + READ_WITHIN, {}
        return self.dialect.audit()

    def _switched(self, mono: float) -> list[Message]:
        """On again and again while it is wanted; off until it says so, then never again."""
        if self._came_back and self.on is False and self._told is None and self._are_read:
            self._came_back = False
        if mono < self._tell_at or (not self._wanted and self._told is None):
            return []
        if self._wanted and (self.fault(mono) is not None or self._may_be_off(mono)):
            return []  # it is not for the edge to start the machine again
        self._tell_at = mono + (RENEW if self._wanted else CONFIRM)
        return self.dialect.on() if self._wanted else self.dialect.off()

    def _may_be_off(self, mono: float) -> bool:
        """Whether it may have gone off by itself since it last said that it is on."""
        return self._told is None and (self._heard is None or mono - self._heard > FRESH)
