"""What would other rules have done? A day of the demo's people, decided again under changed bundles."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from loquet.main import main
from policy.bundle import Bundle, Certification, Machine, Pattern
from policy.instants import text
from policy.parse import export
from policy.reasons import Reason
from policy.terms import HOUR
from server.models import Edge
from simulator.demo.casaco import bundle, first_day
from tests.flow.test_day import Lived
from tests.support_server import Desk, Journal, site_database, small_bundle
from tests.support_site import at
from wire.row import Kind, Order

TUESDAY = first_day(date(2026, 11, 23))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    lived = Lived(tmp_path_factory.mktemp("history"), 5)
    with closing(lived.world):
        yield lived


def asked(lived: Lived, changed: Bundle, folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> list[dict]:
    file = folder / "changed.json"
    file.write_bytes(export(changed))
    database = str(lived.world.server.database.url.database)
    assert main(["replay", "--history", database, "--bundle", str(file), *more]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_same_rules_change_nothing(lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (summary,) = asked(lived, bundle(TUESDAY), tmp_path, capsys)
    assert summary["summary"]["differ"] == 0
    assert summary["summary"]["taps"] == len(lived.passages()) > 150


def test_shorter_hours_turn_people_away(lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = bundle(TUESDAY)
    week = dict.fromkeys(site.site.staff_hours, (("10:00", "17:00"),))
    *lines, summary = asked(lived, replace(site, site=replace(site.site, staff_hours=week)), tmp_path, capsys)
    assert len(lines) == summary["summary"]["differ"] > 5
    assert set(summary["summary"]["changes"]) == {"staffed_hours -> outside_hours"}
    for line in lines:
        assert (line["was"]["reason"], line["would_be"]["reason"]) == ("staffed_hours", "outside_hours")
    assert summary["summary"]["members"] == len({line["member"] for line in lines})


def test_a_part_of_the_day_can_be_asked(lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    midday = lived.start // HOUR * HOUR + 4 * HOUR
    (before,) = asked(lived, bundle(TUESDAY), tmp_path, capsys, "--until", text(midday))
    (after,) = asked(lived, bundle(TUESDAY), tmp_path, capsys, "--since", text(midday))
    assert before["summary"]["taps"] > 0 < after["summary"]["taps"]
    assert before["summary"]["taps"] + after["summary"]["taps"] == len(lived.passages())


def test_what_no_bundle_decided_stays_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal()
    journal.tap_in(at(10), "remy", Reason.LOCKDOWN, granted=False)
    journal.tap_in(at(11), "remy", Reason.RULES_STALE, granted=False)
    journal.enters(at(12), "remy", Reason.ALWAYS)
    with closing(site_database(tmp_path)) as database:
        Desk(database).take(journal.rows)
    (tmp_path / "same.json").write_bytes(export(small_bundle()))
    asked = ["replay", "--history", str(tmp_path / "loquet.db"), "--bundle", str(tmp_path / "same.json")]
    assert main(asked) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]
    assert (summary["taps"], summary["changes"]) == (3, {})


@pytest.mark.parametrize(
    ("gardien", "refused", "evenings"),
    [
        ("gregoire", [], {"held": 1, "not_held": 0, "without_gardien": 0}),
        ("alice", ["brigitte"], {"held": 0, "not_held": 1, "without_gardien": 0}),
        (None, ["brigitte"], {"held": 0, "not_held": 0, "without_gardien": 1}),
    ],
)
def test_another_rota_says_who_would_not_have_come_in_and_which_evenings_were_held(
    gardien: str | None,
    refused: list[str],
    evenings: dict[str, int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    journal, site = Journal(), small_bundle()
    journal.enters(at(17, 20), "remy", Reason.ALWAYS)
    journal.enters(at(17, 50), "gregoire", Reason.OWN_SHIFT)
    journal.enters(at(19), "brigitte", Reason.GARDIEN_PRESENT)
    journal.leaves(at(22, 5), "remy")
    with closing(site_database(tmp_path)) as database:
        Desk(database).take(journal.rows)
    rota = (Pattern("mardi", "tue", "18:00", "22:00", gardien=gardien),)
    (tmp_path / "other.json").write_bytes(export(replace(site, shifts=(), rota=rota)))
    assert main(["replay", "--history", str(tmp_path / "loquet.db"), "--bundle", str(tmp_path / "other.json")]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]
    assert (set(refused) <= set(summary["refused"]), summary["admitted"]) == (True, [])
    assert ("brigitte" in summary["refused"], summary["evenings"]) == (bool(refused), evenings)


STOPS: dict[str, tuple[Kind, dict[str, Any]]] = {
    "emergency stop": (Kind.ESTOP, {}),
    "lock-out": (Kind.COMMAND, {"order": Order.LOCK_OUT, "granted": True, "nonce": "n"}),
}


def stopped(folder: Path, kind: Kind, more: dict[str, Any]) -> Bundle:
    """A morning at the printer: Rémy runs it, it is stopped at 10:20, he is refused, Alice resets it, he goes on."""
    site = small_bundle()
    site = replace(
        site,
        machines=(Machine(id="printer", kind="printer", reader="printer-tap"),),
        certifications=(Certification(member="remy", kind="printer"),),
    )
    journal, taps = Journal(), {"access_point": "printer", "reader": "printer-tap"}
    journal.enters(at(10), "remy", Reason.ALWAYS)
    journal.enters(at(10, 1), "alice", Reason.STAFF)
    journal.add(at(10, 5), Kind.COMMAND, access_point="printer", order=Order.LOCK_OUT, granted=False, nonce="m")
    for minute, member, reason in (
        (10, "remy", Reason.WALK_UP),
        (20, None, None),
        (30, "remy", Reason.MACHINE_LOCKED_OUT),
        (40, "alice", Reason.MACHINE_RESET),
        (50, "remy", Reason.WALK_UP),
    ):
        if reason is None:
            journal.add(at(10, minute), kind, access_point="printer", **more)
        else:
            granted = reason is not Reason.MACHINE_LOCKED_OUT
            said = {"credential": f"hash of {member}", "member": member, "granted": granted, "reason": reason}
            journal.add(at(10, minute), Kind.TAP, **taps, **said)
        if reason is Reason.MACHINE_RESET:
            journal.add(at(10, minute), Kind.MACHINE_RESET, access_point="printer", member=member)
    with closing(site_database(folder, site)) as database:
        with database.transaction() as session:
            session.get_one(Edge, "front").access_points = ["front", "printer"]
        Desk(database).take(journal.rows)
    return site


def changes(folder: Path, site: Bundle, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, int]:
    (folder / "changed.json").write_bytes(export(site))
    asked = ["replay", "--history", str(folder / "loquet.db"), "--bundle", str(folder / "changed.json"), *more]
    assert main(asked) == 0
    found: dict[str, int] = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]["changes"]
    return found


@pytest.mark.parametrize("stop", STOPS)
def test_a_machine_that_was_stopped_stays_so_until_it_is_reset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stop: str
) -> None:
    site = stopped(tmp_path, *STOPS[stop])
    assert changes(tmp_path, site, capsys) == {}
    assert changes(tmp_path, site, capsys, "--since", text(at(10, 25)), "--until", text(at(10, 35))) == {}
    later = changes(tmp_path, site, capsys, "--since", text(at(10, 45)))
    assert later == {"walk_up -> not_inside": 1}  # nobody is known to be inside who came before


def test_who_may_not_reset_it_any_more_leaves_it_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = stopped(tmp_path, *STOPS["emergency stop"])
    members = tuple(replace(member, roles=()) for member in site.members)
    assert changes(tmp_path, replace(site, members=members), capsys) == {
        "machine_reset -> machine_locked_out": 1,
        "staff -> always": 1,
        "walk_up -> machine_locked_out": 1,
    }


BETWEEN: dict[str, tuple[dict[str, Any] | None, str, int]] = {
    "nothing": (None, "boot", 1),
    "a tap at a machine of the same edge": (
        {"access_point": "printer", "reader": "printer-tap", "credential": "x", "granted": False,
         "reason": Reason.UNKNOWN_CREDENTIAL}, "boot", 0),
    "a power cut": (None, "another boot", 0),
}  # fmt: skip


@pytest.mark.parametrize("between", BETWEEN)
def test_a_pair_of_taps_opens_if_nothing_came_between(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], between: str
) -> None:
    """At seven nobody holds the place; under the changed bundle a gardien may without a shift."""
    what, boot, opened = BETWEEN[between]
    site = replace(small_bundle(), machines=(Machine(id="printer", kind="printer", reader="printer-tap"),))
    journal = Journal()
    journal.tap_in(at(7), "gregoire", Reason.OUTSIDE_HOURS, granted=False)
    if what is not None:
        journal.add(at(7, 0, 2), Kind.TAP, **what)
    second = journal.tap_in(at(7, 0, 4), "gregoire", Reason.OUTSIDE_HOURS, granted=False)
    journal.rows[-1] = replace(second, boot=boot)
    with closing(site_database(tmp_path, site)) as database:
        with database.transaction() as session:
            session.get_one(Edge, "front").access_points = ["front", "printer"]
        Desk(database).take(journal.rows)
    changed = replace(site, site=replace(site.site, adhoc_hours=2))
    assert changes(tmp_path, changed, capsys) == ({"outside_hours -> own_shift": 1} if opened else {})


SPAN = ("--history", "x.db", "--bundle", "{bundle}", "--since")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--history", "nowhere.db"], "--history needs --bundle"),
        (["--history", "nowhere.db", "--bundle", "{bundle}"], "nowhere.db: no such file"),
        (["--history", "{bundle}", "--bundle", "{bundle}"], "not a database of Loquet"),
        (["--history", "{bundle}", "--bundle", "nowhere.json"], "nowhere.json: cannot be read"),
        (["--history", "x.db", "--bundle", "{bundle}", "--since", "tuesday"], "--since 'tuesday'"),
        (
            [*SPAN, "2026-11-25T00:00Z", "--until", "2026-11-24T00:00Z"],
            "--since 2026-11-25T00:00Z is not before --until ",
        ),
        ([*SPAN, "2026-11-24T01:00+01:00", "--until", "2026-11-24T00:00Z"], "before --until 2026-11-24T00:00Z: no tap"),
        ([*SPAN, "0001-01-01T00:00+14:00"], "--since '0001-01-01T00:00+14:00': write a year from 1900 to 2999"),
        ([], "name one scenario or more"),
        (["story.json", "--bundle", "{bundle}"], "goes with --history DATABASE only"),
        (["story.json", "--since", "2026-01-01"], "--since 2026-01-01: goes with --history DATABASE only"),
        (["story.json", "--until", "2026-01-01"], "--until 2026-01-01: goes with --history DATABASE only"),
    ],
)
def test_what_cannot_be_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    file = tmp_path / "bundle.json"
    file.write_bytes(export(bundle(TUESDAY)))
    assert main(["replay", *(a.replace("{bundle}", str(file)) for a in arguments)]) == 2
    assert words in capsys.readouterr().err
