"""Is every French sentence translated? Brings translations/en/LC_MESSAGES/messages.po and its .mo up to date.

Both files are committed, so that a server needs no step of building. Run as `python -m server.text.catalogue` after a
sentence changed; it prints those that still want an English one and exits with 1 while there are any.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parents[1]
FOLDER = HERE / "translations" / "en" / "LC_MESSAGES"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}


def extracted() -> Catalog:
    """The sentences that code and templates say."""
    catalogue = Catalog(project="Loquet")
    found = extract_from_dir(str(HERE), METHODS, keywords=KEYWORDS)
    for _file, _line, message, comments, context in sorted(found, key=lambda item: str(item[2])):
        catalogue.add(message, None, (), auto_comments=comments, context=context)
    return catalogue


def translated() -> Catalog:
    """The English catalogue as it is committed."""
    with (FOLDER / "messages.po").open("rb") as file:
        return read_po(file, locale="en")


def compiled(catalogue: Catalog) -> bytes:
    """The .mo of a catalogue."""
    target = BytesIO()
    write_mo(target, catalogue)
    return target.getvalue()


def missing(catalogue: Catalog) -> list[str]:
    """The sentences without a translation."""
    return [
        str(message.id)
        for message in catalogue
        if message.id and not all(message.string if isinstance(message.string, tuple | list) else [message.string])
    ]


def main() -> int:
    catalogue = translated()
    made = catalogue.creation_date
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.creation_date = made  # a run that changes nothing leaves the file as it was
    catalogue.obsolete.clear()
    with (FOLDER / "messages.po").open("wb") as file:
        write_po(file, catalogue, omit_header=False, no_location=True, sort_output=True, width=120)
    (FOLDER / "messages.mo").write_bytes(compiled(catalogue))
    sys.stderr.writelines(f"no English yet: {sentence}\n" for sentence in missing(catalogue))
    return 1 if missing(catalogue) else 0


if __name__ == "__main__":
    sys.exit(main())
