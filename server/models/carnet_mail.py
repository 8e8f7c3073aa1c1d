"""Whom is it told by mail when little is left on their carnet, or when it ends soon?"""

from sqlmodel import Field, SQLModel

from server.models.fields import json_column


class CarnetMail(SQLModel, table=True):
    """A row for whoever was told, or chose. wanted: whether they are written to. told: of which carnets, by id,
    that little is left, and of which last days, as `ends:2026-12-31`."""

    __tablename__ = "carnet_mail"

    member: str = Field(foreign_key="member.id", primary_key=True)
    wanted: bool = True
    told: list[str] = json_column()
