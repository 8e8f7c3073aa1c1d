"""What is a bug that is planted on purpose?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plant:
    """good: what stands in the file, once. bad: what stands there instead.

    proof: the one that must catch it, or a test (`tests/...::name`). rounds: of the proof, which ends with the first
    that is broken; where real time plays a part, many more than that takes.
    """

    bug: str
    file: str
    good: str
    bad: str
    proof: str
    rounds: int
