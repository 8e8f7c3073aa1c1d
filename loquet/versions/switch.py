"""How does a machine get from one version to another, and back? A run that is cut off is made good by the next.

While a version is tried, the machine remembers which one answered last. The server's database is copied before, since a
newer version may change its form, and put back with the version before.
"""

from contextlib import suppress
from typing import Protocol


class TriedError(Exception):
    """The newer version did not answer, and the one before counts again; or neither does. As a sentence."""


class Machine(Protocol):
    """What a version is switched on. Versions are the folders that they are installed in."""

    keeps_a_database: bool

    def now(self) -> str: ...

    def before(self) -> str | None:
        """The one that answered last, while another is tried."""

    def remember(self, version: str) -> None: ...

    def forget(self) -> None: ...

    def count(self, version: str) -> None:
        """From now on this is the version that is started."""

    def stop(self) -> None:
        """Raises TriedError."""

    def start(self) -> None:
        """Raises TriedError for one that does not come up."""

    def answers(self) -> bool:
        """Whether it does its work, asked until it does or its time is over."""

    def copy(self) -> None:
        """Of the database. Raises TriedError."""

    def put_back(self) -> None:
        """Raises TriedError."""


def update(machine: Machine, version: str) -> bool:
    """Whether anything was changed. Raises TriedError."""
    tried = machine.before()
    if tried is not None:  # a run was cut off: it comes to its end first
        _try(machine, machine.now(), tried, resumed=True)
    if machine.now() == version:
        return tried is not None
    _try(machine, version, machine.now(), resumed=False)
    return True


def _try(machine: Machine, version: str, before: str, *, resumed: bool) -> None:
    """resumed: the copy is made already, and a newer version may have changed the database since."""
    copied = resumed
    try:
        if machine.keeps_a_database:
            machine.stop()  # the server stands still, doors decide by themselves
            if not resumed:
                machine.copy()
                copied = True
        machine.remember(before)
        machine.count(version)
        machine.start()
        if not machine.answers():
            raise TriedError("it did not answer in time")
    except TriedError as error:
        machine.stop()
        # Where the copy itself failed, as on a full disk, nothing has changed the database, and what lies there is an
        # older update's. Where an earlier run was cut off once it had put the copy back, nothing is to be put back.
        if machine.keeps_a_database and copied and version != before:
            _put_back(machine, version, before, error)
        machine.count(before)
        with suppress(TriedError):  # it is started again and again: what counts is whether it answers at last
            machine.start()
        if not machine.answers():
            raise TriedError(
                f"{version}: {error}; {before} counts again, and does not answer either: see its log"
            ) from None
        machine.forget()
        raise TriedError(f"{version}: {error}; {before} runs again, and answers") from None
    machine.forget()


def _put_back(machine: Machine, version: str, before: str, why: TriedError) -> None:
    """Where it cannot be, the version before would meet a form that it does not know: the next run tries once more."""
    try:
        machine.put_back()
    except TriedError as error:
        raise TriedError(
            f"{version}: {why}; the database could not be put back for {before} ({error}): the server stands still,"
            " doors decide by themselves. Mend that, and give the command again"
        ) from None
