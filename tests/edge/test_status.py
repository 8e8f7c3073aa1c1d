"""What an edge says of itself, and where it looks for it."""

import os
from pathlib import Path

import pytest

from console.wear import wear
from edge.config import load
from edge.status import Health, Vitals, farewell, vitals
from policy.instants import LATEST
from policy.ruleset import SPEAKS
from policy.terms import ClockState
from tests.support_edge import TOPICS, make_folder
from tests.support_site import at
from wire.envelope import unseal
from wire.messages import Status, decode, encode


def test_the_machine_tells_its_heat_and_its_room(tmp_path: Path) -> None:
    sensor = tmp_path / "temp"
    sensor.write_text("48312\n")
    measured = vitals(tmp_path / "journal.db", sensor)
    assert measured.temperature == 48.312
    assert measured.free_disk is not None
    assert measured.free_disk > 0


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    assert vitals(tmp_path / "nowhere" / "journal.db", tmp_path / "no sensor") == Vitals(None, None)
    (tmp_path / "temp").write_text("warm")
    assert vitals(tmp_path / "journal.db", tmp_path / "temp").temperature is None


@pytest.mark.parametrize(
    ("life", "used"),
    [("0x01 0x03\n", 30), ("0x0b 0x01", 110), ("0x00 0x00", None), ("soon", None), ("", None), (None, None)],
)
def test_a_card_tells_its_wear_where_the_kernel_does(tmp_path: Path, life: str | None, used: int | None) -> None:
    """As /sys shows a soldered card: a link by number to the partition, in the folder of its disk."""
    disk, lies_on = tmp_path / "mmcblk0", os.stat(tmp_path).st_dev
    for folder in (disk / "device", disk / "mmcblk0p2", tmp_path / "block"):
        folder.mkdir(parents=True)
    (disk / "mmcblk0p2/partition").write_text("2\n")
    if life is not None:
        (disk / "device/life_time").write_text(life)
    assert wear(tmp_path, tmp_path / "block") is None
    (tmp_path / f"block/{os.major(lies_on)}:{os.minor(lies_on)}").symlink_to(disk / "mmcblk0p2")
    assert wear(tmp_path, tmp_path / "block") == used


def health() -> Health:
    known = Health("0.1.0", lambda: Vitals(48.0, 900, 20), {"front-in": None}, boot="b1")
    known.certificate, known.rules_until = LATEST, at(10)
    return known


def test_the_message_of_an_edge_that_is_well() -> None:
    status = health().status(at(10), ClockState.RTC, 3)
    assert status == Status(
        online=True,
        at="2026-11-24T09:00:00.000Z",
        software="0.1.0",
        clock=ClockState.RTC,
        readers={"front-in": None},
        unacknowledged=3,
        temperature=48.0,
        free_disk=900,
        boot="b1",
        speaks=SPEAKS,
        wear=20,
        certificate_until="2099-12-31T00:00:00.000Z",
        rules_until="2026-11-24T09:00:00.000Z",
    )
    assert decode(Status, encode(status), "here") == status


def test_what_was_said_does_not_change_afterwards() -> None:
    known = health()
    status = known.status(at(10), ClockState.SYNCED, 0)
    known.readers["front-in"] = "silent"
    assert status.readers == {"front-in": None}


def test_the_journals_fault_says_what_it_cost() -> None:
    known = health()
    assert known.journal_fault is None
    known.trouble = "the disk is full"
    assert known.journal_fault == "the disk is full"
    known.unrecorded = 4
    assert known.journal_fault == "the disk is full; 4 events could not be recorded"
    known.trouble = None
    assert known.journal_fault == "4 events could not be recorded"


def test_what_is_worth_a_message() -> None:
    known, keys = health(), []
    keys.append(known.key(ClockState.SYNCED))
    keys.append(known.key(ClockState.UNKNOWN))
    known.readers["front-in"] = "silent"
    keys.append(known.key(ClockState.SYNCED))
    known.rules_version = 7
    keys.append(known.key(ClockState.SYNCED))
    known.trouble = "full"
    keys.append(known.key(ClockState.SYNCED))
    assert len(set(keys)) == 5


def test_an_edge_that_is_gone_says_no_more_than_that(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "site")
    topic, payload = farewell(load(folder.config), at(10))
    assert topic == TOPICS.status("front")
    said = unseal(folder.own.public_key(), "front", topic, payload)
    assert said == b'{"online":false,"at":"2026-11-24T09:00:00.000Z"}'
