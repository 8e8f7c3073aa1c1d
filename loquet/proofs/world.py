"""Does a site live through years of faults? One deterministic world, whose promises are looked at as it runs."""

import logging

from loquet.main import CommandError
from loquet.proofs.proof import BrokenError, Proof, Rounds, Task
from simulator.storm.site import Site, storm
from simulator.storm.watch import BrokenWorldError
from simulator.vfs import StaticSqliteError


def run(task: Task) -> Rounds:
    if task.first:
        raise CommandError("world --first: each day goes on from the one before; leave it out and take --rounds")
    logging.disable(logging.CRITICAL)  # a world of faults has much to complain about
    day = 0
    try:
        with storm(task.seed) as site:
            for day in range(task.rounds):
                site.live_a_day()
                yield day + 1
            return _figure(site, task.rounds)
    except BrokenWorldError as broken:
        raise BrokenError(day, str(broken)) from None
    except StaticSqliteError as error:
        raise CommandError(str(error)) from None
    except Exception as error:
        raise BrokenError(day, f"something broke down: {type(error).__name__}: {str(error)[:300]}") from error
    finally:
        logging.disable(logging.NOTSET)


def _figure(site: Site, days: int) -> str:
    counts = site.watch.counts
    return (
        f"{days} site-days; {counts['taps']} taps decided, {counts['taps decided alone']} of them cut off,"
        f" 0 differ; {counts['relay pulses']} relay pulses over {site.network.flaps} connections, 0 unexplained;"
        f" {counts['rows']} rows in {counts['comparisons']} comparisons, 0 lost, 0 twice"
        f" ({counts['taps lost before they were on a disk']} taps were acted on and not yet on a disk when power went);"
        f" digest {site.digest.hexdigest()[:16]}"
    )


PROOF = Proof("a site lives through years of faults", "site-days", ci=365, release=36_500, run=run, chained=True)
