"""In which words does the bench speak? French first, English second, side by side."""

from edge.patterns import MOST_COUNTED
from server.text.translate import language, typeset
from wire.messages import PrinterState

NBSP = "\N{NO-BREAK SPACE}"

COLOURS = {
    (False, False): ("off", "éteinte", "dark"),
    (True, False): ("green", "verte", "green"),
    (False, True): ("red", "rouge", "red"),
    (True, True): ("amber", "ambre", "amber"),
}
"""By (green, red): the name of the style, and the words."""

SIGNALS = {
    "granted": ("vert, un bip court : passez", "green, one short beep: go ahead"),
    "see_desk": ("rouge, un long bip : voir l’accueil", "red, one long beep: see the desk"),
    "not_now": ("rouge, deux bips : pas maintenant", "red, two beeps: not now"),
    "call_gardien": ("ambre, quatre bips : appelez un gardien", "amber, four beeps: call a gardien"),
    "carnet_low": (
        "vert, puis un éclair ambre : passez, le carnet est bientôt fini",
        "green, then a short amber: go ahead, the pass runs low",
    ),
    "closed": ("vert, deux bips longs : le lieu est fermé", "green, two long beeps: the place is closed"),
    **{
        f"people_inside_{people}": (
            f"vert, puis {people} fois ambre avec bip : autant sont encore dedans ; badgez encore pour fermer",
            f"green, then {people} times amber with a beep: so many are still inside; badge again to close",
        )
        for people in range(1, MOST_COUNTED + 1)
    },
    "two_cards": (
        "rouge et vert par éclairs, trois bips : un seul badge à la fois",
        "red and green flashes, three beeps: one badge at a time",
    ),
    "try_again": (
        "rouge et vert lentement, deux bips : recommencez, badge à plat",
        "red and green slowly, two beeps: try again, flat on the reader",
    ),
    "no_rules": ("un éclair ambre toutes les 2 s : attend ses règles", "an amber flash every 2 s: waits for its rules"),
    "reader_fault": ("deux éclairs rouges, muet : lecteur en panne", "two red flashes, silent: reader at fault"),
    "door_held": ("ambre, un bip toutes les 2 s : fermez la porte", "amber, a beep every 2 s: shut the door"),
    "sound": ("vert puis rouge, bips rapides : on cherche ce lecteur", "green then red, fast beeps: being looked for"),
    "lay_here": (
        "ambre et vert en alternance, muet : posez ici le badge à enrôler",
        "amber and green by turns, silent: lay the badge to enrol here",
    ),
    "enrolled": (
        "trois éclairs verts, trois bips : badge lu, rien ne s’ouvre",
        "three green flashes: read, nothing opens",
    ),
    "machine_on": ("vert fixe : la machine est à vous", "steady green: the machine is yours"),
    "machine_ends_soon": (
        "un éclair ambre sur le vert, un bip par seconde : cela s’arrête bientôt",
        "amber flashes in the green, a beep each second: it ends soon",
    ),
    "machine_overrun": (
        "ambre fixe, un bip toutes les 5 s : le temps est dépassé",
        "steady amber, a beep every 5 s: the time is over",
    ),
    "machine_stopped": (
        "rouge qui clignote : arrêt d’urgence, à remettre en service",
        "blinking red: emergency stop, to be put back in service",
    ),
    "machine_locked_out": (
        "rouge fixe, un clin toutes les 3 s : hors service",
        "steady red, a wink every 3 s: out of service",
    ),
    "door_forced": ("ambre qui clignote, bips : porte forcée", "amber blinking, beeps: door forced"),
}

READERS = {
    "front-in": ("Entrée", "Way in"),
    "front-out": ("Sortie", "Way out"),
    "garage-in": ("Porte du garage", "Garage door"),
    "cnc-tap": ("Fraiseuse CNC", "CNC mill"),
    "printer-1-tap": ("Imprimante 1", "Printer 1"),
    "printer-2-tap": ("Imprimante 2", "Printer 2"),
}
PRINTS = {
    PrinterState.IDLE: ("quiet", "ne fait rien", "does nothing"),
    PrinterState.BUSY: ("warn", "chauffe ou refroidit", "heats or cools"),
    PrinterState.PRINTING: ("good", "imprime", "prints"),
}
"""What the double of a printer does: the mark's colour, and the words."""
LEAVE = {"front-in": ("laisser à l’entrée", "leave at the way in"), "front-out": ("à la sortie", "at the way out")}
"""What the presses say that leave a badge on a reader, side by side."""


def t(french: str, english: str) -> str:
    """Whichever the page is in."""
    return english if language() == "en" else typeset(french)


def duration(seconds: float | None) -> str:
    """In µs below a millisecond, else in ms; two figures that count. A dash for a stage that is not over."""
    if seconds is None:
        return "…"
    value, unit = (seconds * 1e6, "µs") if seconds < 1e-3 else (seconds * 1e3, "ms")
    written = f"{value:.1f}" if value < 10 else f"{value:.0f}"
    return f"{written if language() == 'en' else written.replace('.', ',')}{NBSP}{unit}"
