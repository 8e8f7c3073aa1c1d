"""The journal: gapless, on disk when it says so, and plain about what is wrong with its disk."""

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.journal import KEEP, Journal, Told
from edge.journal_errors import JournalDamagedError, JournalError
from edge.knowledge import MOST_HEARD
from policy.terms import DAY, ClockState
from tests.support_rows import row, rows
from tests.support_site import MIDNIGHT
from wire.row import decode, encode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with closing(Journal(path)) as journal:
        yield journal


def reopened(journal: Journal) -> Journal:
    journal.close()
    return Journal(journal.path)


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert (journal.last_seq, journal.acknowledged, journal.rows(), journal.kept()) == (0, 0, [], {})
    assert len(journal.id) == 16


@pytest.mark.parametrize(
    ("pragma", "value"), [("synchronous", 2), ("journal_mode", "wal"), ("locking_mode", "exclusive")]
)
def test_what_is_committed_is_on_the_disk_and_nobody_elses(journal: Journal, pragma: str, value: object) -> None:
    """2 is FULL: each commit waits for fsync (sqlite.org/pragma.html)."""
    assert journal._db.execute(f"PRAGMA {pragma}").fetchone() == (value,)


def test_each_file_has_an_id_of_its_own_and_keeps_it(journal: Journal, tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "other.db")) as other:
        assert other.id != journal.id
    with closing(reopened(journal)) as again:
        assert again.id == journal.id


def test_rows_come_back_as_they_were(journal: Journal) -> None:
    written = rows(1, 5)
    journal.append(written[:3])
    journal.append(written[3:])
    assert journal.rows() == written
    assert journal.rows(since=4) == written[3:]
    assert list(journal.newest_first()) == written[::-1]
    with closing(reopened(journal)) as again:
        assert again.rows() == written
        assert again.last_seq == 5


def test_the_bytes_on_disk_are_the_bytes_of_the_wire(journal: Journal) -> None:
    journal.append(rows(1, 3))
    assert journal.after(1, 10) == [(2, encode(row(2))), (3, encode(row(3)))]
    assert journal.after(0, 2) == [(1, encode(row(1))), (2, encode(row(2)))]
    assert journal.after(3, 10) == []


def test_appending_nothing_changes_nothing(journal: Journal) -> None:
    journal.append([])
    assert journal.last_seq == 0


@pytest.mark.parametrize("gap", [[row(2)], [row(0)], [row(1), row(3)], [row(1), row(1)], [row(2), row(1)]])
def test_a_gap_is_refused_whole(journal: Journal, gap: list[object]) -> None:
    with pytest.raises(ValueError, match="takes no gap"):
        journal.append(gap)  # type: ignore[arg-type]
    assert journal.rows() == []
    journal.append([row(1)])
    assert journal.last_seq == 1


@settings(deadline=None, max_examples=40)
@given(sizes=st.lists(st.integers(0, 20), max_size=8), acks=st.lists(st.integers(0, 160), max_size=8))
def test_numbers_have_no_gaps_and_acknowledgements_only_grow(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], acks: list[int]
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal.db")
    highest = 0
    for size, ack in zip(sizes, acks, strict=False):
        journal.append(rows(journal.last_seq + 1, journal.last_seq + size))
        if ack <= journal.last_seq:
            journal.acknowledge(ack)
            highest = max(highest, ack)
        else:
            with pytest.raises(ValueError, match="acknowledged"):
                journal.acknowledge(ack)
        assert journal.acknowledged == highest
    journal = reopened(journal)
    assert [found.seq for found in journal.rows()] == list(range(1, journal.last_seq + 1))
    assert journal.acknowledged == highest
    journal.close()


def test_an_acknowledgement_goes_to_the_disk_with_the_next_rows(journal: Journal) -> None:
    def on_disk() -> int:
        found = journal._db.execute("SELECT value FROM meta WHERE name = 'acknowledged'").fetchone()
        return int(found[0])

    journal.append(rows(1, 3))
    journal.acknowledge(2)
    assert on_disk() == 0
    journal._db.execute("PRAGMA query_only=ON")
    with pytest.raises(JournalError):
        journal.append(rows(4, 4))
    journal._db.execute("PRAGMA query_only=OFF")
    journal.append(rows(4, 4))
    assert on_disk() == 2
    journal.acknowledge(4)
    journal.save()
    assert on_disk() == 4


