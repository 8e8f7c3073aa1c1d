"""May power be cut, or given, where a device stands?

A printer's is cut only while it has just said that it is idle; a plug gives it only while it is well.
"""

from edge.events import PlugSaid, PrinterSaid
from policy.ruleset import Machine
from policy.sessions import Session
from policy.terms import Instant
from wire.messages import PrinterState

FRESH = 15.0
"""Seconds for which a word counts: three questions."""
NO_PLUG = "its plug may not switch it: by today's rules somebody can be hurt there; wire a relay, or mend the rules"
STILL_PRINTS = "its printer prints, or does not say: stop the print there first, or lock the machine out at once"


class PrinterPower:
    """What the printer at one machine said last. Until it has said anything nobody knows what it does.

    stands: whether there is one at all.
    """

    def __init__(self, *, stands: bool) -> None:
        self.stands = stands
        self._said: PrinterSaid | None = None

    def said(self, event: PrinterSaid) -> None:
        self._said = event

    def is_kept(self, mono: float) -> bool:
        """Whether power must stay on: a printer stands here that has not just said that it is idle. mono: seconds."""
        said = self._said
        idle = said is not None and said.state is PrinterState.IDLE and mono - said.mono <= FRESH
        return self.stands and not idle

    def waited(self, machine: Machine | None, session: Session, at: Instant) -> bool:
        """Whether the session only went on for the printer's sake: past `until`, on a machine that cuts."""
        cuts = self.stands and machine is not None and machine.cuts
        return cuts and session.until is not None and at >= session.until


class PlugPower:
    """What the plug of one machine said last. Until it has said that it is well it gives no power.

    switches: whether it stands for the machine's interlock; one that only tells watts has no say.
    """

    def __init__(self, *, switches: bool) -> None:
        self._switches = switches
        self._well = False

    def said(self, event: PlugSaid) -> None:
        self._well = event.plug.fault is None

    @property
    def is_unfit(self) -> bool:
        """Whether no machine may run on it."""
        return self._switches and not self._well

    def is_no_safety(self, machine: Machine | None) -> bool:
        """Whether it switches where somebody can be hurt, or where nobody knows: that is no plug's business."""
        return self._switches and (machine is None or machine.can_hurt)

    def keeps_off(self, machine: Machine | None) -> bool:
        """Whether no session may start."""
        return self.is_unfit or self.is_no_safety(machine)
