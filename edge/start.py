"""How does an edge start? With the readers and lines of the machine that it runs on, until a signal ends it.

What reaches hardware is imported when it is needed: the simulator puts its own in the place of this machine's before.
"""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.version import version
from edge.hardware.errors import HardwareError

if TYPE_CHECKING:
    from edge.config import Config, ReaderConfig
    from edge.hardware.reader import MfrcReader
    from edge.observer import Observer
    from edge.ports import Clock, Pins
    from edge.runtime import Edge

ENDING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Platform:
    """What an edge runs on. pins: claims the lines when it is called.

    boot, observer, real_timeout: as for edge.runtime.Edge.
    """

    clock: "Clock"
    readers: "Sequence[MfrcReader]"
    pins: "Callable[[], Pins]"
    boot: str | None = None
    observer: "Observer | None" = None
    real_timeout: Callable[[float], float | None] | None = None


def serve(config: "Config", platform: Platform, begins: "Callable[[Edge], object]" = lambda edge: None) -> None:
    """Serve until SIGTERM or SIGINT comes. Raises EdgeError when it breaks down, and what `compose` raises.

    begins: called with the edge before it serves.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    edge = compose(config, platform)
    begins(edge)
    edge.run(_signal_within)


def compose(config: "Config", platform: Platform) -> "Edge":
    """The edge on its hardware, with its link. Raises HardwareError and JournalMistakeError."""
    from edge.link import connect, connect_plugs
    from edge.observer import Nobody, Telling
    from edge.runtime import Edge
    from edge.watchdog import Watchdog

    pins, watchdog = platform.pins(), Watchdog()
    try:
        return Edge(
            config,
            clock=platform.clock,
            readers=platform.readers,
            pins=pins,
            observer=Telling(platform.observer or Nobody(), watchdog.answered),
            link=connect(config, platform.clock),
            plug_link=connect_plugs(config),
            boot=platform.boot,
            software=version(),
            real_timeout=platform.real_timeout,
            feed=watchdog.feed,
        )
    except BaseException:
        pins.close()
        raise


def open_readers(places: "Mapping[str, ReaderConfig]", spi_hz: int, clock: "Clock") -> "list[MfrcReader]":
    """The real driver, on whatever hardware the process has. Raises HardwareError where it has none, or no SPI."""
    try:
        from edge.hardware.lgpio_folder import load_lgpio

        load_lgpio()
        from edge.hardware.chip import Chip
        from edge.hardware.reader import MfrcReader
    except ImportError as error:
        remedy = "on a Raspberry Pi install it (firmware_config/install edge), elsewhere use --simulated"
        raise HardwareError(f"{error}: {remedy}") from None
    except NotImplementedError as error:  # RPi.GPIO looks for the board when it is imported
        raise HardwareError(f"this Raspberry Pi is too old ({error}): take a Pi 2 or later") from None
    except OSError as error:
        raise HardwareError(f"lgpio's pipe has no place ({error}): see that everybody may write there") from None
    except RuntimeError:
        raise HardwareError("this is no Raspberry Pi: run it on one, or with --simulated") from None
    return [
        MfrcReader(name, Chip(clock, place.bus, place.device, speed=spi_hz), clock) for name, place in places.items()
    ]


def claim_pins(config: "Config") -> "Pins":
    """The lines of the configuration. Raises HardwareError when one cannot be had."""
    from edge.hardware.pins import GpioPins

    return GpioPins(config.outputs, config.inputs)


def _signal_within(seconds: float) -> bool:
    """Whether SIGTERM or SIGINT came; both are blocked, so that they interrupt nobody."""
    return signal.sigtimedwait(ENDING, seconds) is not None