def test_what_is_kept(journal: Journal) -> None:
    journal.keep({"rules": b"1", "fresh": b"2"})
    journal.keep({"rules": b"3", "fresh": None, "never": None})
    assert journal.kept() == {"rules": b"3"}
    with closing(reopened(journal)) as again:
        assert again.kept() == {"rules": b"3"}


class TestPrune:
    NOW = MIDNIGHT + 60 * DAY

    def test_acknowledged_rows_go_after_30_days(self, journal: Journal) -> None:
        old, young = self.NOW - KEEP - 1, self.NOW - KEEP
        journal.append([row(1, at=old), row(2, at=old), row(3, at=young), row(4, at=self.NOW)])
        journal.acknowledge(4)
        assert journal.prune(self.NOW) == 2
        assert [found.seq for found in journal.rows()] == [3, 4]
        assert journal.prune(self.NOW) == 0

    def test_unacknowledged_rows_stay(self, journal: Journal) -> None:
        journal.append([row(seq, at=MIDNIGHT) for seq in (1, 2, 3)])
        journal.acknowledge(2)
        assert journal.prune(self.NOW) == 2
        assert [found.seq for found in journal.rows()] == [3]

    def test_numbers_go_on_when_no_row_is_left(self, journal: Journal) -> None:
        journal.append([row(seq, at=MIDNIGHT) for seq in (1, 2)])
        journal.acknowledge(2)
        journal.prune(self.NOW)
        with closing(reopened(journal)) as again:
            assert (again.last_seq, again.acknowledged, again.rows()) == (2, 2, [])
            again.append([row(3)])

    def test_a_row_of_an_untrusted_clock_goes_with_the_old_row_behind_it(self, journal: Journal) -> None:
        lost = {"at": 0, "clock": ClockState.UNKNOWN}
        journal.append([row(1, **lost), row(2, at=MIDNIGHT), row(3, **lost), row(4, at=self.NOW)])
        journal.acknowledge(4)
        assert journal.prune(self.NOW) == 2
        assert [found.seq for found in journal.rows()] == [3, 4]

    def test_a_row_from_a_clock_that_ran_ahead_goes_too(self, journal: Journal) -> None:
        journal.append([row(1, at=self.NOW + 3650 * DAY), row(2, at=MIDNIGHT)])
        journal.acknowledge(2)
        assert journal.prune(self.NOW) == 2

    def test_nothing_of_it_stays_in_the_file(self, journal: Journal) -> None:
        journal.append([row(1, at=MIDNIGHT, member="brigitte-of-the-third-floor")])
        journal.acknowledge(1)
        journal.prune(self.NOW)
        files = list(journal.path.parent.glob("journal.db*"))
        assert files
        assert not [file for file in files if b"brigitte-of-the-third-floor" in file.read_bytes()]


