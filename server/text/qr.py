"""How does a link get from paper to a phone? As a QR code, drawn here."""

import segno
from markupsafe import Markup


def qr(text: str, *, grows: bool = False) -> Markup:
    """An SVG for a page or a printed slip. grows: it has the size that the stylesheet gives it."""
    picture: str = segno.make(text, error="m", micro=False).svg_inline(svgclass="qr", scale=5, border=2, omitsize=grows)
    return Markup(picture)  # noqa: S704 - drawn by segno: no letter of the text stands in it
