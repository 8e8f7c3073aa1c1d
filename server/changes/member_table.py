"""What does a file of members say? A table of texts with what each column means, out of CSV or XLSX from anywhere.

CSV in UTF-8, with or without its mark, UTF-16 or Windows-1252, between `;` `,` or tabs, as HelloAsso, Galette,
Dolibarr, Paheko, Cobot and spreadsheets write it. Nothing is guessed that could let somebody in or keep them out: the
columns that no name of SYNONYMS means are left aside.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO, StringIO
from unicodedata import combining, normalize
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook

MOST_BYTES, MOST_LINES, MOST_COLUMNS = 4 << 20, 20_000, 100
MOST_UNPACKED = 100 << 20
"""Bytes of an XLSX without its compression."""
LOOKED_FOR = 10
"""Lines among which the headings stand."""
SYNONYMS = {
    "last": ("nom de famille", "nom adherent", "nom de l'adherent", "nom participant", "nom", "lastname", "last name",
             "surname", "nom_adh", "a.lastname"),
    "first": ("prenom adherent", "prenom de l'adherent", "prenom participant", "prenom", "firstname", "first name",
              "prenom_adh", "a.firstname"),
    "full": ("nom & prenom", "nom et prenom", "nom complet", "identite", "name", "full name", "membre", "member"),
    "tier": ("formule", "tarif", "type d'adhesion", "categorie", "activite", "plan", "tier", "membership"),
    "badge": ("badge", "uid", "n badge", "numero de badge", "carte", "n carte", "numero de carte", "rfid", "tag"),
    "carnet": ("carnet", "solde", "solde carnet", "demi-journees", "journees", "unites", "reste", "pass"),
    "valid_from": ("date de debut", "debut", "date d'inscription", "date d'adhesion", "date de creation",
                   "date_crea_adh", "datec", "a.datec", "premier jour", "valable du", "start", "membership start"),
    "valid_until": ("date d'echeance", "date d'expiration", "fin d'adhesion", "fin", "date de fin", "datefin",
                    "a.datefin", "date_echeance", "valable jusqu'au", "dernier jour", "echeance", "end",
                    "membership end"),
}  # fmt: skip
MONTHS = ("janv", "fev", "mars", "avr", "mai", "juin", "juil", "aou", "sept", "oct", "nov", "dec")
_DAY = re.compile(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})(?:[ T].*)?|(\d{4})-(\d{2})-(\d{2})(?:[ T].*)?")
_WRITTEN = re.compile(r"(\d{1,2})(?:er)? ([a-z]+)\.? (\d{4})")


class NotATableError(ValueError):
    """The file cannot be read as a table of members.

    why: `empty`, `binary`, `long`, `wide`, `names`, `broken` or `large`. found: the headings that it has, or the line.
    """

    def __init__(self, why: str, found: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.why, self.found = why, tuple(found)


@dataclass(frozen=True, slots=True)
class Table:
    """form: `xlsx`, or the encoding and the separator of CSV. lines: with their number in the file."""

    form: str
    headings: tuple[str, ...]
    lines: tuple[tuple[int, tuple[str, ...]], ...]


def table(content: bytes) -> Table:
    """Raises NotATableError."""
    if len(content) > MOST_BYTES:
        raise NotATableError("large")
    form, rows = _xlsx(content) if content.startswith(b"PK\x03\x04") else _csv(content)
    lines: list[tuple[int, tuple[str, ...]]] = []
    headings: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    for number, cells in rows:
        if not any(cells):
            continue
        if headings:
            lines.append((number, cells))
        elif _names_people(meanings(cells).values()):
            headings = cells
        else:
            seen = seen or cells
            if number >= LOOKED_FOR:
                break
        if len(lines) > MOST_LINES:
            raise NotATableError("long")
        if len(cells) > MOST_COLUMNS:
            raise NotATableError("wide")
    if not headings:
        raise NotATableError("names" if seen else "empty", [cell[:40] for cell in seen[:12] if cell])
    return Table(form, headings, tuple(lines))


def meanings(headings: Sequence[str]) -> dict[int, str]:
    """What the columns are proposed to mean, each meaning once: the longest name first, then from the left."""
    known = {read(name): field for field, names in SYNONYMS.items() for name in names}
    order = [name for names in SYNONYMS.values() for name in names]
    found: dict[str, tuple[int, int]] = {}
    for position, heading in enumerate(headings):
        name = read(heading)
        if (field := known.get(name)) is not None:
            found[field] = min(found.get(field, (len(order), 0)), (order.index(name), position))
    if "last" in found and "first" in found:
        found.pop("full", None)
    elif "full" in found:
        found.pop("last", None)
    return {position: field for field, (_, position) in found.items()}


def _names_people(fields: Iterable[str]) -> bool:
    return not {"last", "full"}.isdisjoint(fields)


def read(heading: str) -> str:
    """A heading without its marks, accents, case and what is in brackets."""
    plain = re.sub(r"\([^)]*\)|[:*?°#\ufeff]", " ", heading.replace("’", "'"))
    letters = "".join(sign for sign in normalize("NFD", plain.casefold()) if not combining(sign))
    return " ".join(letters.split())


def day(written: str) -> date | None:
    """31/12/2026, 2026-12-31, 31 déc. 2026, with an hour or without; None for nothing. Raises ValueError."""
    said = " ".join(written.split())
    if not said:
        return None
    if found := _DAY.fullmatch(said):
        parts = (found[3], found[2], found[1]) if found[1] else (found[4], found[5], found[6])
        return date(*map(int, parts))
    if found := _WRITTEN.fullmatch(read(said)):
        month = next((number for number, name in enumerate(MONTHS, 1) if found[2].startswith(name)), 0)
        return date(int(found[3]), month, int(found[1]))
    raise ValueError(written)


def _csv(content: bytes) -> tuple[str, Iterator[tuple[int, tuple[str, ...]]]]:
    text, encoding = _text(content)
    if any(ord(sign) < 32 and sign not in "\t\r\n\f\x0b" for sign in text[: 1 << 16]):
        raise NotATableError("binary")
    first = next((line for line in text.splitlines() if line.strip()), "")
    plain = re.sub(r'"[^"]*"', "", first)
    separator = max(";,\t", key=plain.count)
    return f"{encoding} {separator}", _lines(text, separator)


def _lines(text: str, separator: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    reader = csv.reader(StringIO(text.replace("\r\n", "\n").replace("\r", "\n")), delimiter=separator)
    try:
        for cells in reader:
            yield reader.line_num, tuple(cell.strip().replace("\xa0", " ") for cell in cells)
    except csv.Error:
        raise NotATableError("broken", [str(reader.line_num)]) from None


def _text(content: bytes) -> tuple[str, str]:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, "replace"), "UTF-8" if encoding == "utf-8-sig" else "UTF-16"
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), "Windows-1252"


def _xlsx(content: bytes) -> tuple[str, Iterator[tuple[int, tuple[str, ...]]]]:
    try:
        with ZipFile(BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise NotATableError("large")
        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
    except (BadZipFile, KeyError, ValueError, OSError, IndexError, SyntaxError) as error:
        if isinstance(error, NotATableError):
            raise
        raise NotATableError("binary") from None
    rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1)
    return "xlsx", ((number, _filled(map(_cell, cells))) for number, cells in enumerate(rows, 1))


def _filled(cells: Iterable[str]) -> tuple[str, ...]:
    """Without the empty cells at the end, which a sheet has for ever."""
    row = list(cells)
    while row and not row[-1]:
        row.pop()
    return tuple(row)


def _cell(value: object) -> str:
    if isinstance(value, datetime | date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip().replace("\xa0", " ")
