"""`loquet bench`: how fast is it, beside a floor measured in the same run?

Counts of SPI transfers and modelled milliseconds come from the emulated chip and are the same on every machine. The
rest is this machine's: quote the ratios. A floor is the least that the job costs without us; docs/bench.md says which.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from loquet.benches.figure import Figure, Figures
from loquet.main import CommandError

PARTS = ("decision", "reader", "journal", "edge process", "ingest", "drain", "change to edge", "revoked edge")


def parts() -> dict[str, Callable[[], Figures]]:
    """What is measured, by the word that shows while it runs."""
    from loquet.benches import decision, drain, ingest, journal, process, reader, revoked, travel

    return {
        "decision": decision.figures,
        "reader": reader.figures,
        "journal": journal.figures,
        "edge process": process.figures,
        "ingest": ingest.figures,
        "drain": drain.figures,
        "change to edge": travel.figures,
        "revoked edge": revoked.figures,
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("part", nargs="*", metavar="PART", help=f"only these of: {', '.join(map(repr, PARTS))}")
    parser.add_argument("--json", action="store_true", help="print one JSON object, name -> value, unit, floor, ratio")


def run(arguments: argparse.Namespace) -> int:
    unknown = [part for part in arguments.part if part not in PARTS]
    if unknown:
        raise CommandError(f"bench: no part is called {unknown[0]!r}: choose from {', '.join(map(repr, PARTS))}")
    measured: dict[str, Figure] = {}
    for title, measure in parts().items():
        if arguments.part and title not in arguments.part:
            continue
        print(f"measuring: {title} ...", file=sys.stderr, flush=True)
        try:
            for name, value in measure():
                measured[name] = value
                if not arguments.json:
                    print(_line(name, value), flush=True)
        except CommandError as error:  # what it needs is not there
            print(f"{title}: NOT MEASURED: {error}", file=sys.stderr, flush=True)
    if arguments.json:
        print(json.dumps({name: asdict(value) for name, value in measured.items()}, indent=1))
    return 0


def _line(name: str, figure: Figure) -> str:
    return f"{name:22} {figure.value:>10g} {figure.unit:9} floor {figure.floor:>10g}   ratio {figure.ratio:g}"
