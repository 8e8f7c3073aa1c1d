"""Which gpiochip has the header's lines? Sysfs as Raspberry Pi kernels have it, laid out in a folder."""

from pathlib import Path

import pytest

from edge.hardware.errors import HardwareError
from edge.hardware.header import CHOSEN, choose, header_chip
from edge.hardware.lines import OutputSpec
from edge.hardware.pins import GpioPins
from simulator.board import Board
from simulator.load import load


@pytest.fixture
def not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHOSEN, "0")  # so that the variable is what it was, afterwards
    monkeypatch.delenv(CHOSEN)


def devices(folder: Path, **compatible: str) -> Path:
    for chip, names in compatible.items():
        node = folder / chip / "of_node"
        node.mkdir(parents=True)
        (node / "compatible").write_text(names)
    (folder / "gpiochip99").mkdir()  # one that the device tree knows nothing of: an expander on USB
    return folder


@pytest.mark.usefixtures("not_chosen")
@pytest.mark.parametrize(
    ("chips", "number"),
    [
        ({"gpiochip0": "raspberrypi,bcm2835-gpio\0"}, 0),
        ({"gpiochip0": "brcm,bcm7445-gpio\0", "gpiochip4": "raspberrypi,rp1-gpio\0"}, 4),
        ({"gpiochip10": "brcm,brcmstb-gpio\0", "gpiochip11": "raspberrypi,rp1-gpio\0other\0"}, 11),
        ({"gpiochip1": "raspberrypi,firmware-gpio\0", "gpiochip512": "raspberrypi,bcm2711-gpio\0"}, 512),
        ({"gpiochip3": "nothing,known\0"}, 0),
    ],
    ids=["Pi 3", "Pi 5", "Pi 5, kernel 6.6.45", "Pi 4, counted from 512", "no Pi"],
)
def test_it_is_found_by_its_name_in_the_device_tree(tmp_path: Path, chips: dict[str, str], number: int) -> None:
    assert header_chip(devices(tmp_path, **chips)) == number


@pytest.mark.usefixtures("not_chosen")
def test_what_is_chosen_is_not_looked_for(tmp_path: Path) -> None:
    found = devices(tmp_path, gpiochip4="raspberrypi,rp1-gpio\0")
    choose(None)
    assert header_chip(found) == 4
    choose(11)
    assert header_chip(found) == 11


@pytest.mark.usefixtures("not_chosen")
def test_the_pins_are_those_of_the_chosen_chip(monkeypatch: pytest.MonkeyPatch) -> None:
    load(Board())
    choose(7)
    with pytest.raises(HardwareError, match="can not open gpiochip"):
        GpioPins([OutputSpec("strike", 17)], [])
    monkeypatch.setenv(CHOSEN, "0")
    GpioPins([OutputSpec("strike", 17)], []).close()
