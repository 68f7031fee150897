"""Builders of rows: two mailboxes, two receivers, a mail, a delivery, a try at it."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import (
    Attempt,
    Decision,
    Delivery,
    DeliveryState,
    Endpoint,
    Folder,
    Mailbox,
    MailboxState,
    Message,
    MessageState,
    Raw,
    Rule,
    RuleVersion,
)
from app.rules.verdict import Verdict

TEXT = """Bonjour,

La mission est prête. Merci de livrer le lot pour 18h30.

Sources : https://www.dropbox.com/scl/fo/7k2m9q4x1z/lot-42?dl=0
Dépose : https://www.dropbox.com/request/q8w3e1r5

Bien à vous,
Camille Aubert
Média Solution
"""


def reason(code: str, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 - any fact
    return {"code": code, "facts": facts}


def step(code: str, mark: str = "passed", **facts: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**reason(code, **facts), "mark": mark}


SENDS = reason("rule_sends", endpoints=[1], receivers=1)


@dataclass
class Cast:
    """What a test may want to point at."""

    now: datetime
    mailboxes: list[Mailbox] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    versions: list[RuleVersion] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    uid: int = 1000

    def ago(self, **span: float) -> datetime:
        return self.now - timedelta(**span)


async def add_surroundings(db: AsyncSession, cast: Cast) -> None:
    """Add mailboxes and receivers; the preset rules are there already."""
    cast.mailboxes = [
        _mailbox(cast, "missions", "imap.example.com"),
        _mailbox(cast, "archives", "imap.example.org"),
    ]
    cast.endpoints = [
        _endpoint(cast, "studio", "https://hooks.example.com/signal"),
        _endpoint(cast, "planning", "https://planning.example.org/in"),
    ]
    db.add_all([*cast.mailboxes, *cast.endpoints])
    await db.flush()
    cast.folders = [
        Folder(mailbox_id=box.id or 0, uidvalidity=1700000001, mark=1000) for box in cast.mailboxes
    ]
    db.add_all(cast.folders)
    cast.rules = list((await db.exec(select(Rule).order_by(col(Rule.position)))).all())
    cast.versions = list((await db.exec(select(RuleVersion).order_by(col(RuleVersion.rule_id)))).all())
    await db.flush()


async def a_message(db: AsyncSession, cast: Cast, subject: str, **given: Any) -> Message:  # noqa: ANN401 - any column
    """Add one mail; what is not given makes it a decided one that was sent on.

    Without a `text` its source was never fetched; `parsed=False`: nobody could read it.
    """
    cast.uid += 1
    at = given.pop("at", cast.now)
    sender = given.pop("sender", "camille.aubert@example.com")
    text, parsed = given.pop("text", TEXT), given.pop("parsed", True)
    facts = {
        "mailbox_id": cast.mailboxes[0].id,
        "folder_id": cast.folders[0].id,
        "uidvalidity": 1700000001,
        "uid": cast.uid,
        "size": 18_432,
        "internal_at": at,
        "stored_at": at + timedelta(seconds=1),
        "decided_at": at + timedelta(seconds=1),
        "state": MessageState.DECIDED,
        "verdict": Verdict.DELIVER,
        "reason": SENDS,
        "sender": sender,
        "sender_header": f"Camille Aubert <{sender}>",
        "message_id": f"<lot-{cast.uid}@example.com>",
        "date_header": at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        "email_id": f"{cast.uid:032x}",
        "fingerprint": f"{cast.uid:064x}",
        "digest": f"{cast.uid:064x}" if text is not None else None,
        "steps": [step("no_reply_prefix")] if text is not None and parsed else [],
        "fetch_tries": 1,
    }
    message = Message(subject=subject, **facts | given)
    db.add(message)
    await db.flush()
    if text is not None:
        read = {"plain": text, "html": "", "text": text} if parsed else {}
        db.add(Raw(message_id=message.id or 0, body=text.encode(), **read))
    return message


async def a_mail_without_receiver(db: AsyncSession, cast: Cast, subject: str) -> Message:
    """Add one that the first rule took while it had no receiver."""
    why = reason("no_endpoint", rule=cast.rules[0].name)
    message = await a_message(db, cast, subject, verdict=Verdict.HOLD, reason=why)
    db.add(a_decision(cast, message, verdict=Verdict.HOLD, reason=why, steps=[]))
    return message


def a_decision(cast: Cast, message: Message, **given: Any) -> Decision:  # noqa: ANN401
    """Say what the first rule, which took the mail, said of it."""
    return Decision(
        message_id=message.id or 0,
        rule_id=cast.rules[0].id or 0,
        rule_version_id=cast.versions[0].id or 0,
        position=0,
        matched=True,
        created_at=cast.now,
        **given,
    )


async def a_delivery(db: AsyncSession, cast: Cast, message: Message, **given: Any) -> Delivery:  # noqa: ANN401
    """Add one delivery of a mail, sent unless told otherwise."""
    endpoint, rule = given.pop("endpoint", 0), given.pop("rule", 0)
    at = given.pop("at", message.stored_at)
    message.expected_deliveries += 1
    links = [{"provider": "dropbox", "raw_url": "https://www.dropbox.com/scl/fo/7k2m9q4x1z/lot-42?dl=0"}]
    payload = {
        "microsoft_graph_email_id": message.email_id,
        "subject": message.subject,
        "sender_email": message.sender,
        "bodyPreview": TEXT[:80],
        "detector": "recadrage",
        "delivery_time": "18h30",
        "webhooks_time_start": "maintenant",
        "delivery_links": links,
    }
    facts = {
        "webhook_id": f"msg_{message.id or 0:08x}{endpoint}{rule}",
        "message_id": message.id,
        "rule_id": cast.rules[rule].id,
        "rule_version_id": cast.versions[rule].id,
        "endpoint_id": cast.endpoints[endpoint].id,
        "state": DeliveryState.SENT,
        "reason": reason("sent", status=200),
        "facts": {
            "detector": "recadrage",
            "captures": {},
            "delivery_time": "18h30",
            "urgent": False,
            "window_start": "maintenant",
            "window_end": None,
            "links": links,
        },
        "body": json.dumps(payload, ensure_ascii=False).encode(),
        "due_at": at,
        "attempts": 1,
        "created_at": at,
        "finished_at": at + timedelta(seconds=1),
    }
    delivery = Delivery(**facts | given)
    db.add(delivery)
    await db.flush()
    return delivery


async def an_attempt(db: AsyncSession, delivery: Delivery, number: int = 1, **given: Any) -> Attempt:  # noqa: ANN401
    """Add one try, answered with 200 unless told otherwise."""
    at = given.pop("at", delivery.created_at)
    facts = {
        "delivery_id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "generation": number,
        "number": number,
        "owner": "host/worker/12/1",
        "started_at": at,
        "ended_at": at + timedelta(milliseconds=214),
        "outcome": "sent",
        "status": 200,
        "peer": "203.0.113.7",
        "timings": {"dns": 4.1, "connect": 18.7, "tls": 41.2, "send": 0.8, "wait": 146.3, "read": 2.9},
        "request_headers": {
            "content-type": "application/json; charset=utf-8",
            "webhook-id": delivery.webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
            "x-source": "render-signal-server",
        },
        "answer_headers": {"content-type": "application/json", "server": "nginx"},
        "answer": b'{"success": true, "message": "Mission 42 cr\xc3\xa9\xc3\xa9e"}',
    }
    attempt = Attempt(**facts | given)
    db.add(attempt)
    await db.flush()
    return attempt


def _mailbox(cast: Cast, name: str, host: str) -> Mailbox:
    polled = cast.ago(seconds=8)
    return Mailbox(
        name=name,
        host=host,
        port=993,
        username=name,
        password=b"-",
        senders=[],
        state=MailboxState.OK,
        state_since=cast.ago(days=3),
        polled_at=polled,
        answered_at=polled,
        poll_at=polled + timedelta(seconds=30),
        created_at=cast.ago(days=30),
    )


def _endpoint(cast: Cast, name: str, url: str) -> Endpoint:
    return Endpoint(name=name, url=url, secret=b"-", schedule=[5, 300], created_at=cast.ago(days=30))
