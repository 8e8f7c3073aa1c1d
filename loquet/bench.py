"""`loquet bench`: how fast is it, beside a floor measured in the same run?

Counts of SPI transfers and modelled milliseconds come from the emulated chip and are the same on every machine. The
rest is this machine's: quote the ratios. A floor is the least that the job costs without us; docs/bench.md says which.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from benches.figure import Figure, Figures, Limit
from console.errors import CommandError

PARTS = (
    *("decision", "reader", "journal", "badge to power", "edge process", "ingest", "drain"),
    *("change to edge", "enrolment", "gap to door", "revoked edge", "bank", "pages"),
)

PROMISED: dict[str, dict[str, Limit]] = {
    "decision": {
        "decide_148": Limit(10, of_ratio=True),
        "decide_100000": Limit(10, of_ratio=True),
        "decide_growth": Limit(3),
    },
    "reader": {
        "spi_empty": Limit(7),
        "spi_uid4": Limit(26),
        "read_uid4": Limit(1.25, of_ratio=True),
        "spi_uid7": Limit(48),
        "read_uid7": Limit(1.25, of_ratio=True),
        "field_to_strike_mean": Limit(15),
        "field_to_strike_worst": Limit(25),
    },
    "journal": {"journal_row": Limit(1.5, of_ratio=True)},
    "badge to power": {"badge_to_power_p99": Limit(100)},
    "edge process": {"edge_start": Limit(1.5, of_ratio=True), "edge_memory": Limit(1.4, of_ratio=True)},
    "ingest": {"ingest_row": Limit(2, of_ratio=True), "ingest_backlog": Limit(10)},
    "drain": {"drain": Limit(60)},
    "change to edge": {
        "change_to_edge_p99": Limit(50),
        "booking_to_edge_p99": Limit(50),
        "blocked_badge_p99": Limit(1000),
        "lockdown_p99": Limit(1000),
    },
    "enrolment": {"enrolment_p99": Limit(1000)},
    "gap to door": {"gap_to_door_p99": Limit(1000)},
    "revoked edge": {"revoked_edge": Limit(60)},
    "bank": {"bank_recount": Limit(2)},
    "pages": {},
}
"""Of each part. Times are promised of two shared x86 cores on which a hop through the broker takes 0.43 ms."""


def parts() -> dict[str, Callable[[], Figures]]:
    """What is measured, by the word that shows while it runs."""
    from benches import (
        bank,
        decision,
        drain,
        enrolment,
        gap,
        ingest,
        journal,
        pages,
        power,
        process,
        reader,
        revoked,
        travel,
    )

    return {
        "decision": decision.figures,
        "reader": reader.figures,
        "journal": journal.figures,
        "badge to power": power.figures,
        "edge process": process.figures,
        "ingest": ingest.figures,
        "drain": drain.figures,
        "change to edge": travel.figures,
        "enrolment": enrolment.figures,
        "gap to door": gap.figures,
        "revoked edge": revoked.figures,
        "bank": bank.figures,
        "pages": pages.figures,
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("part", nargs="*", metavar="PART", help=f"only these of: {', '.join(map(repr, PARTS))}")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a promise is missed, or not measured")
    parser.add_argument("--json", action="store_true", help="print one JSON object, name -> value, unit, floor, ratio")


def run(arguments: argparse.Namespace) -> int:
    unknown = [part for part in arguments.part if part not in PARTS]
    if unknown:
        raise CommandError(f"bench: no part is called {unknown[0]!r}: choose from {', '.join(map(repr, PARTS))}")
    measured: dict[str, Figure] = {}
    missed: list[str] = []
    for title, measure in parts().items():
        if arguments.part and title not in arguments.part:
            continue
        print(f"measuring: {title} ...", file=sys.stderr, flush=True)
        owed = dict(PROMISED.get(title, {}))
        try:
            for name, value in measure():
                measured[name], limit = value, owed.pop(name, None)
                if limit is not None and not limit.kept(value):
                    missed.append(name)
                if not arguments.json:
                    print(_line(name, value, limit), flush=True)
        except CommandError as error:  # what it needs is not there
            print(f"{title}: NOT MEASURED: {error}", file=sys.stderr, flush=True)
        missed += owed
    if arguments.json:
        print(json.dumps({name: asdict(value) for name, value in measured.items()}, indent=1))
    if arguments.check and missed:
        print(f"bench: promises missed: {', '.join(missed)}", file=sys.stderr)
        return 1
    return 0


def _line(name: str, figure: Figure, limit: Limit | None) -> str:
    line = f"{name:22} {figure.value:>10g} {figure.unit:9} floor {figure.floor:>10g}   ratio {figure.ratio:<6g}"
    if limit is not None:
        line += f"   {limit.words(figure.unit)}{'' if limit.kept(figure) else ': MISSED'}"
    return line.rstrip()
