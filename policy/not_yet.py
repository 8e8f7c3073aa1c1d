"""What does a bundle ask for that this version of Loquet cannot decide by yet? It is refused by name.

What changes no decision at a tap is taken, kept and given back: a rota of gaps, kinds of machines, credits.
"""

from collections.abc import Iterator

from policy.bundle import Bundle
from policy.errors import Problem

ROTA = "this version of Loquet does not open by a rota yet: leave the gardien out, and write the dates under shifts"
BANK = "this version of Loquet keeps no time bank yet: leave it out, and write the units earned under passes"


def not_yet(bundle: Bundle) -> Iterator[Problem]:
    """A slot with a gardien is a shift, and opens; a bank mints units of a carnet, and lets in."""
    for index, pattern in enumerate(bundle.rota):
        if pattern.gardien is not None:
            yield Problem(f"rota[{index}].gardien", pattern.gardien, ROTA, pattern.id)
    for index, change in enumerate(bundle.rota_changes):
        if isinstance(change.gardien, str) and not change.cancelled:
            yield Problem(f"rota_changes[{index}].gardien", change.gardien, ROTA, f"{change.rota}/{change.date}")
    if bundle.site.time_bank is not None and any(tier.pass_ != "none" for tier in bundle.tiers):
        yield Problem("site.time_bank", bundle.site.time_bank, BANK)
