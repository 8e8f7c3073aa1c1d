"""Is a door kept unlocked by an order? Until a monotonic second, whatever becomes of the link and of the wall clock.

A restart ends it, too: nothing of it is on a disk.
"""

from edge.core import Core, Now
from policy.door import is_answered_for


class KeptUnlocked:
    """Of one door. until: monotonic seconds, None while it is not kept so."""

    def __init__(self, core: Core) -> None:
        self.until: float | None = None
        self._core = core
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

    def _answered_for(self, now: Now) -> bool:
        held, core = self._core.held, self._core
        return held is not None and is_answered_for(held.rules, core.state, core.decided_at(now, now.at))
