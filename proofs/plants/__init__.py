"""Which bugs are planted, and which proof must catch each?"""

from proofs.plants.disk import DISK
from proofs.plants.gardiens import GARDIENS
from proofs.plants.machine import MACHINE
from proofs.plants.people import PEOPLE
from proofs.plants.plant import Plant
from proofs.plants.reader import READER
from proofs.plants.site import SITE
from proofs.plants.wire import WIRE

__all__ = ["PEOPLE", "PLANTS", "Plant"]

PLANTS = (*WIRE, *READER, *DISK, *SITE, *GARDIENS, *MACHINE, *PEOPLE)