class TestTrouble:
    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(JournalError, match=r"no folder .*nowhere: make it"):
            Journal(tmp_path / "nowhere" / "journal.db")

    def test_a_folder_for_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(JournalError, match="cannot be opened: see that it is a file"):
            Journal(tmp_path)

    def test_open_elsewhere(self, journal: Journal) -> None:
        with pytest.raises(JournalError, match="another process has it open: end it"):
            Journal(journal.path)
        journal.append(rows(1, 1))

    def test_another_programs_database(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE recipes (name TEXT)")
        with pytest.raises(JournalError, match="not a journal of Loquet") as caught:
            Journal(path)
        assert not isinstance(caught.value, JournalDamagedError)

    def test_a_format_of_tomorrow(self, journal: Journal) -> None:
        journal.close()
        with closing(sqlite3.connect(journal.path)) as other, other:
            other.execute("UPDATE meta SET value = 4 WHERE name = 'format'")
            other.execute("PRAGMA user_version = 4")
        with pytest.raises(JournalError, match="format 4, not 3: another version's; update Loquet") as caught:
            Journal(journal.path)
        assert not isinstance(caught.value, JournalDamagedError)

    @pytest.mark.parametrize(
        "damage",
        [
            "UPDATE meta SET value = 4 WHERE name = 'format'",
            "UPDATE meta SET name = 'formed' WHERE name = 'format'",
            "PRAGMA user_version = 9",
            "UPDATE meta SET value = 2 WHERE name = 'acknowledged'",
            "UPDATE meta SET value = 'x' WHERE name = 'pruned'",
            "ALTER TABLE kept RENAME TO kebt",
            "UPDATE journal SET row = CAST(row AS TEXT) WHERE seq = 3",
            """UPDATE journal SET row = replace(CAST(row AS TEXT), ':03.000Z', ':x3.000Z') WHERE seq = 3""",
            "UPDATE journal SET row = CAST(replace(CAST(row AS TEXT), 'front', 'fronu') AS BLOB) WHERE seq = 3",
        ],
    )
    def test_what_is_not_what_was_written_is_damage(self, journal: Journal, damage: str) -> None:
        journal.append(rows(1, 3))
        journal.close()
        with closing(sqlite3.connect(journal.path)) as other, other:
            other.execute(damage)
        with pytest.raises(JournalDamagedError):
            Journal(journal.path)

    @pytest.mark.parametrize("table", ["kept", "heard", "journal"])
    def test_so_it_is_where_only_reading_tells(self, journal: Journal, table: str) -> None:
        journal.append(rows(1, 3))
        journal.keep({"rules": b"the rules"})
        journal.hear([told(1)])
        value = "value" if table == "kept" else "row"
        journal._db.execute(f"UPDATE {table} SET {value} = CAST({value} || ' ' AS BLOB)")  # noqa: S608
        with pytest.raises(JournalDamagedError, match="is not what was written"):
            (journal.kept(), journal.heard(), journal.after(0, 9))

    @pytest.mark.parametrize("gone", [1, 2, 3])
    def test_a_row_that_is_missing_is_damage(self, journal: Journal, gone: int) -> None:
        journal.append(rows(1, 3))
        journal._db.execute("DELETE FROM journal WHERE seq = ?", (gone,))
        with pytest.raises(JournalDamagedError, match=r"row \d"):
            journal.after(0, 9)

    def test_a_file_that_says_of_itself_that_it_is_read_only_is_damage(self, journal: Journal) -> None:
        """Byte 18 of an SQLite file (sqlite.org/fileformat.html): a wrong one there looks like a read-only disk."""
        journal.append(rows(1, 3))
        journal.close()
        with journal.path.open("r+b") as file:
            file.seek(18)
            file.write(b"\x82")
        with pytest.raises(JournalDamagedError, match="first bytes"):
            Journal(journal.path)

    def test_a_list_of_tables_that_is_empty_makes_no_new_journal_of_an_old_one(self, journal: Journal) -> None:
        journal.append(rows(1, 3))
        journal.close()
        with journal.path.open("r+b") as file:
            file.seek(103)
            file.write(b"\0\0")
        with pytest.raises(JournalDamagedError):
            Journal(journal.path)

    def test_a_page_that_nothing_leads_to_is_found_by_looking_at_the_whole(self, journal: Journal) -> None:
        """One cell less in the page that leads to all others: SQLite reads on, and some rows are not there."""
        journal.append(rows(1, 300))
        journal.check()
        (root,) = journal._db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'journal'").fetchone()
        journal.close()
        with journal.path.open("r+b") as file:
            file.seek((root - 1) * 1024 + 4)
            cells = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([cells - 1]))
        with (
            closing(Journal(journal.path)) as again,
            pytest.raises(JournalDamagedError, match=r"journal.db: damaged \(.* page \d+"),
        ):
            again.check()

    def test_a_full_disk_loses_nothing_and_mends(self, journal: Journal) -> None:
        journal.append(rows(1, 3))
        pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
        journal._db.execute(f"PRAGMA max_page_count={pages}")
        journal.acknowledge(2)
        with pytest.raises(JournalError, match="the disk is full: make room"):
            journal.append(rows(4, 200))
        assert journal.last_seq == 3
        journal._db.execute("PRAGMA max_page_count=100000")
        journal.append(rows(4, 200))
        with closing(reopened(journal)) as again:
            assert [found.seq for found in again.rows()] == list(range(1, 201))
            assert again.acknowledged == 2

    def test_a_disk_that_refuses_to_write(self, journal: Journal) -> None:
        journal.append(rows(1, 3))
        largest = max(file.stat().st_size for file in journal.path.parent.iterdir())
        with file_size_limit(largest), pytest.raises(JournalError, match="the disk refuses it"):
            journal.append(rows(4, 900))
        journal.append(rows(4, 900))
        assert journal.last_seq == 900

    def test_a_disk_that_has_become_read_only(self, journal: Journal) -> None:
        journal._db.execute("PRAGMA query_only=ON")
        with pytest.raises(JournalError, match="cannot be written: give it to the user"):
            journal.append(rows(1, 1))
        journal._db.execute("PRAGMA query_only=OFF")
        journal.append(rows(1, 1))

    def test_a_file_that_is_no_database(self, path: Path) -> None:
        path.write_bytes(b"not a database " * 1000)
        with pytest.raises(JournalDamagedError, match=r"journal\.db: damaged"):
            Journal(path)

    def test_a_last_row_that_is_no_row(self, journal: Journal) -> None:
        journal.append(rows(1, 2))
        overwrite(journal, 2, b"{}")
        with pytest.raises(JournalDamagedError, match=r"journal.db row 2: not a journal row"):
            Journal(journal.path)

    def test_a_last_row_that_is_another(self, journal: Journal) -> None:
        journal.append(rows(1, 2))
        overwrite(journal, 2, encode(row(7)))
        with pytest.raises(JournalDamagedError, match="row 2 says that it is row 7"):
            Journal(journal.path)

    def test_rows_that_are_gone(self, journal: Journal) -> None:
        journal.append(rows(1, 3))
        journal.acknowledge(3)
        journal.close()
        with closing(sqlite3.connect(journal.path)) as other, other:
            other.execute("DELETE FROM journal WHERE seq = 3")
        with pytest.raises(JournalDamagedError, match="ends at row 2, 3 is acknowledged"):
            Journal(journal.path)


