r"""What is still to be done outside after a commit: the `\Seen` flags."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.models.columns import facts, moment, word


class EffectKind(StrEnum):
    SEEN = "seen"


class Effect(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("kind", "reference"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: EffectKind = Field(sa_column=word(EffectKind))
    reference: str  # what it is about, once
    folder_id: int | None = Field(default=None, foreign_key="folder.id", index=True)
    payload: dict[str, Any] = Field(sa_column=facts())
    due_at: datetime = Field(sa_column=moment(index=True, nullable=False))
    tries: int = 0
    detail: str = ""
    done_at: datetime | None = Field(default=None, sa_column=moment(index=True))
