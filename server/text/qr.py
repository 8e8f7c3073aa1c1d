"""How does a link get from paper to a phone? As a QR code, drawn here."""

import segno
from markupsafe import Markup


def qr(text: str) -> Markup:
    """An SVG for a page or a printed slip."""
    picture: str = segno.make(text, error="m", micro=False).svg_inline(svgclass="qr", scale=5, border=2)
    return Markup(picture)  # noqa: S704 - drawn by segno: no letter of the text stands in it
