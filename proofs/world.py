"""Does a site live through years of faults? One deterministic world, whose promises are looked at as it runs."""

import gc
import logging

from console.errors import CommandError
from proofs.proof import BrokenError, Proof, Rounds, Task
from proofs.storm.record import BrokenWorldError
from proofs.storm.site import Site, storm
from simulator.vfs import StaticSqliteError

SELDOM = (50_000, 20, 50)
"""Looks for garbage: with the usual ones a site-year takes a sixth longer."""
DOORS = (4, 2, 3)
"""How many the site has: the seed chooses."""
HAMPERED = 100_000
"""Taps in a year while server, broker or network are away, slow or flapping."""


def run(task: Task) -> Rounds:
    if task.first:
        raise CommandError("world --first: each day goes on from the one before; leave it out and take --rounds")
    logging.disable(logging.CRITICAL)  # a world of faults has much to complain about
    often, day = gc.get_threshold(), 0
    gc.set_threshold(*SELDOM)
    try:
        with storm(task.seed, DOORS[task.seed % len(DOORS)]) as site:
            for day in range(task.rounds):
                site.live_a_day()
                yield day + 1
            return _figure(site, task.rounds)
    except BrokenWorldError as broken:
        raise BrokenError(day, str(broken), since=0) from None
    except StaticSqliteError as error:
        raise CommandError(str(error)) from None
    except Exception as error:
        why = f"something broke down: {type(error).__name__}: {str(error)[:300]}"
        raise BrokenError(day, why, since=0) from error
    finally:
        logging.disable(logging.NOTSET)
        gc.set_threshold(*often)


def _figure(site: Site, days: int) -> str:
    """Raises BrokenWorldError when a year shows less than is promised."""
    counts = site.watch.counts
    promised = HAMPERED * (days // PROOF.ci)
    if counts["taps hampered"] < promised:
        raise BrokenWorldError(f"only {counts['taps hampered']} taps over a bad link, {promised} are promised")
    late = [f"{counts[kind]} for {kind.removeprefix('late: ')}" for kind in LATE if counts[kind]]
    faults = ", ".join(f"{count} {name}" for name, count in sorted(site.faults.items()))
    return (
        f"{days} site-days of {len(site.pis)} edges; {counts['taps']} taps compared with an independent reading,"
        f" {counts['taps hampered']} of them while server, broker or network were away, slow or flapping: 0 differ"
        f" (news on the way would have changed: {', '.join(late) or 'none'});"
        f" {site.network.flaps} connections came up: 0 pulses by that;"
        f" {counts['relay pulses']} pulses, each for a reason, {counts['openings by command']} of them a command;"
        f" {counts['commands late or again']} commands late or again: 0 carried out;"
        f" {counts['closings']} closings by the last gardien's second tap,"
        f" {counts['closings while something was away']} of them while something was away:"
        f" {counts['people checked out by a closing']} people checked out, each told right;"
        f" {counts['minutes earned']} minutes earned and {counts['half-days minted']} half-days minted: 0 off in"
        f" {counts['nights booked']} nights, {counts['half-days spent by gardiens']} of the half-days spent;"
        f" {counts['corrections by the desk']} corrections by the desk, {counts['corrections of settled nights']} of"
        f" them of settled nights, {counts['corrections taken back']} taken back;"
        f" {counts['credits by two names']} credits by two names, {counts['credits removed']} removed:"
        f" {counts['counter-entries']} counter-entries, each right;"
        f" {counts['certified for the machine']} certified for the machine,"
        f" {counts['certifications withdrawn']} withdrawn, each night as decided;"
        f" {counts['machine: not_certified']} refused without a training,"
        f" {counts['machine: certification_expired']} after its last day;"
        f" {counts['bookings: booked']} bookings, {counts['bookings: taken']} refused since somebody has it,"
        f" {counts['bookings given back']} ended with the session, {counts['bookings that made way']} made way,"
        f" {counts['bookings cancelled']} cancelled: 0 at one time; {counts['machine: booking']} starts on a booking,"
        f" {counts['machine: walk_up']} as one walks up, {counts['machine: booked_by_other']} refused for somebody's"
        f" booking, {counts['machine: quota_exhausted']} for the quota; {counts['extensions: asked']} orders to go on:"
        f" {counts['extensions: later']} until later, {counts['extensions: no later']} not,"
        f" {counts['extensions: refused by its edge']} refused at the machine; {counts['sessions']} sessions,"
        f" {counts['seconds of sessions']} s: each second told once, power in each and in nothing else;"
        f" {counts['rows']} rows in {counts['comparisons']} comparisons of all copies: 0 lost, 0 twice"
        f" ({counts['taps lost before they were on a disk']} taps not yet on a disk when power went);"
        f" {faults}; digest {site.digest.hexdigest()[:16]}"
    )


LATE = tuple(f"late: {kind}" for kind in ("clock", "disk", "lockdown", "moves", "rules", "several"))
PROOF = Proof("a site lives through years of faults", "site-days", ci=365, release=36_500, run=run)
