"""`loquet explain BUNDLE --tap READER UID --at INSTANT`: the lines of the table in order, and which one decided."""

import argparse
import sys
from pathlib import Path

from console.errors import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the rules that are asked (loquet.bundle/1)")
    parser.add_argument("--tap", nargs=2, required=True, metavar=("READER", "UID"), help="which badge, where")
    parser.add_argument("--at", required=True, metavar="INSTANT", help="ISO instant with offset, or local to the site")
    parser.add_argument("--inside", nargs="*", default=[], metavar="MEMBER", help="who is inside then")
    parser.add_argument("--lockdown", action="store_true", help="as if the site were locked down")
    parser.add_argument("--lang", choices=("fr", "en"), default="fr", help="language of the explanation")


def run(arguments: argparse.Namespace) -> int:
    """0; the decision is in what is printed. Raises CommandError for what cannot be asked."""
    from loquet.ask.explain import ExplainError, Question, explain

    reader, uid = arguments.tap
    question = Question(
        arguments.bundle, reader, uid, arguments.at, tuple(arguments.inside), arguments.lockdown, arguments.lang
    )
    try:
        for line in explain(question, lambda said: print(f"loquet explain: {said}", file=sys.stderr)):
            print(line)
    except ExplainError as error:
        raise CommandError(str(error)) from None
    return 0
