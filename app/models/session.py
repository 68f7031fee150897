"""Who is signed in, and the links that let somebody in; only hashes are kept."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.models.columns import moment


class Session(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True)
    username: str
    user_agent: str = ""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    seen_at: datetime = Field(sa_column=moment(nullable=False))
    expires_at: datetime = Field(sa_column=moment(nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=moment())


class SignInToken(SQLModel, table=True):
    __tablename__ = "sign_in_token"

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True)
    username: str
    created_at: datetime = Field(sa_column=moment(nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=moment())
    used_at: datetime | None = Field(default=None, sa_column=moment())
    revoked_at: datetime | None = Field(default=None, sa_column=moment())
