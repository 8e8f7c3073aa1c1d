"""How is a TOML file read so that every mistake in it is named? Key by key; one that nobody asks for is a mistake."""

import tomllib
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from policy.errors import place
from policy.syntax import toml_told
from wire import topics
from wire.errors import WireError


class ConfigError(Exception):
    """The installer's fault: the file, a key file beside it, or its rights. The message names the remedy."""


def parsed(path: Path, wanted: str) -> dict[str, Any]:
    """What a TOML file holds. wanted: what to give in place of one that is not there. Raises ConfigError."""
    try:
        text = path.read_bytes().removeprefix(BOM_UTF8)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}): give {wanted}") from None
    try:
        return tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {toml_told(text, error)}") from None


class Faults:
    """What is wrong with one file, gathered while it is read; `tell` ends the reading."""

    def __init__(self, file: Path, whole: Mapping[str, Any]) -> None:
        """whole: what the file holds."""
        self.folder = file.parent
        """From where the paths in it go."""
        self._file = file
        self._whole = whole
        self._found: list[tuple[tuple[int, ...], str]] = []

    def add(self, path: list[str], fault: str) -> None:
        """path: the keys that lead there, by which the faults are put in the order of the file."""
        self._found.append((place(self._whole, ".".join(path)), f"{self._file}: {fault}"))

    def tell(self) -> None:
        """Raises ConfigError with all faults, a line for each, if there are any."""
        if self._found:
            raise ConfigError("\n".join(fault for _, fault in sorted(self._found)))


def every(*works: Callable[[], Any]) -> list[Any]:
    """What each of them gives. Raises ConfigError with the faults of all that raised one."""
    given, faults = [], []
    for work in works:
        try:
            given.append(work())
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(faults))
    return given


