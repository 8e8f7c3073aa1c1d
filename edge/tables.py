"""How is a TOML file read so that every mistake in it is named? Key by key; one that nobody asks for is a mistake."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any


class ConfigError(Exception):
    """The installer's fault: the file, a key file beside it, or its rights. The message names the remedy."""


class Table:
    """One table of a TOML file. Ask for each key once, then call `done`.

    where: its dotted name, empty for the top of the file. `hint` says in every message what the key should hold.
    """

    def __init__(self, file: Path, where: str, values: Mapping[str, Any], outer: "Table | None" = None) -> None:
        """outer: the table that it stands in."""
        self.file = file
        self._outer = outer
        self.where = where
        self._values = values
        self._asked: list[str] = []

    def wrong(self, key: str, remedy: str) -> ConfigError:
        """The error to raise for a key whose value cannot be."""
        return ConfigError(f"{self.file}: {self.name(key)} = {self._shown(key)}: {remedy}")

    def name(self, key: str) -> str:
        """The key's full dotted name."""
        return f"{self.where}.{key}" if self.where else key

    def has(self, key: str) -> bool:
        """Whether the file gives the key at all."""
        return key in self._values

    def optional(self, *keys: str) -> None:
        """Keys that are known here, given or not."""
        self._asked += keys

    def text(self, key: str, hint: str) -> str:
        """A text that is not empty."""
        value = self._take(key, hint)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, f'write {hint}, as text in "quotes"')
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        value = self._take(key, default=default)
        if value not in choices:
            raise self.wrong(key, "use one of " + ", ".join(f'"{word}"' for word in choices))
        return str(value)

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self._take(key, default=default)
        if not isinstance(value, bool):
            raise self.wrong(key, "write true or false, without quotes")
        return value

    def whole(self, key: str, hint: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number between two bounds, both included."""
        value = self._take(key, hint, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(key, f"use a whole number from {low} to {high}: {hint}")
        return value

    def number(self, key: str, hint: str, low: float, high: float, default: float) -> float:
        """A number between two bounds, both included."""
        value = self._take(key, hint, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.wrong(key, f"use a number from {low:g} to {high:g}: {hint}")
        return float(value)

    def table(self, key: str, hint: str) -> "Table":
        """A table inside this one."""
        value = self._take(key, hint)
        if not isinstance(value, dict):
            raise self.wrong(key, f"write it as a table, [{self.name(key)}]: {hint}")
        return Table(self.file, self.name(key), value, self)

    def tables(self, key: str, hint: str) -> dict[str, "Table"]:
        """A table of named tables, at least one, as in [readers.in]."""
        outer = self.table(key, hint)
        if not outer._values:
            raise ConfigError(f"{self.file}: [{self.name(key)}] is empty: add {hint}")
        return {name: outer.table(name, hint) for name in outer._values}

    def done(self) -> None:
        """Raises ConfigError when the file has a key here that nobody asked for."""
        for key, value in self._values.items():
            if key not in self._asked:
                near = get_close_matches(key, self._asked, 1)
                known = ", ".join(dict.fromkeys(self._asked))
                remedy = f"did you mean {self._written(near[0], value)}?" if near else f"remove it; known here: {known}"
                if isinstance(value, dict):
                    raise ConfigError(f"{self.file}: {self._written(key, value)}: unknown table; {remedy}")
                raise ConfigError(f"{self.file}: {self.name(key)} = {self._shown(key)}: unknown key; {remedy}")

    def _take(self, key: str, hint: str = "", default: Any = None) -> Any:
        self._asked.append(key)
        if key in self._values:
            return self._values[key]
        if default is None:
            self._misspelt(key)
            raise ConfigError(f"{self.file}: {self.name(key)} is missing: add {hint}")
        return default

    def _misspelt(self, key: str) -> None:
        """Raises ConfigError when something that nobody asks for is called nearly so, or as a table around it."""
        left = [given for given in self._values if given not in self._asked]
        if near := get_close_matches(key, left, 1, cutoff=0.75):
            value = self._values[near[0]]
            unknown, right = self._written(near[0], value), self._written(key, value)
            raise ConfigError(f"{self.file}: {unknown} is not known here: did you mean {right}?")
        if self._outer is not None:
            self._outer._misspelt(self.where.rpartition(".")[2])

    def _written(self, key: str, value: object) -> str:
        """As it stands in the file: [door.front] for a table of tables, [journal] for one of values, else the key."""
        if not isinstance(value, dict):
            return key
        inner = next((name for name, held in value.items() if isinstance(held, dict)), None)
        return f"[{self.name(key)}.{inner}]" if inner else f"[{self.name(key)}]"

    def _shown(self, key: str) -> str:
        """The value as TOML writes it, near enough."""
        value = self._values[key]
        if isinstance(value, bool):
            return "true" if value else "false"
        return "[a table]" if isinstance(value, dict) else repr(value)
