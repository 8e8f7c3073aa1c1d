"""What is to be sent to people, by which channel, and what became of it?"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from server.models.fields import utc, utc_or_none


class Message(SQLModel, table=True):
    """state: of server/changes/messages.py. about: what for. body: emptied once it is over, it may hold a link.

    due: when it is tried next. until: nobody wants it later. tries: so far. why: what stood in the way last. ended:
    since when it is over, whatever became of it. name: of the Message-ID, the same at each try. channel, to: how
    and where it goes.
    """

    __tablename__ = "message"

    id: int | None = Field(default=None, primary_key=True)
    state: str = Field(index=True)
    about: str
    by: str
    to: str
    subject: str
    body: str
    name: str
    channel: str = "mail"
    made: datetime = utc()
    due: datetime = utc()
    until: datetime = utc()
    tries: int = 0
    why: str = ""
    ended: datetime | None = utc_or_none()
