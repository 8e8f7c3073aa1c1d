"""What is kept about me? /me/data: all of it in one file, as JSON for programs and as CSV for spreadsheets."""

import csv
import io
import zipfile
from typing import Any

import msgspec
from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from server.queries.my_data import my_data
from server.text.dates import local
from server.web.sessions import context, signed_in

page = Blueprint("my_data", __name__)

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would reckon with."""


@page.get("/me/data")
def download() -> ResponseReturnValue:
    """A zip. Raises NotFound for an account that is no member's."""
    known, member = context(), signed_in().member
    if member is None:
        raise NotFound
    with known.database.reading() as session:
        found = my_data(session, known.current().bundle, member)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("loquet.json", msgspec.json.format(msgspec.json.encode(found), indent=1))
        for name, rows in found.items():
            if rows:
                file.writestr(f"{name}.csv", _csv(rows))
    name = f"loquet-{local(known.clock()).date()}.zip"
    return Response(
        packed.getvalue(),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _csv(rows: list[dict[str, Any]]) -> bytes:
    """With a BOM, by which spreadsheets know UTF-8."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(column for row in rows for column in row)), delimiter=";")
    writer.writeheader()
    writer.writerows({column: _cell(value) for column, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula is kept from it by a quote."""
    if isinstance(value, dict | list):
        value = msgspec.json.encode(value).decode()
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value
