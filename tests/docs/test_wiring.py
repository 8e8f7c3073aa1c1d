"""The drawings of the wiring are as tools/wiring makes them, and say each line of the samples."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from edge.hardware.settings import VERSIONS
from tests.docs.wiring_drawings import FOLDERS, files, lines, pin, sample

ROOT = Path(__file__).parents[2]
GUIDES = {"fr": "docs/fr/installer.md", "en": "docs/wiring.md"}


@pytest.mark.parametrize(("file", "content"), files().items(), ids=list(files()))
def test_it_is_as_the_samples_have_it(file: str, content: str) -> None:
    assert (ROOT / file).read_text("utf-8") == content, "run tools/wiring"


def test_nothing_is_drawn_beside_the_sheet() -> None:
    for file, content in files().items():
        root = ET.fromstring(content)  # noqa: S314  our own
        wide, high = (float(number) for number in root.attrib["viewBox"].split()[2:])
        for box in root.iter("{http://www.w3.org/2000/svg}rect"):
            right, bottom = (
                float(box.attrib.get(at, 0)) + float(box.attrib[size]) for at, size in (("x", "width"), ("y", "height"))
            )
            assert right <= wide, file
            assert bottom <= high, file


@pytest.mark.parametrize("language", FOLDERS)
def test_every_line_of_the_samples_is_drawn(language: str) -> None:
    drawn = {Path(file).stem: content for file, content in files().items() if file.startswith(FOLDERS[language] + "/")}
    at_door = drawn["porte" if language == "fr" else "door"]
    for line in lines(sample("door")):
        assert pin(line) in at_door or f"GPIO{line}" in at_door or f", {line}<" in at_door, f"GPIO{line}"
    for line in lines(sample("machine")):
        assert f"GPIO{line}" in drawn["machine"] or f", {line}<" in drawn["machine"], f"GPIO{line}"


@pytest.mark.parametrize("language", FOLDERS)
def test_the_guide_shows_every_drawing(language: str) -> None:
    guide = (ROOT / GUIDES[language]).read_text("utf-8")
    drawn = [Path(file).name for file in files() if file.startswith(FOLDERS[language] + "/")]
    assert len(drawn) == 3
    assert [name for name in drawn if f"/{name})" not in guide] == []


def test_the_chips_that_an_installer_may_find_are_told_as_the_probe_tells_them() -> None:
    guide = (ROOT / "docs/wiring.md").read_text("utf-8")
    assert [chip for value, chip in VERSIONS.items() if f"{chip} (VersionReg {value:02X})" not in guide] == []
