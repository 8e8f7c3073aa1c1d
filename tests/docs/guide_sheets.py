"""The guides of server/text/guides.py as sheets of docs/fr. Their pictures are a browser test’s. See tools/guides."""

from server.text.guides import GUIDES, Guide, Part, Picture
from server.text.lamps import AT_THE_DOOR

STATIC = "../../server/static"


def files() -> dict[str, str]:
    """Each sheet's name and what stands in it."""
    return {f"docs/fr/guide-{name}.md": _sheet(guide) for name, guide in GUIDES.items()}


def pictures() -> list[Picture]:
    return [part.picture for guide in GUIDES.values() for part in guide.parts if part.picture]


def _sheet(guide: Guide) -> str:
    parts = "\n\n".join(_part(part) for part in guide.parts)
    return f"""# {guide.title}

{guide.lead}

{parts}

Le site de votre lieu a la même page, à imprimer : `/guides/{guide.name}`. Tous les signaux : [lampes.md](lampes.md).
"""


def _part(part: Part) -> str:
    lamps = {lamp.signal: lamp for lamp in AT_THE_DOOR}
    shown = f"![{part.picture.said}]({STATIC}/guides/{part.picture.file}.png)" if part.picture else ""
    lines = "\n".join(f"- **{line.case}** : {line.do}" for line in part.lines).replace("?** :", "?**")
    signals = "\n".join(
        f"- ![]({STATIC}/lamps/{name}.svg) {lamps[name].shows} : **{lamps[name].means}** {lamps[name].helps}"
        for name in part.signals
    )
    return "\n\n".join(piece for piece in (f"## {part.title}", shown, lines, signals) if piece)
