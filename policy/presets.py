"""Which tiers does a place begin with? Those that a coworking or a fablab usually has; each can be changed later."""

from msgspec import UNSET

from policy.bundle import Tier
from policy.ruleset import Ground

OPEN = (Ground.STAFFED, Ground.HELD)
ANY_HOUR = (Ground.ALWAYS, *OPEN)
TEAM = Tier("equipe", ANY_HOUR, name="Équipe")
COWORKING = (
    TEAM,
    Tier("resident", ANY_HOUR, name="Résident"),
    Tier("nomade", OPEN, name="Nomade"),
    Tier("carnet-demi", OPEN, {}, UNSET, "half_day", "Carnet de demi-journées"),
)
FABLAB = (
    TEAM,
    Tier("fabriqueur", OPEN, name="Fabriqueur"),
    Tier("carnet-jour", OPEN, {}, UNSET, "day", "Carnet de journées"),
)
PRESETS: dict[str, tuple[Tier, ...]] = {
    "coworking": COWORKING,
    "fablab": FABLAB,
    "both": (*COWORKING, *FABLAB[1:]),
}
