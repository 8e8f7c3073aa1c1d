"""Who reserved a machine?"""

from sqlmodel import Field, SQLModel


class Booking(SQLModel, table=True):
    """Who reserved a machine, and when."""

    __tablename__ = "booking"

    id: str = Field(primary_key=True)
    position: int
    machine: str = Field(foreign_key="machine.id", index=True)
    member: str = Field(foreign_key="member.id", index=True)
    start: str
    end: str
