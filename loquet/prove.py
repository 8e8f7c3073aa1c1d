"""`loquet prove`: do we keep our promises? Each proof prints its figure last, as JSON; the first broken one fails."""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from console.errors import CommandError

if TYPE_CHECKING:
    from proofs.proof import BrokenError, Proof, Task

PROOFS = {
    "world": "site-days of a deterministic world with faults; every invariant checked as it runs",
    "planted": "bugs put back one by one: the proof that should catch each does",
    "link": "delay, loss and partition before a real broker: no relay moves, rows arrive in order, once",
    "kill": "kill -9 of edge, broker and server under load: nothing lost, nothing twice",
    "bookings": "a hundred at one instant for one slot, on both databases: one has it, the others hear what is free",
    "power-off": "an edge dies, hangs, loses clock, sensor or disk: its machine's power is gone in time",
    "fuzz": "hostile SPI answers, frames, messages and bundles: nothing opens, nothing crashes",
    "silence": "one edge's key used as badly as it can be: the other doors hear and are heard in time",
    "restore": "a server burns down: its newest copy brings back every row, in time, and no blocked badge",
    "bank": "nights of a bank of hours whose rows come late: ledger and half-days are what an independent recount says",
    "power": "power cuts that tear what was not synced: nothing lost, nothing corrupt",
    "wires": "a reader whose SPI bus turns bits over: never deaf unreported",
    "damage": "flipped bytes and torn sectors in an edge's files: it starts, decides, loses nothing that can be read",
    "forge": "mutated, older, expired and foreign messages: none is believed",
}
"""The longest first, so that all of them together end soonest."""
EVERYTHING = "all"
PROGRESS_EVERY = 5.0
"""Seconds between two lines of progress."""
LAST_WORDS = 3
"""Lines of a proof that failed which `all` ends with: of a long run often only the end is kept."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    listed = "; ".join(f"{name}: {what}" for name, what in PROOFS.items())
    parser.add_argument(
        "proof", choices=(*PROOFS, EVERYTHING), metavar="PROOF", help=f"{listed}; all: every one of them"
    )
    many = parser.add_mutually_exclusive_group()
    many.add_argument("--rounds", type=_count, metavar="N", help="how many rounds; the CI figure when left out")
    many.add_argument("--days", type=_count, metavar="N", help="the same, of a proof that counts days")
    parser.add_argument("--release", action="store_true", help="the release figure instead of the CI figure: hours")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="what the rounds are drawn from (1)")
    parser.add_argument("--first", type=int, default=0, metavar="K", help="the number of the first round (0)")
    parser.add_argument("--json", action="store_true", help="nothing but the figure on standard output")


def run(arguments: argparse.Namespace) -> int:
    """0 when every promise held, 1 at the first broken one. Raises CommandError."""
    if arguments.proof == EVERYTHING and (arguments.rounds or arguments.days or arguments.first):
        raise CommandError("all --rounds, --days, --first: what a round is differs; name one proof, or take --release")
    return _all(arguments) if arguments.proof == EVERYTHING else _prove(arguments.proof, arguments)


def _all(arguments: argparse.Namespace) -> int:
    """Each proof in a process of its own, as many at once as there are processors; what each said when it has ended."""
    words = [sys.executable, "-m", "loquet", "prove", "--seed", str(arguments.seed)]
    words += [f"--{flag}" for flag in ("release", "json") if getattr(arguments, flag)]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ended = dict(zip(PROOFS, pool.map(lambda name: _proved([*words, name]), PROOFS), strict=True))
    failed = [f"{name} (exit status {status})" for name, (status, _) in ended.items() if status]
    if failed:
        last = [line for status, lines in ended.values() if status for line in lines]
        print(*last, f"all: broken: {', '.join(failed)}", sep="\n", file=sys.stderr, flush=True)
    return int(bool(failed))


def _proved(words: list[str]) -> tuple[int, list[str]]:
    """The exit status of a proof, and its last words."""
    last: deque[str] = deque(maxlen=LAST_WORDS)
    with TemporaryFile("w+", encoding="utf-8") as figure:
        with subprocess.Popen(words, stdout=figure, stderr=subprocess.PIPE, encoding="utf-8") as child:  # noqa: S603
            for line in child.stderr or ():
                print(line, end="", file=sys.stderr, flush=True)
                last.append(line.rstrip())
        figure.seek(0)
        print(figure.read(), end="", flush=True)
    return child.returncode, list(last)


def _prove(name: str, arguments: argparse.Namespace) -> int:
    from proofs.proof import BrokenError, Task

    proof: Proof = importlib.import_module(f"proofs.{name.replace('-', '_')}").PROOF
    if arguments.days and not proof.unit.endswith("days"):
        raise CommandError(f"{name} --days {arguments.days}: it counts {proof.unit}, not days: say --rounds")
    rounds = arguments.rounds or arguments.days or (proof.release if arguments.release else proof.ci)
    task = Task(rounds, arguments.seed, arguments.first)
    started = time.monotonic()
    try:
        done, figure, broken = rounds, _watched(name, proof, task), 0
    except BrokenError as error:
        done, figure, broken = error.number - task.first + 1, str(error), 1
        _say_broken(name, proof, task.seed, error)
    if not arguments.json:
        print(f"{name}: {proof.promise}: {figure} ({time.monotonic() - started:.0f} s)")
    said = {"promise": proof.promise, "rounds": done, "broken": broken, "seed": task.seed, "figure": figure}
    print(json.dumps(said, ensure_ascii=False), flush=True)
    return broken


def _watched(name: str, proof: "Proof", task: "Task") -> str:
    """The figure, with a line of progress now and then."""
    rounds, said = proof.run(task), time.monotonic()
    while True:
        try:
            done = next(rounds)
        except StopIteration as ended:
            return str(ended.value)
        if time.monotonic() - said > PROGRESS_EVERY:
            said = time.monotonic()
            print(f"{name}: {done} of {task.rounds} {proof.unit}", file=sys.stderr, flush=True)


def _say_broken(name: str, proof: "Proof", seed: int, error: "BrokenError") -> None:
    rounds = f"--first {error.since} --rounds {error.number - error.since + 1}"
    how = "in real time, so it may hold now; try again with" if proof.real_time else "see it again with"
    again = f"{how}: loquet prove {name} --seed {seed} {rounds}"
    print(f"{name}: BROKEN: {proof.promise}: {error}\n{again}", file=sys.stderr, flush=True)


def _count(written: str) -> int:
    try:
        count = int(written)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{written!r}: write a whole number") from None
    if count < 1:
        raise argparse.ArgumentTypeError(f"{written}: at least 1")
    return count
