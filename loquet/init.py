"""`loquet init FILE`: make a site's bundle from a few answers, asked or from a file; or the invented site of the demo.

The same is asked in the browser where a server starts without a site (server/pages/first_start.py).
"""

import argparse
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.errors import CommandError
from loquet.bundle import read_bundle
from policy.calendar import WEEKDAYS
from policy.presets import PRESETS

if TYPE_CHECKING:
    from policy.bundle import AccessPoint, Bundle, Machine, Week

KEYS = frozenset({"id", "name", "timezone", "holidays", "capacity", "hours", "tiers", "doors", "machines"})


@dataclass(frozen=True, slots=True)
class Question:
    key: str
    words: str
    default: str


QUESTIONS = (
    Question("id", "Id of the site, as its keys have it", ""),
    Question("name", "What people call it", ""),
    Question("timezone", "Time zone", "Europe/Paris"),
    Question("holidays", "Public holidays of which country or region (FR, FR-57; - for none)", "FR"),
    Question("capacity", "How many people at most (- for no limit)", "-"),
    Question("tiers", f"Tiers of which kind of place ({', '.join(PRESETS)})", "coworking"),
    Question("doors", "Ids of its doors, as in edge.toml, with a blank between", "front"),
    Question("machines", "Ids of its machines (- for none)", "-"),
)
HOURS = "When the team is there on {day} (09:00-18:00, several with a comma; - for closed)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the bundle to make, for loquet server --bundle FILE")
    parser.add_argument(
        "--from", dest="answers", type=Path, metavar="ANSWERS", help="a TOML file of answers; nothing is asked then"
    )
    parser.add_argument("--demo", action="store_true", help="write the demo's invented site, Casaco; nothing is asked")


def run(arguments: argparse.Namespace) -> int:
    """Raises CommandError for answers that make no site; then FILE is not there."""
    file: Path = arguments.file
    if file.exists():
        raise CommandError(f"{file} is there already: name another file, or move it away")
    if arguments.demo:
        from simulator.demo.casaco import bundle

        made = bundle(datetime.now().astimezone().date())
    else:
        made = bundle_of(_read(arguments.answers) if arguments.answers else _asked(input))
    _write(file, made)
    print(f"{file}: {made.site.name}. See it: loquet bundle check {file}; take it: loquet server --bundle {file}")
    return 0


def bundle_of(answers: Mapping[str, Any]) -> "Bundle":
    """Raises CommandError naming the answer."""
    from policy.bundle import Bundle, Kind, Site

    if unknown := sorted(answers.keys() - KEYS):
        raise CommandError(f"{unknown[0]}: there is no such answer; known are {', '.join(sorted(KEYS))}")
    if lacking := [key for key in ("id", "name") if not answers.get(key)]:
        raise CommandError(f"{lacking[0]}: is lacking: answer it")
    preset = _text(answers, "tiers") or "coworking"
    if preset not in PRESETS:
        raise CommandError(f"tiers {preset!r}: answer one of {', '.join(PRESETS)}")
    machines = _machines(answers)
    site = Site(
        _text(answers, "id"),
        _text(answers, "name"),
        _text(answers, "timezone") or "Europe/Paris",
        holidays=_text(answers, "holidays") or None,
        capacity=_number(answers),
        staff_hours=_week(answers.get("hours", {})),
    )
    return Bundle(
        format="loquet.bundle/1",
        site=site,
        access_points=_doors(answers),
        tiers=PRESETS[preset],
        machines=machines,
        kinds=tuple(Kind(machine.kind, name=machine.name) for machine in machines),
    )


def _read(file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise CommandError(f"{file}: cannot be read ({error.strerror}): give a file of answers") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: is no TOML ({error}): mend it there") from None


def _asked(listen: Callable[[str], str]) -> Mapping[str, Any]:
    def one(words: str, default: str) -> str:
        said = listen(f"{words}{f' [{default}]' if default else ''}: ").strip() or default
        return "" if said == "-" else said

    try:
        answers: dict[str, Any] = {each.key: one(each.words, each.default) for each in QUESTIONS}
        answers["hours"] = {
            day: one(HOURS.format(day=day), "-" if day in ("sat", "sun") else "09:00-18:00") for day in WEEKDAYS
        }
    except EOFError:
        raise CommandError("the answers ended: give all of them, or a file of them with --from") from None
    for key in ("doors", "machines"):
        answers[key] = {id_: {} for id_ in answers[key].split()}
    return answers


def _text(answers: Mapping[str, Any], key: str) -> str:
    said = answers.get(key, "")
    if not isinstance(said, str):
        raise CommandError(f"{key} {said!r}: write a text in double quotes")
    return said


def _number(answers: Mapping[str, Any]) -> int | None:
    said = answers.get("capacity") or None
    if said is None or isinstance(said, int):
        return said
    if not (isinstance(said, str) and said.isdecimal()):
        raise CommandError(f"capacity {said!r}: write a number of people")
    return int(said)


def _week(said: object) -> "Week":
    if not isinstance(said, dict):
        raise CommandError(f"hours {said!r}: write a table of mon to sun")
    if odd := [day for day in said if day not in WEEKDAYS]:
        raise CommandError(f"hours {odd[0]}: write mon to sun, each with its hours")
    week: dict[Any, tuple[tuple[str, str], ...]] = {}
    for day, hours in said.items():
        parts = [part.split("-") for part in str(hours).replace(" ", "").split(",") if part]
        if any(len(part) != 2 for part in parts):
            raise CommandError(f"hours {day} {hours!r}: write them as 09:00-12:30, 14:00-18:00")
        if parts:
            week[day] = tuple((start, end) for start, end in parts)
    return week


def _doors(answers: Mapping[str, Any]) -> "tuple[AccessPoint, ...]":
    from policy.bundle import AccessPoint, Readers

    return tuple(
        AccessPoint(id_, Readers(door.get("in", f"{id_}-in"), door.get("out", f"{id_}-out") or None), door.get("name"))
        for id_, door in _tables(answers, "doors", {"in", "out", "name"})
    )


def _machines(answers: Mapping[str, Any]) -> "tuple[Machine, ...]":
    from policy.bundle import Machine

    return tuple(
        Machine(id_, id_, machine.get("reader", id_), name=machine.get("name"))
        for id_, machine in _tables(answers, "machines", {"reader", "name"})
    )


def _tables(answers: Mapping[str, Any], key: str, keys: set[str]) -> list[tuple[str, dict[str, str]]]:
    said = answers.get(key, {})
    if not isinstance(said, dict):
        raise CommandError(f"{key} {said!r}: write [{key}.ID], a table for each")
    for id_, table in said.items():
        fits = isinstance(table, dict) and all(isinstance(one, str) for one in table.values())
        if not fits or table.keys() - keys:
            raise CommandError(f"{key} {id_}: write [{key}.ID] with {', '.join(sorted(keys))}, each a text")
    return list(said.items())


def _write(file: Path, made: "Bundle") -> None:
    """The file appears when it holds together. Raises CommandError naming the mistake."""
    from policy.parse import export

    fresh = file.with_name(f"{file.name}.new")
    try:
        fresh.write_bytes(export(made))
        read_bundle(fresh)
        fresh.rename(file)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}: see to room and rights there") from None
    finally:
        fresh.unlink(missing_ok=True)
