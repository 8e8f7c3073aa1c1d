"""How is something recorded that may happen all day? One row an hour at most says how often it happened."""

AN_HOUR = 3600.0


class HourlyCount:
    """One thing that is counted."""

    def __init__(self) -> None:
        self._times = 0
        self._told_at: float | None = None

    def happened(self, mono: float) -> str | None:
        """It happened once more, at this monotonic second. The words for a row, None when none is due."""
        self._times += 1
        if self._told_at is not None and mono - self._told_at < AN_HOUR:
            return None
        words = f"{self._times} times since the last such row" if self._told_at is not None else "1 time"
        self._told_at, self._times = mono, 0
        return words
