"""Which row does an address name? A number that no row can have names none, as any other that none has."""

from werkzeug.routing import IntegerConverter

LAST_ROW = 2**31 - 1
"""The largest that both databases can give."""


class RowNumber(IntegerConverter):
    """`<int:...>` in an address: whatever number is written there, a database can be asked for it."""

    def to_python(self, value: str) -> int:
        """0, which no row has, for one that is too large."""
        written = value.lstrip("0")
        number = int(written or "0") if len(written) <= len(str(LAST_ROW)) else 0
        return number if number <= LAST_ROW else 0
