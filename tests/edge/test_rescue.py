"""A journal that cannot go on in its file: what goes over into the new one, and what is set aside."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from edge.journal import KEEP, Journal, Outgoing, Told
from edge.journal_errors import JournalDamagedError, JournalError
from edge.rescue import ASIDE, forget_aside, open_journal, renew, renumbered
from edge.salvage import salvage
from edge.spare import Copied, Spare
from server.ingest.rows import number as numbered_by_server
from tests.edge.test_journal import file_size_limit
from tests.support_rows import row, rows
from wire.row import Kind, encode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def filled(path: Path, last: int, acknowledged: int) -> str:
    """A journal on the disk with rules kept; its id."""
    with closing(Journal(path)) as journal:
        journal.append(rows(1, last))
        journal.acknowledge(acknowledged)
        journal.keep({"rules": b"the rules"})
        return journal.id


def spoil(path: Path, seq: int) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE journal SET row = x'00' WHERE seq = ?", (seq,))


def test_a_healthy_journal_is_just_opened(path: Path) -> None:
    made = filled(path, 5, 3)
    journal, note = open_journal(path)
    with closing(journal):
        assert (journal.id, journal.last_seq, note) == (made, 5, None)
    assert [file.name for file in path.parent.iterdir()] == ["journal.db"]


def test_a_damaged_journal_is_set_aside_and_the_rest_goes_over(path: Path) -> None:
    made = filled(path, 6, 3)
    spoil(path, 6)
    journal, note = open_journal(path)
    with closing(journal):
        assert journal.id != made
        assert journal.outgoing == Outgoing(made, 3, 5)
        assert journal.to_send(10) == [(4, encode(row(4))), (5, encode(row(5)))]
        assert (journal.last_seq, journal.acknowledged, journal.unacknowledged) == (0, 0, 2)
        assert journal.kept() == {"rules": b"the rules"}
        assert note is not None
        for word in ("row 6", "journal.db.aside-1", "2 rows", journal.id):
            assert word in note
    assert (path.parent / "journal.db.aside-1").exists()


def test_what_other_edges_told_goes_over(path: Path) -> None:
    filled(path, 6, 3)
    with closing(Journal(path)) as journal:
        journal.hear([Told("garden", "g1", 5, [(2, b"two"), (4, b"four")])])
    spoil(path, 6)
    journal, _ = open_journal(path)
    with closing(journal):
        assert journal.heard() == [Told("garden", "g1", 5, ((2, b"two"),)), Told("garden", "g1", 5, ((4, b"four"),))]


def test_where_nobody_can_say_what_the_server_has_all_is_told_again_under_its_own_numbers(path: Path) -> None:
    made = filled(path, 6, 3)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM meta WHERE name = 'acknowledged'")
    journal, note = renew(path, "damaged")
    with closing(journal):
        assert (journal.last_seq, journal.kept()) == (0, {"rules": b"the rules"})
        assert journal.outgoing == Outgoing(made, 0, 6)
        assert journal.to_send(10) == [(seq, encode(row(seq))) for seq in range(1, 7)]
        assert "6 rows" in note
    assert (path.parent / "journal.db.aside-1").exists()


def test_where_nobody_can_say_even_which_journal_it_was_nothing_is_sent_twice(path: Path) -> None:
    filled(path, 6, 3)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM meta")
    journal, note = renew(path, "damaged")
    with closing(journal):
        assert (journal.last_seq, journal.unacknowledged) == (0, 0)
        assert "0 rows" in note


def test_the_second_copy_says_which_journal_it_was(path: Path) -> None:
    made = filled(path, 6, 3)
    Spare(path).write(Copied(made, 1, {"rules": b"the rules"}))
    path.write_bytes(b"rubbish" * 1000)
    journal, _ = open_journal(path)
    with closing(journal):
        assert journal.kept() == {"rules": b"the rules"}


def test_in_the_place_of_a_row_that_is_lost_something_says_so(path: Path) -> None:
    made = filled(path, 6, 3)
    spoil(path, 5)
    journal, _ = renew(path, "damaged")
    with closing(journal):
        told = journal.to_send(10)
        assert [seq for seq, _ in told] == [4, 5, 6]
        assert b"cannot be read any more" in told[1][1]
        (_, lost, _), body = (Raw(raw) for _, raw in told), b"".join(raw for _, raw in told)
        numbered = numbered_by_server([Raw(raw) for _, raw in told], "here", body)
        assert [(one.seq, one.row is None) for one in numbered] == [(4, False), (5, True), (6, False)]
        assert lost == Raw(told[1][1])
        assert journal.settle(made, 4)
        assert [seq for seq, _ in journal.to_send(10)] == [5, 6]
        assert journal.settle(made, 1), "the server has less than the edge believed"
        assert [seq for seq, _ in journal.to_send(10)] == [2, 3, 4, 5, 6]
        assert journal.settle(made, 6)
        assert not journal.settle(made, 6)
        assert (journal.outgoing, journal.unacknowledged) == (Outgoing(journal.id, 0, 0), 0)


def test_what_is_owed_survives_a_start_and_another_damage(path: Path) -> None:
    made = filled(path, 6, 3)
    spoil(path, 6)
    journal, _ = open_journal(path)
    with closing(journal):
        journal.append(rows(1, 3))
        second = journal.id
    spoil(path, 3)
    journal, _ = open_journal(path)
    with closing(journal):
        assert journal.owed() == {
            made: {4: encode(row(4)), 5: encode(row(5))},
            second: {1: encode(row(1)), 2: encode(row(2))},
        }


def test_a_new_journal_that_its_disk_has_no_room_for_takes_nobodys_place(path: Path) -> None:
    """Its log fits, and the file itself does not: it must not stand alone in the old one's place."""
    with closing(Journal(path)) as journal:
        made = journal.id
        journal.owe("one before", dict.fromkeys(range(1, 1201), b"x" * 900))
        journal.append([replace(row(seq), detail="x" * 700) for seq in range(1, 801)])
    spoil(path, 800)
    with file_size_limit(1_900_000), pytest.raises(JournalError, match="disk"):
        open_journal(path)
    assert [file.name for file in path.parent.iterdir()] == ["journal.db"]
    journal, _ = open_journal(path)
    with closing(journal):
        assert {other: len(rows) for other, rows in journal.owed().items()} == {"one before": 1200, made: 799}


