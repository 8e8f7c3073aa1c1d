"""What would other rules have done? A day of the demo's people, decided again under changed bundles."""

import json
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from loquet.main import main
from policy.bundle import Bundle
from policy.instants import text
from policy.parse import export
from policy.reasons import Reason
from policy.terms import HOUR
from simulator.casaco import bundle, first_day
from tests.flow.test_day import Lived
from tests.support_server import Desk, Journal, site_database, small_bundle
from tests.support_site import at

TUESDAY = first_day(date(2026, 11, 23))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return Lived(tmp_path_factory.mktemp("history"), 5)


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
