"""Which bugs are planted, and which proof must catch each?"""

from proofs.plants.disk import DISK
from proofs.plants.fablab import FABLAB
from proofs.plants.gardiens import EVENINGS, GARDIENS
from proofs.plants.machine import MACHINE
from proofs.plants.people import PEOPLE
from proofs.plants.plant import Plant
from proofs.plants.reader import READER
from proofs.plants.site import SITE
from proofs.plants.wire import WIRE

__all__ = ["PLANTS", "TESTED", "Plant"]

TESTED = (*PEOPLE, *EVENINGS, *FABLAB)
"""What tests catch that CI runs anyway."""
PLANTS = (*WIRE, *READER, *DISK, *SITE, *GARDIENS, *MACHINE, *TESTED)
