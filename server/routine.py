"""What does the server do from time to time? Each task at its own pace, and none is held up by one that fails."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from policy.terms import SECOND, Instant
from server.errors import ServerError

log = logging.getLogger("loquet.server")

AGAIN: Instant = SECOND
"""After which a task that failed is tried again."""


@dataclass(frozen=True, slots=True)
class Task:
    """name: for the log. every: the least time between two times, by the site's clock; 0 for each time."""

    name: str
    do: Callable[[], object]
    every: Instant = 0


class Routine:
    """`tick` from one thread, often."""

    def __init__(self, clock: Callable[[], Instant], tasks: Sequence[Task]) -> None:
        self._clock = clock
        self._tasks = tasks
        self._next: dict[str, tuple[Instant, Instant]] = {}
        """By name: when it was done, and from when it is due again. A clock set back makes it due at once."""

    def tick(self) -> None:
        for task in self._tasks:
            now = self._clock()
            done, due = self._next.get(task.name, (now, now))
            if done <= now < due:
                continue
            self._next[task.name] = now, now + (task.every if self._did(task) else max(task.every, AGAIN))

    def _did(self, task: Task) -> bool:
        try:
            task.do()
        except ServerError as error:
            log.error("%s: not done, tried again: %s", task.name, error)
        except Exception:
            log.exception("%s: not done, tried again", task.name)
        else:
            return True
        return False