def test_rows_are_read_where_sqlite_finds_no_way_to_them(path: Path) -> None:
    filled(path, 60, 10)
    raw = path.read_bytes()
    path.write_bytes(b"\0" * 1024 + raw[1024:])
    saved = salvage(path)
    assert saved.rows == {seq: row(seq) for seq in range(1, 61)}


def test_a_log_that_breaks_off_gives_its_rows_all_the_same(path: Path) -> None:
    """A broken byte in SQLite's log makes it forget all that was written behind it."""
    with closing(Journal(path)) as journal:
        made = journal.id
        for seq in range(1, 8):
            journal.append([row(seq)])
        files = {suffix: Path(f"{path}{suffix}").read_bytes() for suffix in ("", "-wal")}
    log = files["-wal"]
    path.write_bytes(files[""])
    Path(f"{path}-wal").write_bytes(log[:-1048] + log[-1048:].replace(row(1).boot.encode(), b"xxxx", 1))
    journal, note = open_journal(path)
    with closing(journal):
        assert journal.id == made
        assert note is None
        assert journal.rows()[-1] == row(journal.last_seq)
        assert journal.last_seq >= 6


def test_a_power_cut_between_log_and_file_brings_the_log_back(path: Path) -> None:
    with closing(Journal(path)) as journal:
        journal.append(rows(1, 4))
        files = {suffix: Path(f"{path}{suffix}").read_bytes() for suffix in ("", "-wal")}
    path.write_bytes(files[""])
    Path(f"{path}{ASIDE}1-wal").write_bytes(files["-wal"])
    path.with_name("journal.db.new").write_bytes(b"a new journal")
    journal, note = open_journal(path)
    with closing(journal):
        assert (journal.rows(), note) == (rows(1, 4), None)


def test_rows_on_both_sides_of_a_broken_one_are_saved(path: Path) -> None:
    filled(path, 9, 2)
    spoil(path, 5)
    saved = salvage(path)
    assert sorted(saved.rows) == [1, 2, 3, 4, 6, 7, 8, 9]
    assert saved.acknowledged == 2


