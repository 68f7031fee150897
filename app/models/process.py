"""Processes that are, or were, at work."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from app.models.columns import moment, word


class ProcessState(StrEnum):
    READY = "ready"
    STOPPED = "stopped"
    DIED = "died"


class Process(SQLModel, table=True):
    owner: str = Field(primary_key=True)  # machine/role/pid/start: see jobs.owner
    role: str
    machine: str = Field(index=True)
    pid: int
    state: ProcessState = Field(default=ProcessState.READY, sa_column=word(ProcessState))
    started_at: datetime = Field(sa_column=moment(nullable=False))
    beat_at: datetime = Field(sa_column=moment(nullable=False))
    restarts: int = 0
    last_exit: str = ""  # how the one before it ended: "SIGKILL", "exit 1"
    queue_ok: bool = True  # whether it reaches Redis