class Table:
    """One table of a TOML file. Ask for each key once, then call `done`. A mistake is noted, and something that fits
    stands in for the value until `Faults.tell` is called.

    where: its dotted name, empty for the top of the file. `hint` says in every message what the key should hold.
    """

    def __init__(
        self,
        faults: Faults,
        where: str,
        values: Mapping[str, Any],
        outer: "Table | None" = None,
        *,
        absent: bool = False,
    ) -> None:
        """outer: the table that it stands in. absent: it stands for one that is not there, and notes nothing."""
        self.faults = faults
        self.sound = not absent
        """Whether nothing in it, or in a table inside it, was wrong so far."""
        self._absent = absent
        self._outer = outer
        self.where = where
        self._values = values
        self._asked: list[str] = []
        self._meant: dict[str, str] = {}
        """What a key that is asked for is called in the file, where it is misspelt."""
        self._torn = False

    def wrong(self, key: str, remedy: str) -> None:
        """Note a key whose value cannot be."""
        self.note(key, f"{self.name(key)} = {self._shown(key)}: {remedy}")

    def note(self, key: str, fault: str) -> None:
        """Note what is wrong at a key, in whole."""
        if not self._absent:
            self.faults.add([*self._path(), self._meant.get(key, key)], fault)
        table: Table | None = self
        while table is not None:
            table.sound, table = False, table._outer

    def _path(self) -> list[str]:
        """How to come here in the file, as it is written there."""
        if self._outer is None:
            return []
        name = self.where.removeprefix(f"{self._outer.where}.")
        return [*self._outer._path(), self._outer._meant.get(name, name)]

    def name(self, key: str) -> str:
        """The key's full dotted name."""
        return f"{self.where}.{key}" if self.where else key

    def has(self, key: str) -> bool:
        """Whether the file gives the key at all."""
        return key in self._values

    def says_no(self, key: str) -> bool:
        """Whether the file says that there is none, as in estop = false."""
        return self._values.get(key) is False and self._take(key) is False

    def optional(self, *keys: str) -> None:
        """Keys that are known here, given or not."""
        self._asked += keys

    def text(self, key: str, hint: str) -> str:
        """A text; empty only when it is wrong."""
        value = self._take(key, hint)
        if isinstance(value, str) and value:
            return value
        if value is not None:
            self.wrong(key, f'write {hint}, as text in "quotes"')
        return ""

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        value = self._values.get(key, default)
        self._asked.append(key)
        if value not in choices:
            self.wrong(key, "use one of " + ", ".join(f'"{word}"' for word in choices))
            return default
        return str(value)

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self._take(key, default=default)
        if not isinstance(value, bool):
            self.wrong(key, "write true or false, without quotes")
            return default
        return value

    def whole(self, key: str, hint: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number between two bounds, both included."""
        value = self._take(key, hint, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            if value is not None:
                self.wrong(key, f"use a whole number from {low} to {high}: {hint}")
            return low if default is None else default
        return value

    def number(self, key: str, hint: str, low: float, high: float, default: float) -> float:
        """A number between two bounds, both included."""
        value = self._take(key, hint, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.wrong(key, f"use a number from {low:g} to {high:g}: {hint}")
            return default
        return float(value)

    def table(self, key: str, hint: str) -> "Table":
        """A table inside this one."""
        value = self._take(key, hint)
        if isinstance(value, dict):
            return Table(self.faults, self.name(key), value, self, absent=self._absent)
        if value is not None:
            self.wrong(key, f"write it as a table, [{self.name(key)}]: {hint}")
        return self.absent(key)

    def absent(self, key: str) -> "Table":
        """In the place of a table that is not there."""
        return Table(self.faults, self.name(key), {}, self, absent=True)

    def tables(self, key: str, hint: str) -> dict[str, "Table"]:
        """A table of named tables, as in [readers.in]; none only when that is wrong."""
        outer = self.table(key, hint)
        if not outer._values and not outer._absent:
            self.note(key, f"[{self.name(key)}] is empty: add {hint}")
        return {name: outer.table(name, hint) for name in outer._values}

    def words(self, key: str, choices: tuple[str, ...]) -> tuple[str, ...]:
        """Some of a few words, in a list; none is the default."""
        value = self._values.get(key, [])
        self._asked.append(key)
        if not isinstance(value, list) or any(word not in choices for word in value):
            self.wrong(key, "write a list of these: " + ", ".join(f'"{word}"' for word in choices))
            return ()
        return tuple(value)

    def names(self) -> tuple[str, ...]:
        """What the file gives here, known or not."""
        return tuple(self._values)

    def done(self) -> None:
        """Note every key that the file has here and nobody asked for."""
        for key, value in self._values.items():
            if key in self._asked or key in self._meant.values():
                continue
            near = get_close_matches(key, self._asked, 1)
            known = ", ".join(dict.fromkeys(self._asked))
            remedy = f"did you mean {self._written(near[0], value)}?" if near else f"remove it; known here: {known}"
            if isinstance(value, dict):
                self.note(key, f"{self._written(key, value)}: unknown table; {remedy}")
            else:
                self.wrong(key, f"unknown key; {remedy}")

    def _take(self, key: str, hint: str = "", default: Any = None) -> Any:
        """What the file gives, else the default. None, and noted, where there is neither; what was nearly called so
        counts as meant."""
        self._asked.append(key)
        if key in self._values or default is not None:
            return self._values.get(key, default)
        meant = self._misspelt(key)
        if meant is None and not self._is_misspelt_around():
            self.note(key, f"{self.name(key)} is missing: add {hint}")
        return meant

    def _misspelt(self, key: str) -> Any:
        """What nobody asks for and is called nearly so, noted as such; None for nothing."""
        left = [given for given in self._values if given not in self._asked and given not in self._meant.values()]
        near = get_close_matches(key, left, 1, cutoff=0.75)
        if not near:
            return None
        value = self._values[near[0]]
        self._meant[key] = near[0]
        self.note(
            near[0], f"{self._written(near[0], value)} is not known here: did you mean {self._written(key, value)}?"
        )
        return value

    def _is_misspelt_around(self) -> bool:
        """Whether a table around this one stands in the file a second time, called nearly so."""
        outer = self._outer
        if outer is not None and not self._torn:
            name = self.where.rpartition(".")[2]
            self._torn = outer._misspelt(name) is not None or outer._is_misspelt_around()
        return self._torn

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


def check_id(table: Table, key: str, what: str, written: str, before: str = "") -> None:
    """Note what can be no id."""
    try:
        topics.check_id(what, written)
    except WireError as error:
        table.note(key, f"{before}{error}")
