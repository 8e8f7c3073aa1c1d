"""How does a process get simulated hardware? By asking for it here, by name, before it imports the hardware libraries.

Nothing in the tree does this by itself: `--simulated`, the demo and the tests do, on a Raspberry Pi too.
"""

import importlib
import logging
import os
import sys
from pathlib import Path
from types import ModuleType

from simulator.board import Board, use

FAKES = Path(__file__).parent / "fakes"
REVISION = 0xC03114
"""A Raspberry Pi 4B, 4 GB."""
ENVIRONMENT = {"RPI_LGPIO_REVISION": f"{REVISION:x}", "RPI_LGPIO_CHIP": "0", "GPIOZERO_PIN_FACTORY": "lgpio"}

log = logging.getLogger("loquet.simulator")


def load(board: Board) -> None:
    """Put this board in the place of the hardware, for the whole process.

    Asked again, with this board or another, it is as if the process had been killed and started anew: the libraries
    forget their claims, the kernel takes the lines back. Raises RuntimeError when the real spidev or lgpio is in the
    process already.
    """
    for name in ("spidev", "lgpio"):
        _refuse_the_real(name)
    if str(FAKES) not in sys.path:
        sys.path.insert(0, str(FAKES))
    os.environ.update(ENVIRONMENT)
    load_again(board)
    log.warning("The hardware is simulated: reader chips, badges and pins are not real.")


def load_again(board: Board) -> None:
    """The same once more, without a word, in a process that has loaded one before."""
    use(board)
    _start_anew()


def _refuse_the_real(name: str) -> None:
    module = sys.modules.get(name)
    if module is not None and Path(module.__file__ or "").parent != FAKES:
        raise RuntimeError(
            f"{name} from {module.__file__} is loaded already, so the hardware cannot be simulated in this process: "
            "call simulator.load.load(board) before anything that imports it"
        )


def _start_anew() -> None:
    """Off a Pi gpiozero finds no revision, and neither library is made to be started twice in one process."""
    ended = getattr(sys.modules.get("lgpio"), "process_ended", None)
    if ended is not None:
        ended()
    local = importlib.import_module("gpiozero.pins.local")
    vars(local)["get_pi_revision"] = lambda: REVISION
    local.LocalPiFactory.pins.clear()
    local.LocalPiFactory._reservations.clear()
    importlib.import_module("gpiozero").Device.pin_factory = None
    rpi: ModuleType | None = sys.modules.get("RPi.GPIO")
    if rpi is not None:
        vars(rpi).update(_chip=None, _mode=rpi.UNKNOWN)
        rpi._alerts.clear()
        rpi._pwms.clear()
