"""Is a door kept unlocked, by an order or by a public event?

By an order until a monotonic second, whatever becomes of the link and of the wall clock; a restart ends it, too:
nothing of it is on a disk. By an event as the rules say.
"""

from edge.core import Core, Now
from policy.door import is_answered_for, unlocked_for_public
from policy.spans import next_change


class KeptUnlocked:
    """Of one door. until: monotonic seconds, None while no order keeps it so."""

    def __init__(self, core: Core, place: str) -> None:
        self.until: float | None = None
        self._core, self._place = core, place
        self._answered = False

    def begin(self, now: Now, until: float) -> None:
        """From now on until then, whatever was said before."""
        self.until, self._answered = until, self._answered_for(now)

    def end(self) -> None:
        self.until = None

    def ended_by(self, now: Now) -> str | None:
        """Why it ends at this moment, in English; None when it does not, or is not at all."""
        if self.until is None:
            return None
        was, self._answered = self._answered, self._answered_for(now)
        why = {
            "its time is over": now.mono >= self.until,
            "lockdown": self._core.state.lockdown,
            "the last who answers for the place has left": was and not self._answered,
        }
        ended = next((said for said, so in why.items() if so), None)
        if ended is not None:
            self.until = None
        return ended

    def by_event(self, now: Now) -> bool:
        """Whether a public event keeps it unlocked."""
        held, core = self._core.held, self._core
        return held is not None and unlocked_for_public(
            held.rules, core.state, self._place, core.decided_at(now, now.at)
        )

    def calendar_change(self, now: Now) -> float | None:
        """When a public event, or the end of the site day, may lock or unlock the door next; monotonic seconds."""
        held, core = self._core.held, self._core
        times = () if held is None else held.rules.public_events.at.get(self._place, ())
        if held is None or not (times or self.until is not None):
            return None
        at = core.decided_at(now, now.at)
        changes = [held.rules.day_end(at), core.state.not_after + 1, next_change(times, at)]
        coming = [change for change in changes if change is not None and change > at]
        return core.mono_of(now, min(coming)) if core.state.clock_trusted else None

    def _answered_for(self, now: Now) -> bool:
        held, core = self._core.held, self._core
        return held is not None and is_answered_for(held.rules, core.state, core.decided_at(now, now.at))
