"""`loquet replay --history`: decide recorded taps again under a changed bundle, and list each that differs."""

import argparse
import json
import sys
from pathlib import Path

from console.errors import CommandError
from policy.errors import BundleError
from policy.instants import meant
from policy.terms import Instant


def what_if(arguments: argparse.Namespace) -> int:
    """0, whatever differs. Raises CommandError for a database or a bundle that cannot be used."""
    from server.queries.what_if import WhatIfError, decide_again

    if arguments.bundle is None or arguments.files:
        raise CommandError("--history needs --bundle CHANGED.json, and no scenarios")
    try:
        since, until = _span(arguments.since, arguments.until)
        for line in decide_again(arguments.history, _text(arguments.bundle), str(arguments.bundle), since, until):
            print(json.dumps(line, ensure_ascii=False))
    except WhatIfError as error:
        raise CommandError(str(error)) from None
    sys.stdout.flush()
    return 0


def _text(file: Path) -> bytes:
    from server.files import read

    try:
        return read(file, "a bundle")
    except BundleError as error:
        raise CommandError(str(error)) from None


def _span(first: str | None, last: str | None) -> tuple[Instant | None, Instant | None]:
    since, until = _instant("--since", first), _instant("--until", last)
    if since is not None and until is not None and since >= until:
        raise CommandError(
            f"--since {first} is not before --until {last}: no tap is between them; exchange or mend them"
        )
    return since, until


def _instant(name: str, written: str | None) -> Instant | None:
    if written is None:
        return None
    try:
        return meant(written)
    except ValueError as error:
        raise CommandError(f"{name} {written!r}: {error}") from None
