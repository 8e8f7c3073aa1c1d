"""`loquet replay FILE...`: play scenarios in virtual time, or decide a history again under a changed bundle."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.errors import CommandError

if TYPE_CHECKING:
    from loquet.ask.scenario import Story


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="scenarios (loquet.scenario/1)")
    parser.add_argument("--history", type=Path, metavar="DATABASE", help="decide the taps recorded there again")
    parser.add_argument("--bundle", type=Path, metavar="CHANGED.json", help="with --history: under these rules")
    parser.add_argument("--since", metavar="INSTANT", help="with --history: from this instant on (ISO, with offset)")
    parser.add_argument("--until", metavar="INSTANT", help="with --history: before this instant, later than --since")


def run(arguments: argparse.Namespace) -> int:
    """0 when every expectation holds, 1 when one does not, 2 when a file is not valid; the others are played."""
    if arguments.history is not None:
        from loquet.ask.history import what_if

        return what_if(arguments)
    for flag in ("bundle", "since", "until"):
        if getattr(arguments, flag) is not None:
            raise CommandError(f"--{flag} {getattr(arguments, flag)}: goes with --history DATABASE only")
    if not arguments.files:
        raise CommandError("name one scenario or more, or give --history DATABASE --bundle CHANGED.json")
    return play(arguments.files)


def play(files: list[Path]) -> int:
    """Play each file; its lines go to standard output, what did not hold or is not valid to standard error.

    All are read first: what is not valid is named at once, before the server's parts are loaded.
    """
    from loquet.ask.scenario import ScenarioError, load

    stories: list[Story] = []
    for file in files:
        try:
            stories.append(load(file))
        except ScenarioError as error:
            print(f"loquet replay: {error}", file=sys.stderr)
    invalid = len(files) - len(stories)
    failed, unanswerable = _played(stories) if stories else (0, 0)
    return 2 if invalid or unanswerable else 1 if failed else 0


def _played(stories: "list[Story]") -> tuple[int, int]:
    """How many expectations did not hold, and how many stories asked what the site cannot answer."""
    from loquet.ask.replay import Desk
    from loquet.ask.replay_answers import ReplayError

    failed = unanswerable = 0
    with Desk() as desk:
        for story in stories:
            try:
                for line, failures in desk.play(story):
                    print(json.dumps(line, ensure_ascii=False))
                    failed += len(failures)
                    _complain(failures)
            except ReplayError as error:
                unanswerable += 1
                print(f"loquet replay: {error}", file=sys.stderr)
    return failed, unanswerable


def _complain(failures: Iterator[Any] | list[Any]) -> None:
    for failure in failures:
        print(failure, file=sys.stderr)
