"""Does a bad link move a relay, lose a row or tell one twice? Connections are cut, late and held back while people tap.

A round is one connection cut: after a drawn number of bytes (in the handshake, in the middle of a message), by a pulled
plug, out of a silence, or out of the blue. Most are cut again before they are up; the figure says how many came up.
"""

from contextlib import closing
from pathlib import Path
from random import Random

from proofs.flapping import TAPS, Flapping
from proofs.folders import passing_folder
from proofs.proof import BrokenError, LossError, Proof, Rounds, Task, quietly

SETTLED = 500
"""Rounds from one comparison of journal and history to the next."""
TAPPED = 0.1
"""The share of rounds in which somebody taps before the cut; in as many somebody does after it."""
SERVER_CUT = 0.0003
"""The share of rounds in which the server's link breaks, too: it takes seconds to come back."""
LONGEST_BYTES = 13
"""2 ** 13 bytes: a handshake, a session and some rows."""


def run(task: Task) -> Rounds:
    with (
        passing_folder("link") as folder,
        quietly(),
        closing(Flapping(Path(folder))) as site,
    ):
        number = task.first
        try:
            site.set_up()
            for done, number in enumerate(task.numbers, 1):
                flap(site, task.random(number))
                if done % SETTLED == 0 or done == task.rounds:
                    site.settle()
                yield done
        except LossError as loss:
            raise BrokenError(number, str(loss), since=task.first) from None
        told = f"{task.rounds} connections cut, {site.ups} had come up; {site.taps} taps answered as ever"
        return f"{told}; {site.pulses} pulses, each for a grant; {len(site.decided)} rows arrived in order, once"


def flap(site: Flapping, luck: Random) -> None:
    """One connection comes to its end. Raises LossError."""
    cuts = site.cable.cuts + 1
    site.cable.delay = luck.choice((0.0, 0.0, 0.0, 0.0, 0.001, 0.004))
    if luck.random() < SERVER_CUT:
        site.server_cable.cut()
    if luck.random() < TAPPED:
        site.tap(luck.randrange(len(TAPS)))
    luck.choice((*[_in_the_middle] * 6, _once_it_is_up, _held_back, _unplugged))(site, luck)
    if site.cable.cuts < cuts:
        site.cable.cut()
    if site.cable.cuts < cuts:  # nobody was connected: then the next to come is cut
        site.cable.cut_after(0)
    if luck.random() < TAPPED:
        site.tap(luck.randrange(len(TAPS)))
    site.cable.hold(False)
    site.await_cut(cuts)


def _in_the_middle(site: Flapping, luck: Random) -> None:
    cuts = site.cable.cuts + 1
    site.cable.cut_after(int(2 ** luck.uniform(0, LONGEST_BYTES)))
    site.rest(luck.randint(1, 10), lambda: site.cable.cuts >= cuts)


def _once_it_is_up(site: Flapping, luck: Random) -> None:
    ups = site.ups + 1
    site.rest(50, lambda: site.ups >= ups)
    site.rest(luck.randint(0, 4), lambda: False)


def _held_back(site: Flapping, luck: Random) -> None:
    """Somebody taps into the silence, where there is a link: what the edge sends then may never arrive."""
    ups = site.ups + 1
    came_up = site.rest(500, lambda: site.ups >= ups)
    site.cable.hold(True)
    if came_up:
        site.tap(luck.randrange(len(TAPS)))
    site.rest(luck.randint(1, 5), lambda: False)
    site.check_acknowledged()
    site.cable.hold(luck.random() < 0.5)  # it ends by itself, or in the cut
    site.rest(luck.randint(0, 3), lambda: False)


def _unplugged(site: Flapping, luck: Random) -> None:
    site.cable.unplug()
    site.rest(luck.randint(1, 5), lambda: False)
    site.cable.plug()


PROOF = Proof(
    "a link that is late, breaks and comes back moves no relay and loses no row",
    "connections cut",
    ci=10_000,
    release=100_000,
    run=run,
    real_time=True,
)
