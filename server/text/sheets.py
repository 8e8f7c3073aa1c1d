"""How do lists leave for a spreadsheet? CSV as a French spreadsheet opens it, and XLSX.

CSV: UTF-8 with its mark, semicolons, days as 31/12/2026. A text that begins as a formula does gets an apostrophe, in
XLSX it is a text by its type: nothing that somebody is called is reckoned by whoever opens it.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from io import BytesIO, StringIO
from typing import NamedTuple, TypeAlias

from flask import Response
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.exceptions import IllegalCharacterError

Cell: TypeAlias = str | int | date | None
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TITLE = 31
"""Characters of a sheet's name at most."""


class Sheet(NamedTuple):
    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def csv_file(sheet: Sheet, name: str) -> Response:
    """A download of one list."""
    target = StringIO()
    writer = csv.writer(target, delimiter=";", lineterminator="\r\n")
    writer.writerow(sheet.headings)
    writer.writerows([_written(cell) for cell in row] for row in sheet.rows)
    return _download(target.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", f"{name}.csv")


def xlsx_file(sheets: Iterable[Sheet], name: str) -> Response:
    """A download of several lists, a sheet for each."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(sheet.title[:TITLE])
        page.append(list(sheet.headings))
        for row in sheet.rows:
            page.append([_cell(page, cell) for cell in row])
    target = BytesIO()
    book.save(target)
    return _download(target.getvalue(), XLSX, f"{name}.xlsx")


def _written(cell: Cell) -> str:
    if isinstance(cell, date):
        return f"{cell:%d/%m/%Y}"
    text = "" if cell is None else str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(FORMULA) else text


def _cell(page: object, cell: Cell) -> object:
    if not isinstance(cell, str):
        return cell
    try:
        written = WriteOnlyCell(page, value=cell)
    except IllegalCharacterError:
        written = WriteOnlyCell(page, value="".join(sign for sign in cell if sign.isprintable()))
    written.data_type = "s"
    return written


def _download(body: bytes, kind: str, name: str) -> Response:
    return Response(body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
