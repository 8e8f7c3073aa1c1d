"""The Pins port over gpiozero's lgpio pins: outputs claimed at their safe level, inputs sampled and debounced here."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from threading import Lock
from typing import Any

import lgpio
from gpiozero import InputDevice, OutputDevice
from gpiozero.exc import GPIOZeroError
from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin

from edge.hardware.errors import HardwareError
from edge.hardware.header import header_chip
from edge.hardware.lines import InputSpec, OutputSpec, Pull, Steady, check_lines


class SafePin(LGPIOPin):  # type: ignore[misc]
    """A pin that reaches its output level in one step.

    gpiozero claims each line as an input without pull, then as an output at low, then writes the level: a strike that
    is active at low fires at each start. Here an output is claimed with its level and nothing comes before.
    """

    def __init__(self, factory: Any, info: Any) -> None:
        """As gpiozero's, less the claim as an input."""
        super(LGPIOPin, self).__init__(factory, info)
        self._pwm = None
        self._bounce = None
        self._callback = None
        self._edges = lgpio.BOTH_EDGES

    def output_with_state(self, state: bool) -> None:
        """Claim the line as an output at this level."""
        lgpio.gpio_claim_output(self.factory._handle, self._number, int(state), lgpio.SET_PULL_NONE)

    def close(self) -> None:
        """Let go of the line. Raspberry Pi kernels go on driving an output at its last level, but for strict_gpiod."""
        if self.factory._handle is not None:
            with suppress(lgpio.error):  # a line whose claim failed, or closed before
                lgpio.gpio_free(self.factory._handle, self._number)


class SafePinFactory(LGPIOFactory):  # type: ignore[misc]
    """gpiozero's lgpio factory with `SafePin`s, its own and nobody else's."""

    def __init__(self, chip: int | None = None) -> None:
        super().__init__(chip)
        self.pins: dict[Any, SafePin] = {}
        self.pin_class = SafePin


class GpioPins:
    """The `Pins` port. One thread drives, one samples, any may close; nothing of gpiozero runs in the background.

    Raises LineError for a line or a name used twice, HardwareError for a line that cannot be had; then none is claimed.
    """

    def __init__(self, outputs: Sequence[OutputSpec], inputs: Sequence[InputSpec], factory: Any = None) -> None:
        """factory: a gpiozero pin factory; the Pi's own lines when None."""
        check_lines(outputs, inputs)
        self._driving = Lock()
        with ExitStack() as claimed:
            if factory is None:
                factory = _open_factory()
                claimed.callback(factory.close)
            self._outputs = {spec.name: _claim_output(spec, factory, claimed) for spec in outputs}
            self._inputs = {spec.name: _Input(spec, factory, claimed) for spec in inputs}
            self._claimed = claimed.pop_all()

    def set(self, output: str, active: bool) -> None:
        """Drive an output. Raises GPIOZeroError once they are closed."""
        with self._driving:
            self._outputs[output].value = active

    def sample(self) -> Mapping[str, bool]:
        """As in edge/ports.py; call it each 10 ms."""
        return {name: line.value for name, line in self._inputs.items() if line.changed()}

    def close(self) -> None:
        """Put every output to its safe value, then let go of all lines; nobody drives one in between."""
        with self._driving:
            for output in self._outputs.values():
                output.off()
            self._claimed.close()


class _Input:
    """One input line with its polarity and its memory."""

    def __init__(self, spec: InputSpec, factory: Any, claimed: ExitStack) -> None:
        pull_up = {Pull.UP: True, Pull.DOWN: False, Pull.NONE: None}[spec.pull]
        active_state = not spec.active_low if pull_up is None else None
        try:
            device = InputDevice(spec.line, pull_up=pull_up, active_state=active_state, pin_factory=factory)
        except (GPIOZeroError, lgpio.error) as error:
            raise _unavailable(spec, error) from error
        claimed.callback(device.close)
        if pull_up is None:
            device.pin.pull = "floating"  # gpiozero takes a line without its own pull for one that has none at all
        self._pin = device.pin
        self._active_low = spec.active_low
        self._steady = Steady(spec.samples)
        self.value = False

    def changed(self) -> bool:
        """Sample the line; whether its stable value changed, which `value` then holds."""
        value = bool(self._pin.state) != self._active_low
        changed = self._steady.sample(value)
        if changed:
            self.value = value
        return changed


def _open_factory() -> SafePinFactory:
    try:
        return SafePinFactory(header_chip())
    except (GPIOZeroError, lgpio.error, OSError) as error:
        raise HardwareError(
            f"no GPIO lines: {error}. Run on a Raspberry Pi as a member of the group gpio, or with --simulated."
        ) from error


def _claim_output(spec: OutputSpec, factory: Any, claimed: ExitStack) -> Any:
    try:
        device = OutputDevice(spec.line, active_high=spec.active_high, initial_value=False, pin_factory=factory)
    except (GPIOZeroError, lgpio.error) as error:
        raise _unavailable(spec, error) from error
    claimed.callback(device.close)
    return device


def _unavailable(spec: OutputSpec | InputSpec, error: Exception) -> HardwareError:
    return HardwareError(
        f"GPIO{spec.line} for {spec.name}: {error}. See that no other program or reader uses the line."
    )
