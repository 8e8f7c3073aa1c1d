"""The table of the register of processing, from the list that the page goes by. Run it to have it written anew."""

from pathlib import Path

from server.config import MOST_RETAINED
from server.text.kept import Line, lines

FILE = Path(__file__).parent.parent.parent / "docs/fr/registre.md"
HEAD = "| Ce qui est gardé | Jusqu’à quand | Pourquoi | Qui le voit |\n| --- | --- | --- | --- |\n"


def table() -> str:
    return HEAD + "".join(map(_row, lines(MOST_RETAINED)))


def _row(line: Line) -> str:
    return f"| {line.what} | {line.until} | {line.why} | {line.who} |\n"


def main() -> None:
    before, after = FILE.read_text("utf-8").split(HEAD)
    FILE.write_text(before + table() + after.partition("\n\n")[1] + after.partition("\n\n")[2], "utf-8")


if __name__ == "__main__":
    main()
