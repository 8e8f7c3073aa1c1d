"""Does hostile input open nothing and crash nothing? On the SPI bus, in the field, over MQTT, in a bundle file.

One input is one hostile thing: a chip, a card, a message, a file.
"""

import logging
from collections import Counter
from collections.abc import Callable, Generator
from random import Random

from proofs.proof import BrokenError, Proof, Rounds, Task

Attack = Callable[[Random], str | None]
SHARES = {"frames": 700, "bus": 270, "messages to the edge": 15, "messages to the server": 10, "bundles": 5}
"""Of 1,000 inputs: the cheap ones are tried more often."""
TOLD_EVERY = 100


def run(task: Task) -> Rounds:
    from proofs.attacked import bundle
    from proofs.hostile_bundles import Bundles
    from proofs.hostile_messages import Messages
    from proofs.hostile_radio import Radios

    logging.disable(logging.ERROR)  # what is refused is said once and counted; here that would be a flood
    radios, messages = Radios(), Messages()
    attacks: dict[str, Attack] = {
        "frames": radios.frames,
        "bus": radios.bus,
        "messages to the edge": messages.to_edge,
        "messages to the server": messages.to_server,
        "bundles": Bundles(bundle()).file,
    }
    try:
        counted = yield from _inputs(task, attacks)
    finally:
        messages.close()
        logging.disable(logging.NOTSET)
    shares = ", ".join(f"{counted[name]} {name}" for name in SHARES)
    return f"{task.rounds} hostile inputs ({shares}): 0 opened, 0 crashed"


def _inputs(task: Task, attacks: dict[str, Attack]) -> Generator[int, None, Counter[str]]:
    names, weights = list(SHARES), list(SHARES.values())
    counted: Counter[str] = Counter()
    for done, number in enumerate(task.numbers, 1):
        luck = task.random(number)
        (name,) = luck.choices(names, weights)
        counted[name] += 1
        try:
            wrong = attacks[name](luck)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            since = task.first if name.startswith("messages") else number  # they all come to one site
            raise BrokenError(number, f"{name}: {wrong}", since)
        if done % TOLD_EVERY == 0:
            yield done
    return counted


PROOF = Proof("hostile input opens nothing and crashes nothing", "inputs", ci=1_000_000, release=100_000_000, run=run)
