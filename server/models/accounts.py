"""Who is logged in?"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from server.models.fields import utc


class WebSession(SQLModel, table=True):
    """Somebody is logged in. token_hash: SHA-256 of the random token in their cookie, hex."""

    __tablename__ = "web_session"

    token_hash: str = Field(primary_key=True)
    account: str
    expires: datetime = utc(index=True)
