"""What does a bundle ask for that this version of Loquet cannot decide by yet? It is refused by name.

What changes no decision at a tap is taken, kept and given back: kinds of machines, credits.
"""

from collections.abc import Iterator

from policy.bundle import Bundle
from policy.errors import Problem

BANK = "this version of Loquet keeps no time bank yet: leave it out, and write the units earned under passes"


def not_yet(bundle: Bundle) -> Iterator[Problem]:
    """A bank mints units of a carnet, and lets in."""
    if bundle.site.time_bank is not None and any(tier.pass_ != "none" for tier in bundle.tiers):
        yield Problem("site.time_bank", bundle.site.time_bank, BANK)
