"""The files for a Pi agree with each other and with the code."""

import argparse
import re

from loquet.edge import add_arguments
from loquet.main import COMMANDS
from tests.support_edge import SAMPLE

FIRMWARE = SAMPLE.parent


def test_the_service_calls_the_command_as_it_is() -> None:
    unit = (FIRMWARE / "loquet-edge.service").read_text()
    (line,) = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    program, command, *options = line.split()
    assert program.endswith("/bin/loquet")
    assert command in COMMANDS
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    parsed = parser.parse_args(options)
    assert (str(parsed.config), parsed.simulated, parsed.probe) == ("/etc/loquet/edge.toml", False, False)


def test_the_journal_of_the_sample_lies_where_the_service_may_write() -> None:
    unit = (FIRMWARE / "loquet-edge.service").read_text()
    assert "StateDirectory=loquet\n" in unit
    assert 'path = "/var/lib/loquet/journal.db"' in SAMPLE.read_text()


def test_every_file_is_in_the_table() -> None:
    table = (FIRMWARE / "README.md").read_text()
    for file in FIRMWARE.iterdir():
        assert f"`{file.name}`" in table or file.name == "README.md"