def overwrite(journal: Journal, seq: int, content: bytes) -> None:
    """Close the journal and put other bytes into a row."""
    journal.close()
    with closing(sqlite3.connect(journal.path)) as other, other:
        other.execute("UPDATE journal SET row = ? WHERE seq = ?", (content, seq))


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow past a size, as a disk quota would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_every_row_that_was_reported_survives_kill_9(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support_killed", str(tmp_path), "40", "20261124"]
    root = Path(__file__).parents[2]
    told = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    words = told.stdout.split()
    assert words[:2] == ["rounds", "40"]
    assert int(words[3]) > 100
    assert words[4:] == ["missing", "0"]


def test_a_row_decodes_to_itself(journal: Journal) -> None:
    journal.append([row(1, member="alice", pending=True, detail="é")])
    ((seq, stored),) = journal.after(0, 1)
    assert decode(stored, "journal") == journal.rows()[0]
    assert seq == 1


def heard(journal: Journal) -> list[tuple[str, str, int | None, int]]:
    return [(told.edge, told.journal, told.received, told.rows[0][0]) for told in journal.heard()]


def told(*seqs: int, edge: str = "garden", name: str = "g1", received: int | None = MIDNIGHT) -> Told:
    return Told(edge, name, received, [(seq, encode(row(seq))) for seq in seqs])


class TestHeard:
    """Rows of other edges."""

    def test_they_lie_on_the_disk_once_in_the_order_in_which_they_came(self, journal: Journal) -> None:
        assert journal.hear([told(7, 3)]) == [7, 3]
        assert journal.hear([told(3, 8, received=None)]) == [8]
        expected = [("garden", "g1", MIDNIGHT, 7), ("garden", "g1", MIDNIGHT, 3), ("garden", "g1", None, 8)]
        assert heard(journal) == expected
        with closing(reopened(journal)) as again:
            assert heard(again) == expected
            assert again.heard()[0].rows[0][1] == encode(row(7))

    def test_what_is_kept_may_include_them(self, journal: Journal) -> None:
        journal.hear([told(1, 2, 3), told(1, 2, name="g2"), told(2, edge="attic")])
        journal.keep({"state": b"the state"}, {"garden": {"g1": 2, "g0": 9}, "attic": {"g1": 1}})
        assert [(edge, name, seq) for edge, name, _, seq in heard(journal)] == [
            ("garden", "g1", 3),
            ("garden", "g2", 1),
            ("garden", "g2", 2),
            ("attic", "g1", 2),
        ]
        assert journal.kept() == {"state": b"the state"}

    def test_of_a_flood_the_newest_stay_and_other_edges_lose_nothing(self, journal: Journal) -> None:
        journal.hear([told(1, edge="attic")])
        journal.hear([told(*range(1, MOST_HEARD + 3))])
        found = heard(journal)
        assert len(found) == MOST_HEARD + 1
        assert [seq for edge, _, _, seq in found][:2] == [1, 3]

    def test_after_30_days_they_go(self, journal: Journal) -> None:
        journal.hear([told(1), told(2, received=None), told(3, received=MIDNIGHT + DAY)])
        journal.prune(MIDNIGHT + KEEP + 1)
        assert [(seq, received) for _, _, received, seq in heard(journal)] == [
            (2, MIDNIGHT + KEEP + 1),
            (3, MIDNIGHT + DAY),
        ]

    def test_on_a_full_disk_all_or_none(self, journal: Journal) -> None:
        journal._db.execute("PRAGMA query_only=ON")
        with pytest.raises(JournalError):
            journal.hear([told(1, 2)])
        journal._db.execute("PRAGMA query_only=OFF")
        assert journal.hear([told(1, 2)]) == [1, 2]


OLDER = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (seq INTEGER PRIMARY KEY, at INTEGER, row BLOB NOT NULL);
CREATE TABLE kept (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE heard (id INTEGER PRIMARY KEY, edge TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL,
 received INTEGER, row BLOB NOT NULL, UNIQUE (edge, journal, seq));
"""
"""The tables of format 2, as they were made; 1 had no `heard`, 3 brought the checksums."""


def older(path: Path, version: int) -> None:
    """A journal as an older Loquet left it: five rows, three of them acknowledged."""
    with closing(sqlite3.connect(path)) as other, other:
        other.executescript("PRAGMA page_size=1024; PRAGMA journal_mode=WAL;" + OLDER)
        other.executemany("INSERT INTO meta VALUES (?, ?)", [("id", "0123456789abcdef"), ("format", version)])
        other.executemany("INSERT INTO meta VALUES (?, ?)", [("acknowledged", 3), ("pruned", 0)])
        other.executemany("INSERT INTO journal VALUES (?, ?, ?)", [(n, MIDNIGHT, encode(row(n))) for n in range(1, 6)])
        other.execute("INSERT INTO kept VALUES ('rules', ?)", (b"the rules",))
        if version == 1:
            other.execute("DROP TABLE heard")
        else:
            other.execute("INSERT INTO heard VALUES (1, 'garden', 'g1', 4, NULL, ?)", (encode(row(4)),))


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_journal_goes_on_and_loses_nothing(path: Path, version: int) -> None:
    older(path, version)
    for _ in range(2):
        with closing(Journal(path)) as journal:
            assert (journal.id, journal.last_seq, journal.acknowledged) == ("0123456789abcdef", 5, 3)
            assert (journal.rows(), journal.kept()) == (rows(1, 5), {"rules": b"the rules"})
            assert [told.rows for told in journal.heard()] == ([((4, encode(row(4))),)] if version == 2 else [])
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT seq FROM journal WHERE sum IS NOT NULL").fetchall() == [(4,), (5,)]


@pytest.mark.parametrize("version", [1, 2])
def test_what_an_older_journal_held_is_watched_from_then_on(path: Path, version: int) -> None:
    older(path, version)
    with closing(Journal(path)) as journal:
        journal._db.execute("UPDATE journal SET row = CAST(row || ' ' AS BLOB) WHERE seq = 4")
        with pytest.raises(JournalDamagedError, match="row 4"):
            journal.after(3, 10)


def test_rewound_rows_are_to_be_sent_again(journal: Journal) -> None:
    journal.append(rows(1, 5))
    journal.acknowledge(4)
    assert journal.rewind(2)
    assert journal.acknowledged == 2
    with closing(reopened(journal)) as again:
        assert again.acknowledged == 2


def test_what_is_deleted_cannot_be_rewound(journal: Journal) -> None:
    journal.append(rows(1, 5))
    journal.acknowledge(4)
    journal.prune(MIDNIGHT + KEEP + DAY)
    assert not journal.rewind(2)
    assert journal.rewind(4)
    assert journal.acknowledged == 4
