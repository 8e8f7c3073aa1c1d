"""What was typed in a form? Dates, and the thing as the page showed it: so two who change it learn of each other."""

from datetime import date
from typing import TypeVar

import msgspec
from flask import request

from server.text.dates import read_date

Known = TypeVar("Known")


def date_in(field: str, wrong: list[str], *, needed: bool = True) -> date | None:
    """The date in a field; where there is none as there should be, the field is noted as wrong."""
    try:
        day = read_date(request.form.get(field, ""))
    except ValueError:
        day, needed = None, True
    if day is None and needed:
        wrong.append(field)
    return day


def typed(day: date) -> str:
    """A date as a field shows it."""
    return f"{day:%d/%m/%Y}"


def written(one: object) -> str:
    """A thing as a form keeps it, for seen()."""
    return msgspec.json.encode(one).decode()


def seen(kind: type[Known]) -> Known | None:
    """The thing as the page showed it; None of a new one, and of what is none."""
    try:
        return msgspec.json.decode(request.form.get("was", ""), type=kind)
    except msgspec.MsgspecError:
        return None
