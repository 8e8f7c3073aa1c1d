"""A disk that will not, or that is not what was written: the edge starts, decides, says so, and tells all it can."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from edge.config import Config
from edge.journal_writer import COPIED
from edge.private import tighten
from edge.spare import Copied, Spare
from simulator.clock import VirtualClock
from tests.edge.test_journal import file_size_limit
from tests.support_edge import Bench, Folder, make_folder
from tests.support_site import ALICE
from wire.row import Kind, Order, Row

NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Folder]:
    """Beyond the reach of pytest's own folder, which only its owner can enter."""
    with TemporaryDirectory(prefix="loquet-test-") as made:
        Path(made).chmod(0o711)
        yield make_folder(Path(made) / "site")


@dataclass(frozen=True)
class Lived:
    """What an edge left. rows: of its journal."""

    folder: Folder
    config: Config
    clock: VirtualClock
    journal: str
    rows: list[Row]

    @property
    def path(self) -> Path:
        return self.config.journal


@pytest.fixture
def lived(folder: Folder) -> Lived:
    """An edge with rules let somebody in, did an order, told the server its first row, and has ended."""
    bench = Bench(folder)
    bench.give_rules()
    bench.connect()
    bench.acknowledge(1)
    bench.tap(ALICE)
    bench.pins.put("contact", True)
    bench.wait(0.1)
    bench.pins.put("contact", False)
    bench.wait(0.1)
    bench.order(Order.OPEN, "front", nonce="once")
    bench.wait(COPIED + 1)
    left = Lived(folder, bench.config, bench.clock, bench.journal.id, bench.rows())
    bench.edge.stop()
    return left


def again(lived: Lived) -> Bench:
    """The same edge, started once more."""
    bench = Bench(lived.folder, lived.clock, config=lived.config)
    bench.turn()
    return bench


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing in the folder can be written, not even by root: this process becomes nobody for a while."""
    files = [file for file in folder.iterdir() if file.is_file()]
    for path, mode in [(file, 0o444) for file in files] + [(folder, 0o555)]:
        path.chmod(mode)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path in (folder, *files):
            path.chmod(0o700 if path is folder else 0o600)


def lets_staff_in(bench: Bench) -> bool:
    bench.readers[0].lay(ALICE)
    bench.settle()
    bench.readers[0].take(ALICE)
    bench.settle()
    return bench.pins.is_active("strike")


def mended(bench: Bench) -> list[Row]:
    """The rows once the disk is well again."""
    bench.wait(1.1)
    rows = bench.rows()
    assert [row.seq for row in rows] == list(range(1, bench.journal.last_seq + 1))
    return rows


class TestStart:
    """Never stricter than running."""

    def test_on_a_disk_that_only_reads(self, lived: Lived, caplog: pytest.LogCaptureFixture) -> None:
        with read_only(lived.path.parent):
            bench = again(lived)
            bench.connect()
            assert lets_staff_in(bench)
            (first, *_) = bench.wire.taken("status")
        assert "rows wait in memory" in caplog.text
        assert "journal.db" in str(first.journal_fault)
        assert first.rules_version == 7
        rows = mended(bench)
        assert rows[: len(lived.rows)] == lived.rows
        started = [row for row in rows if row.kind is Kind.STARTED][-1]
        assert "rows wait in memory" in str(started.detail)
        assert rows[-1].kind is Kind.TAP
        assert bench.wire.taken("status")[-1].journal_fault is None

    def test_on_a_disk_that_is_full(self, lived: Lived) -> None:
        with file_size_limit(0):
            bench = again(lived)
            assert lets_staff_in(bench)
            assert bench.edge.storage.writer.trouble
        assert mended(bench)[-1].kind is Kind.TAP

    def test_where_a_folder_stands_in_the_journals_place(self, lived: Lived) -> None:
        journal = lived.path
        journal.rename(journal.with_name("away"))
        journal.mkdir()
        bench = again(lived)
        assert lets_staff_in(bench), "the second copy has the rules"
        journal.rmdir()
        journal.with_name("away").rename(journal)
        assert mended(bench)[-1].kind is Kind.TAP

    def test_damaged_on_a_disk_that_only_reads(self, lived: Lived) -> None:
        lived.path.write_bytes(b"rubbish" * 1000)
        with read_only(lived.path.parent):
            assert lets_staff_in(again(lived))

    def test_on_a_disk_that_only_reads_no_order_is_done_twice(self, lived: Lived) -> None:
        with read_only(lived.path.parent):
            bench = again(lived)
            bench.order(Order.OPEN, "front", nonce="once")
            assert not bench.pins.is_active("strike")


class TestTwoCopies:
    def test_rules_lie_in_both_at_once_and_the_rest_soon(self, folder: Folder) -> None:
        bench = Bench(folder)
        spare = Spare(bench.config.journal)
        bench.give_rules()
        assert spare.read().kept == bench.journal.kept()
        bench.edge.storage.writer.keep({"alive": b"1"})
        bench.wait(COPIED + 1)
        assert spare.read() == Copied(bench.journal.id, bench.journal.turn, bench.journal.kept())

    def test_who_ends_sets_nothing_aside(self, folder: Folder) -> None:
        """By then the file may be another process's: what is damaged the next start mends."""
        bench = Bench(folder)
        bench.give_rules()
        journal = bench.journal.id
        bench.edge.storage.writer.keep({"alive": b"1"})
        bench.journal._db.close()
        bench.edge.storage.writer.close()
        assert list(bench.config.journal.parent.glob("*.aside-*")) == []
        assert Bench(folder).journal.id == journal

    def test_a_copy_that_is_not_what_was_written_is_none(self, lived: Lived) -> None:
        spare = Spare(lived.path)
        content = spare.path.read_bytes()
        for place in (0, 5, len(content) - 1):
            spare.path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            assert spare.read() == Copied()
        spare.path.write_bytes(b"")
        assert spare.read() == Copied()
        assert lets_staff_in(again(lived))

    def test_the_later_one_counts(self) -> None:
        copied = Copied("j1", 7, {"rules": b"copied", "fresh": b"copied"})
        assert copied.better("j1", 6, {"rules": b"kept", "alive": b"kept"}) == {
            "rules": b"copied",
            "fresh": b"copied",
            "alive": b"kept",
        }
        for journal, turn in (("j1", 7), ("j1", 8), ("another", 1)):
            assert copied.better(journal, turn, {"rules": b"kept"}) == {"rules": b"kept", "fresh": b"copied"}

    def test_what_the_journal_lacks_it_gets_back(self, lived: Lived) -> None:
        lived.path.unlink()
        bench = again(lived)
        bench.settle()
        assert lets_staff_in(bench)
        assert "rules" in bench.journal.kept()


