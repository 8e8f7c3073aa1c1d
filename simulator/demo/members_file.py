"""Which file of members lies beside the demo, to be imported? As an association's software writes it, with slips."""

import csv
from datetime import date
from io import StringIO

from policy.bundle import Bundle, Member

NAME = "adherents.csv"


def members_file(bundle: Bundle, start: date) -> bytes:
    """Two newcomers, one who stays longer, one who is as known, and two lines that wait for the desk."""
    nomads = [one for one in bundle.members if one.tier == "nomade" and one.valid_until is None]
    stays, known = _two(nomads)
    ends = f"31/12/{start.year + 1}"
    rows = [
        ("Nom", "Prénom", "Formule", "Carte", "Fin d’adhésion", "Montant"),
        ("Aubry", "Maïa", "nomade", "04 5A B1 22 C8 6F 80", ends, "45,00"),
        ("Lefranc", "Ezra", "carnet de demi-journées", "", "", "120,00"),
        (*_surname_first(stays), "nomade", "", ends, "45,00"),
        (*_surname_first(known), "nomade", "", "", ""),
        ("Garnier", "Lou", "nomade à mi-temps", "", ends, "25,00"),
        ("", "", "nomade", "", ends, "45,00"),
    ]
    text = StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("cp1252")


def _two(members: list[Member]) -> tuple[Member, Member]:
    """Of simple names: one word before, one after."""
    plain = [one for one in members if one.status == "active" and not one.roles and len(one.name.split()) == 2]
    return plain[0], plain[1]


def _surname_first(member: Member) -> tuple[str, str]:
    first, last = member.name.split()
    return last, first
