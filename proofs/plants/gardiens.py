"""Bugs in how gardiens hold and close a place, and in what they are owed for it: caught by world."""

from proofs.plants.plant import Plant

GARDIENS = (
    Plant(
        "the last gardien goes and the place stays open",
        "policy/closing.py",
        "        return replace(out, closed=behind)",
        "        return out",
        "world",
        60,
    ),
    Plant(
        "whom a closing checked out is asked by its journal alone",
        "server/queries/closing.py",
        "        col(closing.at) == col(row.at),\n",
        "",
        "world",
        60,
    ),
    Plant(
        "no edge hears of the half-days that the bank minted",
        "server/bank.py",
        "            self._site_changed()\n",
        "",
        "world",
        60,
    ),
)
