"""What is said of the devices at a machine: what its printer does, by whose word, and what that means for its power."""

from policy.instants import instant
from policy.terms import Instant
from server.text.dates import when
from server.text.translate import N_, gettext
from wire.messages import Printer, PrinterState

PROGRAMS = {"octoprint": "OctoPrint", "moonraker": "Moonraker", "prusalink": "PrusaLink"}
STATES = {
    PrinterState.PRINTING: N_("L’imprimante imprime, selon %(program)s."),
    PrinterState.PAUSED: N_("L’imprimante est en pause, selon %(program)s : elle attend une main."),
    PrinterState.BUSY: N_("L’imprimante chauffe, bouge ou refroidit, selon %(program)s."),
    PrinterState.IDLE: N_("L’imprimante ne fait rien, selon %(program)s."),
    PrinterState.UNKNOWN: N_("%(program)s ne sait pas ce que fait l’imprimante."),
}


def printer(said: Printer, at: Instant) -> str:
    """What it does; of one whose program is silent, since when."""
    program = PROGRAMS.get(said.program, said.program)
    if said.silent:
        since = instant(said.since)
        if since > at:
            return gettext("%(program)s ne répond pas.", program=program)
        return gettext("%(program)s ne répond pas depuis %(since)s.", program=program, since=when(since, at))
    if said.ends is not None and said.state is PrinterState.PRINTING:
        end = when(instant(said.ends), at)
        return gettext("L’imprimante imprime, jusque vers %(end)s selon %(program)s.", program=program, end=end)
    return gettext(STATES[said.state], program=program)


def power_stays() -> str:
    return gettext("Son courant reste tant qu’elle imprime, est en pause ou ne dit rien.")


def no_end(machine: str) -> str:
    """Why a fab manager does not end its session from a page."""
    return gettext(
        "%(machine)s : son imprimante n’a pas fini, ou ne dit rien. Arrêtez l’impression sur place ; en danger, arrêt "
        "d’urgence.",
        machine=machine,
    )
