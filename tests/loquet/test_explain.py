"""`loquet explain` and `loquet bundle`: why, in words; and whether a bundle holds together."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from loquet.ask import explained
from loquet.ask.explain import LINES
from loquet.bundle import SCHEMA, schema
from loquet.main import main
from policy import door, machine

SCENARIOS = Path(__file__).parents[1] / "scenarios"


@pytest.fixture
def evening(tmp_path: Path) -> Path:
    file = tmp_path / "evening.json"
    file.write_text(json.dumps(json.loads((SCENARIOS / "evening-with-a-gardien.json").read_text())["bundle"]))
    return file


@pytest.fixture
def fablab(tmp_path: Path) -> Path:
    file = tmp_path / "fablab.json"
    file.write_text(json.dumps(json.loads((SCENARIOS / "cnc-afternoon.json").read_text())["bundle"]))
    return file


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_a_refusal_is_explained_up_to_the_line_that_decides(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "explain", str(evening), "--tap", "front-in", "04B10000", "--at", "2026-11-24T18:30")
    asked, verdict = out.splitlines()[-2:]
    assert asked.startswith("11  rien n’ouvre à ce membre maintenant : oui (formule : quand l’équipe est là, ")
    assert asked.endswith("; tenu par : personne; vaut : rien)")
    assert verdict == "=> refusé outside_hours"
    assert "Badge 04B10000 : Brigitte (brigitte, nomad)" in out
    assert "Instant 2026-11-24 18:30:00 CET (2026-11-24T17:30:00.000Z)" in out


def test_a_gardien_inside_changes_the_answer(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["explain", str(evening), "--tap", "front-in", "04B10000", "--at", "2026-11-24T18:30", "--lang", "en"]
    out = said(capsys, *asked, "--inside", "gregoire")
    line = "14  something lets the member in : yes (plan: while the team is there, while a gardien is there; held by: "
    assert f"{line}Grégoire; holds: gardien_present)\n=> granted gardien_present\n" in out


def test_a_machine_says_until_when_and_what_is_left(fablab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--tap", "cnc", "04B10000", "--at", "2026-11-25T14:10+01:00", "--inside", "brigitte", "remy"]
    out = said(capsys, "explain", str(fablab), *asked)
    assert "17  quota utilisé : non (il reste 7200 s sur 7200 (semaine))" in out
    assert out.splitlines()[-1] == "=> accordé booking, jusqu’à 2026-11-25T15:10:00.000Z"


def test_a_carnet_says_what_is_left_and_the_way_out_asks_nothing(
    evening: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["--at", "2026-11-24T10:00"]
    assert "(il en reste 2 ; celle qui commence à 04:00 est payée : non)" in said(
        capsys, "explain", str(evening), "--tap", "front-in", "04D40000", *at
    )
    assert said(capsys, "explain", str(evening), "--tap", "front-out", "DEADBEEF", *at).endswith("=> accordé egress\n")


def test_lockdown_can_be_supposed(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["explain", str(evening), "--tap", "front-in", "04B10000", "--at", "2026-11-24T10:00", "--lockdown"]
    assert said(capsys, *asked).splitlines()[-1] == "=> refusé lockdown"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--tap", "attic", "04B10000", "--at", "2026-11-24T10:00"], "--tap attic: no such reader"),
        (["--tap", "front-in", "04B1", "--at", "2026-11-24T10:00"], "--tap 04B1"),
        (["--tap", "front-in", "04B10000", "--at", "noon"], "--at noon"),
        (["--tap", "front-in", "04B10000", "--at", "2026-11-24T10:00", "--inside", "nobody"], "--inside nobody"),
    ],
)
def test_what_cannot_be_asked(evening: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str) -> None:
    assert main(["explain", str(evening), *more]) == 2
    assert words in capsys.readouterr().err


def test_every_line_of_both_tables_has_words() -> None:
    assert {line.applies.__name__ for line in (*door.LINES, *machine.LINES)} == set(LINES)


def test_every_line_says_on_what_facts_in_both_languages() -> None:
    assert set(explained._SAID) == set(LINES)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_facts_of_a_refusal_are_those_of_the_member(
    fablab: Path, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    """Each line of the machine's table, up to the one that decides, carries its facts."""
    asked = [
        "--tap",
        "cnc",
        "04B10000",
        "--at",
        "2026-11-25T14:10+01:00",
        "--inside",
        "brigitte",
        "remy",
        "--lang",
        lang,
    ]
    lines = said(capsys, "explain", str(fablab), *asked).splitlines()[4:-1]
    assert len(lines) == len(machine.LINES)
    assert all(line.endswith(")") for line in lines)
    facts = {line.split()[0]: line for line in lines}
    assert "Brigitte, 14:00-15:30" in facts["16"]
    assert ("2 à l’intérieur, il en faut 2" if lang == "fr" else "2 inside, 2 wanted") in facts["15"]
    assert ("mer 09:00-20:00" if lang == "fr" else "wed 09:00-20:00") in facts["13"]


