"""Does a relay move only when it may? For a grant, an order that came in time and once, or a session's start."""

from typing import TYPE_CHECKING

from proofs.storm.record import SLACK, Record, Seen

if TYPE_CHECKING:
    from proofs.storm.pi import Pi


class Relays:
    """Of all edges, as they move."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def output(self, pi: "Pi", name: str, active: bool) -> None:
        seen, relay = self._record.seen[pi.name], _relay(name)
        if active and relay:
            seen.driven.append(relay)
        if relay == "strike":
            seen.released = active
        if active and relay == "interlock" and seen.on_disk < seen.starting:
            self._record.broken(pi, f"the interlock closes, and row {seen.starting} of the start is not on the disk")

    def still(self, pi: "Pi", moved: list[str], when: str) -> None:
        """Nothing but lamps may move at such a moment."""
        relays = [relay for name in moved if (relay := _relay(name))]
        if relays:
            self._record.broken(pi, f"the {relays[0]} moved when {when}")

    def before(self, pi: "Pi") -> None:
        self._record.seen[pi.name].granted = False

    def after(self, pi: "Pi") -> None:
        """No relay moves but for a grant, a command that came in time and for the first time, or a session's start."""
        seen = self._record.seen[pi.name]
        driven, seen.driven = seen.driven, []
        for relay in driven:
            self._record.counts["relay pulses"] += 1
            if relay == "strike" and seen.granted:
                continue
            if relay == "strike" and seen.ordered:
                seen.ordered, seen.pulse_by = False, self._record.now() + SLACK
                self._record.counts["openings by command"] += 1
            elif relay == "interlock" and seen.starting:
                seen.starting = 0
            else:
                self._record.broken(
                    pi, f"the {relay} moved, and nobody was granted anything, nor ordered it in time and once"
                )
        self._locked_in_time(pi, seen)

    def _locked_in_time(self, pi: "Pi", seen: Seen) -> None:
        """No strike stays released for longer than was granted or ordered, nor by order in a lockdown that is known."""
        if seen.granted or seen.ordered:
            seen.pulse_by = self._record.now() + SLACK
        if not seen.released or pi.edge is None:
            return
        self._record.counts["steps of a door kept unlocked"] += 1
        kept_by = 0 if pi.edge.control.controller.core.state.lockdown else seen.kept_by
        if self._record.now() > max(seen.pulse_by, kept_by):
            self._record.broken(pi, "the strike is released for longer than anybody granted or ordered")


def _relay(output: str) -> str | None:
    """Which kind of relay an output drives; None for a lamp."""
    kind = output.rpartition(".")[2]
    return kind if kind in ("strike", "interlock") else None
