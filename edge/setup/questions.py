"""What does an installer have to say, and how is it asked? Each question until its answer can be used."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.places import MOST_MACHINES
from edge.setup.answers import CLOCKS, HOST, usual_clock
from edge.setup.header import MODELS
from wire.errors import WireError
from wire.topics import check_id

FLAGS = {"yes": "true", "no": "false"}


@dataclass(frozen=True, slots=True)
class Question:
    """choices: the words that can be answered; none: an id, or a host. default: what an empty line means."""

    words: str
    default: str = ""
    choices: tuple[str, ...] = ()
    host: bool = False

    def prompt(self) -> str:
        choices = f" ({', '.join(self.choices)})" if self.choices else ""
        return f"{self.words}{choices}{f' [{self.default}]' if self.default else ''}: "

    def refuses(self, said: str) -> str | None:
        """What is wrong with an answer; None for one that will do."""
        if self.choices:
            return None if said in self.choices else f"{said!r}: answer one of {', '.join(self.choices)}"
        if self.host:
            return None if HOST.fullmatch(said) else f"{said!r}: give a host name or an address alone, as broker.lan"
        try:
            check_id("id", said)
        except WireError as error:
            return str(error)
        return None


def ask(listen: Callable[[str], str]) -> str:
    """The text of an answers.toml. listen: shows a prompt and gives what was typed; raises EOFError."""

    def one(question: Question) -> str:
        complaint = ""
        while True:
            said = listen(complaint + question.prompt()).strip() or question.default
            wrong = question.refuses(said)
            if wrong is None:
                return said
            complaint = f"{wrong}\n"

    def flag(words: str, default: str) -> str:
        return FLAGS[one(Question(words, default, tuple(FLAGS)))]

    lines = [f'site = "{one(Question("Id of the site, as in its bundle"))}"']
    edge = one(Question("Id of this edge", "front"))
    lines += [f'edge = "{edge}"']
    lines += [f'broker = "{one(Question("The broker: its host name or address", "broker.lan", host=True))}"']
    pi = one(Question("Which Raspberry Pi", "4", tuple(MODELS)))
    clocks = CLOCKS if pi == "5" else tuple(clock for clock in CLOCKS if not clock.startswith("own"))
    lines += [f'pi = "{pi}"', f'clock = "{one(Question("Battery clock", usual_clock(pi), clocks))}"']
    what = one(Question("What hangs at it", "door", ("door", "machines", "both")))
    if what != "machines":
        lines += _door(one, flag, edge)
    if what != "door":
        for _ in range(int(one(Question("How many machines", "1", tuple(map(str, range(1, MOST_MACHINES + 1))))))):
            lines += ["", f"[machine.{one(Question('Id of a machine, as in the bundle'))}]"]
            lines += [f"estop = {flag('Has it an emergency stop', 'yes')}"]
    return "\n".join(lines) + "\n"


def _door(one: Callable[[Question], str], flag: Callable[[str, str], str], edge: str) -> list[str]:
    lines = ["", f"[door.{one(Question('Id of the door, as in the bundle', edge))}]"]
    lines += [f"readers = {one(Question('Readers: 1 outside, or 2, outside and inside', '2', ('1', '2')))}"]
    fail = one(Question("The lock without power: secure stays shut, safe opens", "secure", ("secure", "safe")))
    lines += [f'fail = "{fail}"']
    lines += [f"contact = {flag('Is there a contact that closes with the door', 'yes')}"]
    lines += [f"rex = {flag('Is there a button or handle switch for leaving', 'yes')}"]
    lines += [f"fire = {flag('Is there a contact of the fire panel', 'no')}"]
    return [*lines, f"relay_active_high = {flag('Does the relay pull at a high level', 'yes')}"]