def test_a_file_that_is_no_database_leaves_an_empty_journal(path: Path) -> None:
    path.write_bytes(b"\x00rubbish" * 5000)
    journal, note = open_journal(path)
    with closing(journal):
        assert (journal.last_seq, journal.kept()) == (0, {})
        assert note is not None
        assert "0 rows" in note
    assert (path.parent / "journal.db.aside-1").read_bytes().startswith(b"\x00rubbish")


@pytest.mark.parametrize("page", [0, 1, 2, 3, 4])
def test_a_broken_page_never_keeps_the_edge_from_starting(path: Path, page: int) -> None:
    filled(path, 400, 100)
    with path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xa5" * 4096)
    journal, _ = open_journal(path)
    with closing(journal):
        journal.append([row(journal.last_seq + 1)])


def test_damage_that_shows_while_reading(path: Path) -> None:
    filled(path, 400, 0)
    with path.open("r+b") as file:
        file.seek(6 * 4096)
        file.write(b"\xa5" * 4096)
    with closing(Journal(path)) as journal, pytest.raises(JournalDamagedError, match="damaged"):
        journal.rows()


def test_the_next_file_aside_has_the_next_number(path: Path) -> None:
    for number in (1, 2):
        path.write_bytes(b"rubbish" * 100)
        journal, _ = open_journal(path)
        journal.close()
        assert (path.parent / f"journal.db.aside-{number}").exists()


def test_a_restored_card_carries_over_what_is_chosen(path: Path) -> None:
    filled(path, 4, 2)
    with closing(Journal(path)) as journal:
        journal.append(rows(5, 7, boot="b002"))
    journal, note = renew(path, "row 90 is acknowledged, the last is 7", lambda found: found.boot == "b002")
    with closing(journal):
        assert [(found.seq, found.at) for found in journal.rows()] == [(n - 4, row(n).at) for n in (5, 6, 7)]
        assert "row 90 is acknowledged" in note


@pytest.mark.parametrize("moved", [False, True])
def test_a_power_cut_between_two_moves_loses_nothing(path: Path, moved: bool) -> None:
    filled(path, 4, 2)
    with closing(Journal(path.with_name("journal.db.new"))) as new:
        new.append(rows(1, 2))
        made = new.id
    if moved:
        os.replace(path, path.with_name("journal.db.aside-1"))
    journal, note = open_journal(path)
    with closing(journal):
        assert note is None
        assert journal.last_seq == (2 if moved else 4)
        assert (journal.id == made) is moved


def test_a_half_written_new_journal_is_begun_again(path: Path) -> None:
    filled(path, 3, 0)
    spoil(path, 3)
    path.with_name("journal.db.new").write_bytes(b"half a file")
    journal, _ = open_journal(path)
    with closing(journal):
        assert journal.unacknowledged == 2
    assert not path.with_name("journal.db.new").exists()


def test_what_is_set_aside_is_forgotten_after_30_days(path: Path) -> None:
    aside = path.with_name("journal.db.aside-1")
    aside.write_bytes(b"names")
    made = int(aside.stat().st_mtime * 1000)
    forget_aside(path, made + KEEP)
    assert aside.exists()
    forget_aside(path, made + KEEP + 2000)
    assert not aside.exists()


def test_renumbered_rows_still_settle_what_they_settled() -> None:
    tap, opened = row(7, Kind.TAP, pending=True), row(9, Kind.DOOR_OPENED, settles=7)
    assert [(found.seq, found.settles) for found in renumbered([tap, row(8), opened])] == [(1, None), (2, None), (3, 1)]
    assert [(found.seq, found.settles) for found in renumbered([row(8), opened])] == [(1, None), (2, None)]


@settings(deadline=None)
@given(st.sets(st.integers(1, 500)))
def test_renumbered_rows_have_no_gaps_and_keep_their_order(numbers: set[int]) -> None:
    given_rows = [row(seq) for seq in sorted(numbers)]
    result = renumbered(given_rows)
    assert [found.seq for found in result] == list(range(1, len(numbers) + 1))
    assert [found.at for found in result] == [found.at for found in given_rows]
