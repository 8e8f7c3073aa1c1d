"""`loquet bundle check FILE`: does a bundle hold together? `loquet bundle schema`: its JSON Schema."""

import argparse
import json
import sys
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.errors import CommandError

if TYPE_CHECKING:
    from policy.bundle import Bundle

SCHEMA = Path("docs/bundle.schema.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    whole, printed = "say whether the file is a bundle, and what is in it", "print the JSON Schema of a bundle"
    check = commands.add_parser("check", help=whole, description=whole)
    check.add_argument("file", type=Path, metavar="FILE", help="the bundle (loquet.bundle/1)")
    commands.add_parser("schema", help=printed, description=printed)


def run(arguments: argparse.Namespace) -> int:
    """0 for a bundle that holds together. Raises CommandError for one that does not."""
    if arguments.action == "schema":
        print(json.dumps(schema(), indent=1, ensure_ascii=False, sort_keys=True))
        return 0
    bundle = read_bundle(arguments.file)
    warn(arguments.file, bundle)
    counts = {name: len(getattr(bundle, name)) for name in bundle.__struct_fields__ if name not in ("format", "site")}
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    print(f"{arguments.file}: {bundle.site.name}: {told or 'nobody and nothing yet'}: in order")
    return 0


def read_bundle(file: Path) -> "Bundle":
    """The bundle in a file, in order. Raises CommandError."""
    from zoneinfo import ZoneInfo

    from policy.errors import BundleError
    from policy.parse import parse
    from server.errors import ServerError
    from server.files import read
    from server.queries.public_holidays import holidays_of

    try:
        bundle = parse(read(file, "a bundle"), str(file), ZoneInfo)
        holidays_of(bundle.site.holidays)
    except BundleError as error:
        raise CommandError(str(error)) from None
    except ServerError as error:
        raise CommandError(f"{file}: {error}") from None
    return bundle


def warn(file: Path, bundle: "Bundle") -> None:
    """Say on standard error what will hardly be what was meant."""
    from policy.doubts import doubtful

    for doubt in doubtful(bundle):
        print(f"loquet: warning: {file}: {doubt}", file=sys.stderr)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of `loquet.bundle/1`, made from the types that read it."""
    import msgspec

    from policy.bundle import FORMAT, Bundle

    made: dict[str, Any] = tidied(msgspec.json.schema(Bundle))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FORMAT} | made


def tidied(part: Any) -> Any:
    """The same with each description as Python 3.13 and later keep a docstring: without the code's indentation."""
    if isinstance(part, list):
        return [tidied(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: cleandoc(one) if key == "description" and isinstance(one, str) else tidied(one)
        for key, one in part.items()
    }
