"""What is logged, for tests that wait until it is."""

import logging
from queue import Empty, SimpleQueue
from types import TracebackType

from tests.support_broker import PATIENCE


class Log(logging.Handler):
    """The lines of one logger, while it is entered."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.lines: SimpleQueue[str] = SimpleQueue()
        self._logger = logging.getLogger(name)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.put(record.getMessage())

    def next(self) -> str:
        """Raises TimeoutError when nothing comes."""
        try:
            return self.lines.get(timeout=PATIENCE)
        except Empty:
            raise TimeoutError("nothing was logged") from None

    def __enter__(self) -> "Log":
        self._logger.addHandler(self)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._logger.removeHandler(self)
