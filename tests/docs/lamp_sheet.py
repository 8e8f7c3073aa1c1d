"""The drawings of the lamp's signals and the sheet that sites print, from the code that plays them. See tools/lamps."""

from collections.abc import Iterable, Iterator
from itertools import chain, cycle

from edge import patterns
from edge.patterns import OF_FAMILY, Levels, Signal
from server.text.lamps import AT_A_MACHINE, AT_THE_DOOR, Lamp

SECONDS, SCALE, LEFT = 4, 46, 44
TRACKS = (("vert", "#1f7a3d"), ("rouge", "#b3261e"), ("son", "#4a4a4a"))
SHEET = "docs/fr/lampes.md"


def files() -> dict[str, str]:
    """Each file's name and what stands in it."""
    drawn = {f"server/static/lamps/{name}.svg": drawing(signal) for name, signal in signals().items()}
    return drawn | {SHEET: sheet()}


def signals() -> dict[str, Signal]:
    """Every signal that a lamp can give, by the name of its drawing."""
    named = {name.lower(): value for name, value in vars(patterns).items() if isinstance(value, Signal)}
    return named | {str(which): signal for which, signal in OF_FAMILY.items()}


def drawing(signal: Signal) -> str:
    """The first seconds of a signal: green lamp, red lamp and sound, each a line."""
    seen = f"0 0 {LEFT + SECONDS * SCALE + 2} 42"
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{seen}" font-family="sans-serif" font-size="10">']
    for row, (name, colour) in enumerate(TRACKS):
        top = 1 + row * 14
        lines.append(f'<text x="0" y="{top + 9}" fill="{colour}">{name}</text>')
        lines.append(f'<path d="M{LEFT} {top + 11.5}h{SECONDS * SCALE}" stroke="#c9c4b8"/>')
        lines += [
            f'<rect x="{LEFT + start * SCALE:.1f}" y="{top}" width="{(end - start) * SCALE:.1f}" height="11"'
            f' fill="{colour}"/>'
            for start, end in _lit(signal, row)
        ]
    return "\n".join([*lines, "</svg>", ""])


def sheet() -> str:
    """The page to print, in French."""
    return f"""# Ce que dit la lampe

À imprimer et à coller près de la porte. Chaque dessin montre quatre secondes : la lampe verte, la lampe rouge, le son.
Verte : entrez. Rouge : non. Ambre, les deux ensemble : il faut que quelqu’un regarde. Sombre et muette : rien à dire,
ou pas de courant. **Pour sortir, la poignée suffit toujours.**

## À la porte

{_table(AT_THE_DOOR)}

## À une machine

{_table(AT_A_MACHINE)}

Le site de votre lieu a la même page, à l’adresse `/lamps`. Pour qui répare : [docs/operations.md](../operations.md).
"""


def _table(lamps: Iterable[Lamp]) -> str:
    head = "| la lampe | ce qu’elle dit | que faire |\n| --- | --- | --- |\n"
    return head + "\n".join(
        f"| ![{lamp.shows}](../../server/static/lamps/{lamp.signal}.svg) {lamp.shows} | {lamp.means} | {lamp.helps} |"
        for lamp in lamps
    )


def _lit(signal: Signal, track: int) -> Iterator[tuple[float, float]]:
    """From when to when one lamp, or the buzzer, is on; what follows without a gap is one piece."""
    at, begun = 0.0, None
    for seconds, levels in _frames(signal):
        on = levels[track]
        if on and begun is None:
            begun = at
        elif not on and begun is not None:
            yield begun, at
            begun = None
        at = min(SECONDS, at + seconds)
        if at >= SECONDS:
            break
    if begun is not None:
        yield begun, at


def _frames(signal: Signal) -> Iterable[tuple[float, Levels]]:
    return cycle(signal.frames) if signal.repeats else chain(signal.frames, [(float(SECONDS), patterns.DARK)])