def test_a_badge_that_can_never_match_is_warned_of(fablab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = json.loads(fablab.read_text())
    bundle["credentials"][1]["uid"] = "08:11:22:33"
    fablab.write_text(json.dumps(bundle))
    assert main(["bundle", "check", str(fablab)]) == 0
    warned = capsys.readouterr().err
    assert warned.startswith(f"loquet: warning: {fablab}: credentials[1].uid (of ")
    assert "drawn anew at each tap" in warned


def test_every_mistake_is_told_at_once(fablab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = json.loads(fablab.read_text())
    bundle["credentials"][1]["uid"] = "08"
    bundle["members"][0]["tier"] = "nobody's"
    fablab.write_text(json.dumps(bundle))
    assert main(["bundle", "check", str(fablab)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert f"{fablab}: members[0].tier (of " in first
    assert f"{fablab}: credentials[1].uid (of " in second


@pytest.mark.parametrize("written", ["04B10000", "04:b1:00:00", "0x04 0xB1 0x00 0x00", "04-B1-00-00"])
def test_a_badge_is_asked_about_as_it_is_written(
    written: str, evening: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(capsys, "explain", str(evening), "--tap", "front-in", written, "--at", "2026-11-24T18:30")
    assert out.startswith("Badge 04B10000 : Brigitte (brigitte, nomad)")


def test_a_bundle_is_checked(fablab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "6 members, 6 credentials" in said(capsys, "bundle", "check", str(fablab))
    fablab.write_text(fablab.read_text().replace('"tier": "nomad"', '"tier": "monad"', 1))
    assert main(["bundle", "check", str(fablab)]) == 2
    assert "members[0].tier" in capsys.readouterr().err
    assert main(["bundle", "check", "nowhere.json"]) == 2


def test_the_schema_is_published_and_takes_the_examples() -> None:
    published = json.loads((Path(__file__).parents[2] / SCHEMA).read_text())
    assert published == json.loads(json.dumps(schema())), "renew it: loquet bundle schema > docs/bundle.schema.json"
    validator = Draft202012Validator(published)
    for file in SCENARIOS.glob("*.json"):
        validator.validate(json.loads(file.read_text())["bundle"])


def test_holidays_of_nowhere_are_refused_by_file(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = json.loads(evening.read_text())
    bundle["site"]["holidays"] = "XX"
    evening.write_text(json.dumps(bundle))
    asked = ["explain", str(evening), "--tap", "front-in", "04B10000", "--at", "2026-11-24T18:30"]
    for arguments in (["bundle", "check", str(evening)], asked):
        assert main(arguments) == 2
        assert f"{evening}: site.holidays 'XX': not known" in capsys.readouterr().err


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_an_instant_that_nobody_can_mean(evening: Path, capsys: pytest.CaptureFixture[str], at: str) -> None:
    assert main(["explain", str(evening), "--tap", "front-in", "04B10000", "--at", at]) == 2
    assert f"--at {at}: write a year from 1900 to 2999" in capsys.readouterr().err


def test_an_hour_that_the_clocks_skip_cannot_be_asked(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["explain", str(evening), "--tap", "front-in", "04B10000", "--at"]
    assert main([*asked, "2026-03-29T02:30"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert (
        "--at 2026-03-29T02:30: the clocks of Europe/Paris skip this hour, they jump to 2026-03-29T03:00:00+02:00"
        in (told.err)
    )
    for near in ("2026-03-29T01:59", "2026-03-29T03:00", "2026-03-29T02:30+01:00"):
        assert main([*asked, near]) == 0
        assert capsys.readouterr().err == ""


def test_of_an_hour_that_comes_twice_the_first_is_taken_and_said(
    evening: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["explain", str(evening), "--tap", "front-in", "04B10000", "--at"]
    assert main([*asked, "2026-10-25T02:30"]) == 0
    told = capsys.readouterr()
    assert "2026-10-25 02:30:00 CEST (2026-10-25T00:30:00.000Z)" in told.out
    assert told.err == (
        "loquet explain: --at 2026-10-25T02:30: the clocks of Europe/Paris show this hour twice; taken is the first, "
        "2026-10-25T02:30:00+02:00; the other is --at 2026-10-25T02:30:00+01:00\n"
    )
    for plain, instant in (
        ("2026-10-25T02:30:00+01:00", "02:30:00 CET (2026-10-25T01:30:00.000Z)"),
        ("2026-10-25T01:59", "01:59:00 CEST (2026-10-24T23:59:00.000Z)"),
        ("2026-10-25T03:00", "03:00:00 CET (2026-10-25T02:00:00.000Z)"),
    ):
        assert main([*asked, plain]) == 0
        told = capsys.readouterr()
        assert instant in told.out
        assert told.err == ""
