"""What is remembered."""

from app.models.database import Database  # isort: skip - first: it puts a sound SQLite in place

from sqlalchemy import MetaData
from sqlmodel import SQLModel

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMES  # before the tables below are made

from app.models.decision import Decision, GroupMark, Link
from app.models.delivery import Attempt, Delivery, DeliveryState
from app.models.effect import Effect, EffectKind
from app.models.endpoint import Endpoint, EndpointState, Mode
from app.models.log_event import LogEvent
from app.models.mailbox import FirstContact, Folder, Mailbox, MailboxState
from app.models.message import Message, MessageState, Raw, UidAlias
from app.models.process import Process, ProcessState
from app.models.rule import Rule, RuleVersion
from app.models.run import Run, RunState
from app.models.session import Session, SignInToken
from app.models.setting import Setting

metadata: MetaData = SQLModel.metadata

__all__ = [
    "Attempt",
    "Database",
    "Decision",
    "Delivery",
    "DeliveryState",
    "Effect",
    "EffectKind",
    "Endpoint",
    "EndpointState",
    "FirstContact",
    "Folder",
    "GroupMark",
    "Link",
    "LogEvent",
    "Mailbox",
    "MailboxState",
    "Message",
    "MessageState",
    "Mode",
    "Process",
    "ProcessState",
    "Raw",
    "Rule",
    "RuleVersion",
    "Run",
    "RunState",
    "Session",
    "Setting",
    "SignInToken",
    "UidAlias",
    "metadata",
]
