"""Do the product and the independent reading agree? Random stories, played by both, compared step by step.

`python -m tests.oracle.compare 10000 [first seed]`: any number; prints the first story that differs and how to see it.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loquet.ask.replay import Desk
from loquet.ask.scenario import read as parse_story
from tests.oracle.bank_stories import bank_story
from tests.oracle.knowledge import Thing
from tests.oracle.reading import read
from tests.oracle.stories import story


def differences(desk: Desk, seed: int, told: Callable[[int], Thing] = story) -> Iterator[str]:
    """What the two readings of the story of this seed disagree about."""
    scenario = told(seed)
    expected = read(scenario)
    played = parse_story(json.dumps(scenario).encode(), f"seed {seed}", Path())
    for number, ((line, _), wanted) in enumerate(zip(desk.play(played), expected, strict=True)):
        for key, value in wanted.items():
            got = line.get(key)
            if _plain(got) != _plain(value):
                step = json.dumps(scenario["steps"][number])
                yield f"seed {seed} step {number + 1} {step}: {key}: product {got!r}, reading {value!r}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, str):
        return str(value)
    return value


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    differing = 0
    with Desk() as desk:
        for seed in range(first, first + count):
            if (seed - first) % 200 == 199:
                print(f"{seed - first + 1} of {count} stories, {differing} differ", file=sys.stderr, flush=True)
            found = [*differences(desk, seed), *differences(desk, seed, bank_story)]
            differing += bool(found)
            if found:
                print(found[0])
    print(json.dumps({"stories": count, "first_seed": first, "differ": differing}))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
