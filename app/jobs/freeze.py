"""Make the bodies of deliveries that go for the first time."""

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Row, bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.body import compose, shaped
from app.jobs.border import guarded
from app.models import Content, Endpoint, Message, Raw, RuleVersion
from app.models.mirror import COPY
from app.rules import payload
from app.rules.outcome import Word

Taken: TypeAlias = tuple[Endpoint, Row[Any]]  # a delivery that was claimed, and its receiver


async def freeze(db: AsyncSession, taken: Sequence[Taken]) -> dict[int, bytes | Word]:
    """Make the bodies, once: from now on every retry sends these very bytes."""
    if not taken:
        return {}
    mails = await _mails(db, {row.message_id for _, row in taken})
    forms = await _forms(db, {row.rule_version_id for _, row in taken})
    bodies: dict[int, bytes | Word] = {}
    for endpoint, row in taken:
        mail, form = mails.get(row.message_id), forms[row.rule_version_id]
        if mail is None:
            bodies[row.id] = Word.SOURCE_REMOVED
            continue
        made = await guarded(f"body of {row.id}", partial(_body, endpoint, row, mail, form))
        bodies[row.id] = made or Word.UNEXPECTED
    return bodies


async def _mails(db: AsyncSession, ids: set[int]) -> dict[int, Row[Any]]:
    """Find what bodies say of their mails; the sources stay where they are."""
    return {row.id: row for row in (await db.exec(_MAILS, params={"ids": list(ids)})).all()}


async def _forms(db: AsyncSession, ids: set[int]) -> dict[int | None, str]:
    versions = (await db.exec(_VERSIONS, params={"ids": list(ids)})).all()
    return {version.id: version.as_value().template for version in versions}


async def _body(endpoint: Endpoint, row: Row[Any], mail: Any, form: str) -> bytes:  # noqa: ANN401
    body = compose(mail, plain=mail.plain or "", html=mail.html or "", facts=row.facts, form=form)
    templated = form and endpoint.content is Content.TEMPLATE  # a rule's own template says more of its mails
    if not templated and not row.facts.get(COPY):  # a copy is what it is
        body = shaped(body, endpoint)
    return payload.encode(body)


_IDS: Any = bindparam("ids", expanding=True)
_MAILS = (
    select(  # type: ignore[call-overload]
        Message.id,
        *(Message.email_id, Message.subject, Message.date_header, Message.sender_header, Message.sender),
        *(Raw.plain, Raw.html),
    )
    .join(Raw, col(Raw.message_id) == Message.id)
    .where(col(Message.id).in_(_IDS))
)
_VERSIONS = select(RuleVersion).where(col(RuleVersion.id).in_(_IDS))
