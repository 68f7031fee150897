"""What is remembered."""

from sqlmodel import SQLModel

from app.models.database import Database
from app.models.decision import Decision, GroupMark, Link
from app.models.delivery import Attempt, Delivery, DeliveryState
from app.models.effect import Effect, EffectKind
from app.models.endpoint import Content, Endpoint, EndpointState, Mode
from app.models.endpoint_test import EndpointTest
from app.models.log_event import LogEvent
from app.models.mailbox import FirstContact, Folder, Mailbox, MailboxState
from app.models.message import Message, MessageState, Raw, UidAlias
from app.models.notice import Mailing, Notice, NoticeKind
from app.models.process import Process, ProcessState
from app.models.rule import Rule, RuleVersion
from app.models.run import Change, Run, RunState, TrialResult
from app.models.session import Session, SignInToken
from app.models.setting import Sending, Setting
from app.models.size import Size

metadata = SQLModel.metadata

__all__ = [
    "Attempt",
    "Change",
    "Content",
    "Database",
    "Decision",
    "Delivery",
    "DeliveryState",
    "Effect",
    "EffectKind",
    "Endpoint",
    "EndpointState",
    "EndpointTest",
    "FirstContact",
    "Folder",
    "GroupMark",
    "Link",
    "LogEvent",
    "Mailbox",
    "MailboxState",
    "Mailing",
    "Message",
    "MessageState",
    "Mode",
    "Notice",
    "NoticeKind",
    "Process",
    "ProcessState",
    "Raw",
    "Rule",
    "RuleVersion",
    "Run",
    "RunState",
    "Sending",
    "Session",
    "Setting",
    "SignInToken",
    "Size",
    "TrialResult",
    "UidAlias",
    "metadata",
]
