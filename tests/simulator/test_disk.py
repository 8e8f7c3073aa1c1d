"""A disk after a power cut: what was synced is whole, of the rest anything may be there."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.disk import SECTOR, Disk, PowerCutError

LUCKS = range(200)


def after(disk: Disk, path: str) -> set[bytes | None]:
    """All that can be found there."""
    return {disk.after_cut(Random(luck)).get(path) for luck in LUCKS}


def test_what_was_synced_is_there_whatever_comes_after() -> None:
    disk = Disk({"a": b"old" * 1000})
    disk.write("a", 100, b"new" * 1000)
    disk.sync("a")
    disk.write("a", 50, b"lost")
    for found in after(disk, "a"):
        assert found is not None
        assert found[SECTOR:] == disk.read("a", SECTOR, 10_000)


def test_an_unsynced_write_may_survive_or_not_or_in_part() -> None:
    disk = Disk({"a": bytes(4 * SECTOR)})
    disk.write("a", 0, b"x" * 4 * SECTOR)
    found = after(disk, "a")
    assert {bytes(4 * SECTOR), b"x" * 4 * SECTOR} <= found
    assert any(b"x" in each and b"\0" in each for each in found if each)


def test_of_two_writes_the_later_may_survive_alone() -> None:
    disk = Disk({"a": b""})
    disk.write("a", 0, b"1" * SECTOR)
    disk.write("a", SECTOR, b"2" * SECTOR)
    assert bytes(SECTOR) + b"2" * SECTOR in after(disk, "a")


def test_a_sector_may_hold_rubbish() -> None:
    disk = Disk({"a": bytes(SECTOR * 40)})
    disk.write("a", 0, b"x" * SECTOR * 40)
    sectors = {each[at : at + SECTOR] for each in after(disk, "a") if each for at in range(0, len(each), SECTOR)}
    assert len(sectors) > 2


def test_a_truncation_is_sure_once_it_is_synced() -> None:
    disk = Disk({"a": b"abcdef"})
    disk.truncate("a", 2)
    assert after(disk, "a") == {b"abcdef", b"ab"}
    disk.sync("a")
    assert after(disk, "a") == {b"ab"}


def test_a_new_name_is_sure_once_a_journal_beside_it_is_synced_first() -> None:
    disk = Disk()
    disk.open("a")
    disk.write("a", 0, b"x")
    disk.sync("a")
    assert after(disk, "a") == {None, b"x"}
    disk.open("a-wal")
    disk.sync("a-wal")
    assert after(disk, "a") == {b"x"}


def test_a_deletion_is_sure_when_the_folder_was_synced() -> None:
    disk = Disk({"a": b"x", "b": b"y"})
    disk.delete("a", sure=False)
    assert after(disk, "a") == {None, b"x"}
    disk.delete("b", sure=True)
    assert after(disk, "a") == after(disk, "b") == {None}


def test_once_the_power_is_gone_nothing_works() -> None:
    disk = Disk({"a": b""})
    disk.cut_after = 2
    disk.write("a", 0, b"1")
    with pytest.raises(PowerCutError):
        disk.write("a", 1, b"2")
    assert disk.dead
    for work in (lambda: disk.sync("a"), lambda: disk.write("a", 2, b"3"), lambda: disk.delete("a", sure=True)):
        with pytest.raises(PowerCutError):
            work()
    assert b"123" not in after(disk, "a")


@given(st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=700)), max_size=8), st.integers())
def test_the_same_luck_gives_the_same_disk(writes: list[tuple[int, bytes]], luck: int) -> None:
    def found() -> dict[str, bytes]:
        disk = Disk({"a": b"first"})
        for offset, data in writes:
            disk.write("a", offset, data)
        return disk.after_cut(Random(luck))

    assert found() == found()