class TestToldAgain:
    def test_rows_of_a_damaged_journal_reach_the_server_under_their_own_numbers(self, lived: Lived) -> None:
        made, last = lived.journal, lived.rows[-1].seq
        spoil(lived.path)
        bench = again(lived)
        bench.connect()
        (events,) = bench.wire.taken("events")
        assert (events.journal, len(events.rows)) == (made, last - 1)
        (said,) = bench.wire.taken("status")
        assert said.unacknowledged == last - 1 + bench.journal.last_seq
        assert "told again" in str(said.journal_fault)
        bench.acknowledge(last, journal=made)
        (events,) = bench.wire.taken("events")
        assert events.journal == bench.journal.id
        bench.acknowledge(bench.journal.last_seq)
        bench.wait(61)
        assert bench.wire.taken("events") == []

    def test_what_the_server_has_already_is_not_asked_twice(self, lived: Lived) -> None:
        made, last = lived.journal, lived.rows[-1].seq
        spoil(lived.path)
        bench = again(lived)
        bench.connect()
        bench.acknowledge(2, journal=made)
        (_, events) = bench.wire.taken("events")
        assert (events.journal, len(events.rows)) == (made, last - 2)

    def test_who_is_inside_is_known_though_the_journal_is_a_new_one(self, lived: Lived) -> None:
        spoil(lived.path)
        bench = again(lived)
        assert bench.core.state.presence.moves["alice"].inside

    def test_a_command_that_was_done_is_not_done_again(self, lived: Lived) -> None:
        """Though neither journal nor second copy says any more that it was."""
        content = lived.path.read_bytes()
        lived.path.write_bytes(content.replace(b"command/once", b"command/twice"[:12]))
        Spare(lived.path).path.unlink()
        bench = again(lived)
        bench.order(Order.OPEN, "front", after=-6, nonce="once")
        assert not bench.pins.is_active("strike")


def spoil(journal: Path) -> None:
    """A broken byte where the file says of itself what it is."""
    content = journal.read_bytes()
    place = content.index(b"pruned")
    journal.write_bytes(content[:place] + b"q" + content[place + 1 :])


class TestRights:
    @pytest.mark.parametrize("name", ["", "-wal"])
    def test_the_journals_files_are_their_owners_alone(self, folder: Folder, name: str) -> None:
        umask = os.umask(0)
        try:
            bench = Bench(folder)
            bench.give_rules()
        finally:
            os.umask(umask)
        for file in (f"{bench.config.journal}{name}", f"{bench.config.journal}.spare"):
            assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
        assert stat.S_IMODE(bench.config.journal.parent.stat().st_mode) == 0o700

    def test_what_lies_there_is_tightened_at_a_start(self, lived: Lived) -> None:
        journal = lived.path
        aside = journal.with_name("journal.db.aside-1")
        aside.write_bytes(b"names")
        files = [journal, Spare(journal).path, aside]
        for file in files:
            file.chmod(0o644)
        journal.parent.chmod(0o755)
        again(lived)
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(journal.parent.stat().st_mode) == 0o700

    def test_a_folder_that_is_everybodys_stays_so(self, lived: Lived) -> None:
        folder = lived.path.parent
        folder.chmod(0o1777)
        again(lived)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o1777

    @pytest.mark.parametrize("folder", [Path("/"), Path("/srv")])
    def test_a_folder_that_every_program_goes_through_stays_so(self, folder: Path) -> None:
        """Whose journal lies there by mistake, run by root, would else shut out all other users."""
        before = folder.stat().st_mode
        try:
            tighten(folder / "journal.db")
            assert folder.stat().st_mode == before
        finally:
            if folder.stat().st_mode != before:
                folder.chmod(before)
