"""The drawings of docs/wiring.md and docs/fr/installer.md, each in both languages. See tools/wiring.

Lines and pins are those of firmware_config's samples and of the header: a drawing cannot say another.
"""

import tomllib
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any

from edge.setup.header import PINS
from edge.wiring import RESET_LINE, SPI_LINES

SAMPLES = Path(__file__).parents[2] / "firmware_config"
FOLDERS = {"fr": "docs/fr/cablage", "en": "docs/wiring"}
INK, MAINS, PI = "#222", "#b3261e", "#eef3ea"
BOX = 106
CHIP_SELECT = {0: 8, 1: 7}
"""Of bus 0, by device."""
Said = tuple[str, str]
"""In French, in English."""
Point = tuple[int, int]


class Drawing:
    """A sheet of boxes and wires, in one language."""

    def __init__(self, language: str, wide: int, high: int, title: Said) -> None:
        self._which = 0 if language == "fr" else 1
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" fill="{INK}"'
        self._parts = [
            head + ' font-family="sans-serif" font-size="11.5">',
            f"<title>{escape(title[self._which])}</title>",
            f'<rect width="{wide}" height="{high}" fill="#fff"/>',
        ]
        self.text(10, 22, title, bold=True)

    def text(self, x: int, y: int, said: Said, *, bold: bool = False, middle: bool = False, colour: str = INK) -> None:
        weight = ' font-weight="bold"' if bold else ""
        anchor = ' text-anchor="middle"' if middle else ""
        lines = said[self._which].split("|")
        self._parts += [
            f'<text x="{x}" y="{y + 15 * row}"{"" if row else weight}{anchor} fill="{colour}">{escape(line)}</text>'
            for row, line in enumerate(lines)
        ]

    def box(self, x: int, y: int, said: Said, *, wide: int = BOX, high: int = 56, fill: str = "#fff") -> None:
        """Words stand in its middle; the first line is bold."""
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="4" fill="{fill}" stroke="{INK}"/>'
        )
        lines = said[self._which].count("|") + 1
        self.text(x + wide // 2, y + high // 2 + 4 - 15 * (lines - 1) // 2, said, bold=True, middle=True)

    def wire(self, *points: Point, colour: str = INK, wide: float = 1.5) -> None:
        path = "L".join(f"{x} {y}" for x, y in points)
        self._parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{wide}"/>')

    def row(self, x: int, y: int, boxes: Iterable[Said], *, gap: int = 18, colour: str = INK, wide: float = 1.5) -> int:
        """Boxes one behind the other, a wire between them; the x at which the last ends."""
        for place, said in enumerate(boxes):
            if place:
                self.wire((x - gap, y + 28), (x, y + 28), colour=colour, wide=wide)
            self.box(x, y, said)
            x += BOX + gap
        return x - gap

    def svg(self) -> str:
        return "\n".join([*self._parts, "</svg>", ""])


def files() -> dict[str, str]:
    """Each file's name and what stands in it."""
    drawn = {"door": door, "fail-safe": fail_safe, "machine": machine}
    french = {"door": "porte", "fail-safe": "gache-a-rupture", "machine": "machine"}
    return {
        f"{folder}/{french[name] if language == 'fr' else name}.svg": make(language)
        for language, folder in FOLDERS.items()
        for name, make in drawn.items()
    }


def sample(name: str) -> dict[str, Any]:
    return tomllib.loads((SAMPLES / f"edge-{name}.toml").read_text("utf-8"))


def lines(table: dict[str, Any]) -> Iterator[int]:
    """Every GPIO line that an edge.toml uses."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from lines(value)
        elif key == "line":
            yield value


def pin(line: int) -> str:
    return f"GPIO{line} ({PINS[line]})"


def at_pi(drawing: Drawing, y: int, line: int, x: int = 410) -> None:
    drawing.text(x, y, (pin(line), pin(line)))


def door(language: str) -> str:
    told = sample("door")
    front, readers = told["door"]["front"], told["readers"]
    drawing = Drawing(
        language,
        880,
        540,
        (
            "Une porte, gâche à émission. Entre parenthèses : le numéro de la broche.",
            "A door with a fail-secure strike. In brackets: the number of the pin.",
        ),
    )
    drawing.wire((168, 44), (168, 490), colour="#bbb", wide=14)
    drawing.text(20, 56, ("DEHORS", "OUTSIDE"))
    drawing.text(186, 56, ("DEDANS", "INSIDE"))
    drawing.box(330, 70, ("", ""), wide=180, high=400, fill=PI)
    drawing.text(420, 88, ("Raspberry Pi", "Raspberry Pi"), bold=True, middle=True)
    drawing.text(340, 456, ("5 V, par sa propre prise", "5 V, by its own plug"))
    _reader(drawing, 20, 90, readers["front-in"], "front-in")
    drawing.wire((150, 140), (330, 140))
    _reader(drawing, 190, 290, readers["front-out"], "front-out")
    drawing.wire((320, 340), (330, 340))
    shared = ", ".join(pin(line) for line in (RESET_LINE, *SPI_LINES[0]) if line not in CHIP_SELECT.values())
    drawing.text(
        20,
        520,
        (
            f"Aux deux lecteurs : 3,3 V (17), GND (25), RST puis SPI {shared}. Jamais de 5 V.",
            f"To both readers: 3.3 V (17), ground (25), RST and SPI {shared}. Never 5 V.",
        ),
    )
    drawing.text(190, 440, ("30 cm de côté|entre les deux lecteurs", "30 cm sideways|between the readers"))
    for y, line, what in (
        (110, 2, ("Horloge DS3231|GPIO2, GPIO3, 3,3 V", "DS3231 clock|GPIO2, GPIO3, 3.3 V")),
        (200, front["strike"]["line"], ("Relais|3,3 V, actif haut", "Relay|3.3 V, active high")),
        (290, front["contact"]["line"], ("Contact|fermé avec la porte", "Contact|closed with the door")),
        (360, front["rex"]["line"], ("REX|fermé si on appuie", "REX|closed when pressed")),
        (430, front["fire"]["line"], ("Incendie|contact NF", "Fire panel|NC contact")),
    ):
        drawing.box(580, y - 28, what, wide=140, high=48)
        drawing.wire((510, y), (580, y))
        at_pi(drawing, y + 4, line, 430)
    drawing.text(522, 236, ("10 kΩ vers GND", "10 kΩ to ground"))
    drawing.text(580, 476, ("ces trois-là : l’autre fil va à GND", "these three: the other wire goes to ground"))
    drawing.box(760, 60, ("12 V|à part du Pi", "12 V|apart from the Pi"))
    drawing.wire((760, 88), (740, 88), (740, 190), (720, 190))
    drawing.text(746, 140, ("fusible", "fuse"))
    drawing.box(760, 190, ("Gâche|et sa diode", "Strike|and its diode"), high=64)
    drawing.wire((720, 215), (760, 215))
    drawing.text(726, 232, ("NO", "NO"))
    drawing.wire((864, 222), (874, 222), (874, 88), (864, 88))
    return drawing.svg()


def _reader(drawing: Drawing, x: int, y: int, reader: dict[str, Any], name: str) -> None:
    select = CHIP_SELECT[reader["device"]]
    lamp, sound = f"{reader['green']['line']}, {reader['red']['line']}", f"GPIO{reader['buzzer']['line']}"
    drawing.box(
        x,
        y,
        (
            f"RC522 {name}|SDA {pin(select)}|lampe GPIO{lamp}|son {sound}",
            f"RC522 {name}|SDA {pin(select)}|lamp GPIO{lamp}|buzzer {sound}",
        ),
        wide=130,
        high=100,
    )


def fail_safe(language: str) -> str:
    front = sample("door")["door"]["front"]
    drawing = Drawing(
        language,
        890,
        300,
        (
            "Gâche à rupture ou ventouse : tout ce qui libère est dans sa ligne d’alimentation, sans le Pi.",
            "A fail-safe lock: all that lets go of it lies in its own supply line, without the Pi.",
        ),
    )
    end = drawing.row(
        10,
        50,
        (
            ("12 V|à part du Pi", "12 V|apart from the Pi"),
            ("Fusible", "Fuse"),
            ("Déclencheur|manuel vert", "Green|break-glass"),
            ("Incendie|1er contact NF", "Fire panel|1st contact NC"),
            ("REX|1er pôle NF", "REX|1st pole NC"),
            ("Relais|COM et NC", "Relay|COM and NC"),
            ("Gâche|et sa diode", "Lock|and its diode"),
        ),
        gap=20,
    )
    drawing.wire((end, 78), (end + 8, 78), (end + 8, 36), (62, 36), (62, 50))
    drawing.box(
        350,
        220,
        ("Raspberry Pi : il apprend, et tire le relais", "Raspberry Pi: it learns, and pulls the relay"),
        wide=400,
        fill=PI,
    )
    for x, line, what in (
        (434, front["fire"]["line"], ("2e contact", "2nd contact")),
        (558, front["rex"]["line"], ("2e pôle", "2nd pole")),
        (682, front["strike"]["line"], ("commande", "input")),
    ):
        drawing.wire((x, 106), (x, 220))
        drawing.text(x + 6, 176, (f"{what[0]}|{pin(line)}", f"{what[1]}|{pin(line)}"))
    return drawing.svg()


def machine(language: str) -> str:
    told = sample("machine")
    cnc, reader = told["machine"]["cnc"], told["readers"]["cnc"]
    drawing = Drawing(
        language,
        890,
        446,
        (
            "Une machine, par un électricien. Le Pi donne la permission ; il ne fait rien démarrer.",
            "A machine, by an electrician. The Pi gives leave; it starts nothing.",
        ),
    )
    drawing.text(10, 50, ("secteur", "mains"), colour=MAINS)
    drawing.wire((10, 84), (30, 84), colour=MAINS, wide=3)
    end = drawing.row(
        30,
        56,
        (
            ("Disjoncteur,|sectionneur", "Breaker,|main switch"),
            ("Contacteur K1|pôles", "Contactor K1|poles"),
            ("Courant|relais, facultatif", "Current|relay, optional"),
            ("Machine", "Machine"),
        ),
        gap=60,
        colour=MAINS,
        wide=3,
    )
    drawing.text(
        end + 20, 82, ("K1 retombe si le courant|manque, et reste ouvert", "K1 falls without power,|and stays open")
    )
    drawing.text(10, 150, ("circuit de la bobine, très basse tension", "coil circuit, extra-low voltage"))
    end = drawing.row(
        10,
        164,
        (
            ("24 V", "24 V"),
            ("Fusible", "Fuse"),
            ("Arrêt urgence|1er contact NF", "Emerg. stop|1st contact NC"),
            ("Arrêt|NF", "Stop|NC"),
            ("Relais du Pi|NO", "Relay of the Pi|NO"),
            ("Marche NO|ou K1 13-14", "Start NO|or K1 13-14"),
            ("Bobine K1|RC ou diode", "Coil of K1|RC or diode"),
        ),
        gap=20,
    )
    drawing.wire((end, 192), (end + 8, 192), (end + 8, 236), (62, 236), (62, 220))
    drawing.text(80, 251, ("retour", "back"))
    current, service = pin(cnc["current"]["line"]), pin(cnc["service_input"]["line"])
    drawing.text(
        180,
        420,
        (
            f"facultatif : {current}, relais de courant, ouvert quand il passe ; {service}, clé de service, fermée",
            f"optional: {current} of the current relay, open while it flows; {service} of the service key, closed",
        ),
    )
    drawing.box(180, 330, ("Raspberry Pi|et RC522 « cnc »", "Raspberry Pi|and RC522 “cnc”"), wide=250, high=70, fill=PI)
    drawing.wire((310, 220), (310, 330))
    drawing.text(
        318, 300, (f"2e contact NF, {pin(cnc['estop']['line'])}", f"2nd contact NC, {pin(cnc['estop']['line'])}")
    )
    drawing.box(560, 330, ("Monostable 0,5 s|10 kΩ vers GND", "Monostable 0.5 s|10 kΩ to ground"), wide=150, high=70)
    drawing.wire((430, 365), (560, 365))
    at_pi(drawing, 358, cnc["interlock"]["line"], 450)
    drawing.text(
        720,
        352,
        (
            "sans lui, la ligne|va droit au relais|(pulse = false)",
            "without it the line|goes to the relay|(pulse = false)",
        ),
    )
    drawing.wire((570, 330), (570, 220))
    lamp = (reader["green"]["line"], reader["red"]["line"], reader["buzzer"]["line"])
    drawing.text(
        20,
        352,
        ("lampe GPIO{}, {}|son GPIO{}".format(*lamp), "lamp GPIO{}, {}|buzzer GPIO{}".format(*lamp)),
    )
    return drawing.svg()
