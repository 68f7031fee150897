"""What an operator does with the receivers: in force for the next try, each with its log event."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.integrations.errors import IntegrationError
from app.integrations.network import Gate
from app.integrations.signature import new_secret
from app.integrations.webhook import check_authority
from app.jobs import intervene
from app.jobs.intervene import Chosen
from app.jobs.seed import add_endpoint, new_endpoint
from app.models import Content, Delivery, DeliveryState, Endpoint, EndpointState, LogEvent, Mode
from app.models.held import RECEIVER, HeldFilter
from app.rules import endpoint_draft
from app.rules.verdict import Problems, Reason
from app.vault import Sealed, Vault

OVERLAP = timedelta(hours=24)  # for which an old secret goes on signing
SLOW = 2.0  # requests at once, until it has shown what it takes

CREATED, SAVED, DELETED = "receiver created", "receiver saved", "receiver deleted"
PAUSED, RESUMED, TAKEN_UP = "receiver paused", "receiver resumed", "receiver taken up again"
ROTATED, EXPIRED = "receiver given a new secret", "receiver's old secret expired"

Values = dict[str, Any]


def read(
    raw: Mapping[str, Any], *, kept: Mapping[str, str], gate: Gate, may_be_insecure: bool
) -> tuple[Values, Problems]:
    """Read a form as `endpoint_draft.read` does, and ask those who know addresses and certificates."""
    values, problems = endpoint_draft.read(raw, kept=kept, may_be_insecure=may_be_insecure)
    try:
        if "url" in values:
            gate.check_url(values["url"])
    except IntegrationError as error:
        problems["url"] = Reason(error.reason.value, {"detail": error.detail})
        del values["url"]
    try:
        if values.get("authority"):
            check_authority(values["authority"])
    except IntegrationError:
        problems["authority"] = Reason("not_certificates")
        del values["authority"]
    return values, problems


def kept_headers(endpoint: Endpoint | None, vault: Vault) -> dict[str, str]:
    """Give the extra headers; none, when they cannot be read with this installation's key."""
    if endpoint is None or not endpoint.extra_headers:
        return {}
    try:
        headers: dict[str, str] = json.loads(vault.open(endpoint.extra_headers))
    except Sealed:
        return {}
    return headers


async def create(db: AsyncSession, values: Values, *, vault: Vault, by: str, now: datetime) -> Endpoint:
    """Add a receiver. Rules choose it in their form; the first of one's own becomes that of all."""
    endpoint = new_endpoint(values["name"], values["url"], vault, now)
    _set(endpoint, values, vault)
    if await is_first(db):
        await add_endpoint(db, endpoint, by=by, now=now)
    db.add(endpoint)
    await db.flush()
    _note(db, endpoint, CREATED, by=by, now=now)
    return endpoint


async def is_first(db: AsyncSession) -> bool:
    """Say whether nobody has a receiver of one's own yet."""
    own = select(func.count()).select_from(Endpoint).where(col(Endpoint.demo).is_(False))
    return (await db.exec(own)).one() == 0


def save(
    db: AsyncSession, endpoint: Endpoint, values: Values, *, vault: Vault, by: str, now: datetime
) -> None:
    """Change what differs; what waits goes to where the receiver is now, what is on its way is left alone."""
    if endpoint.url != values["url"]:  # another place, of which nobody knows yet what it takes
        endpoint.pace, endpoint.usual_ms = SLOW, None
    changed = _set(endpoint, values, vault)
    _note(db, endpoint, SAVED, by=by, now=now, changed=changed)


def pause(db: AsyncSession, endpoint: Endpoint, *, by: str, now: datetime) -> None:
    """Let nothing go to it; what is due waits."""
    if endpoint.state is EndpointState.ACTIVE:
        endpoint.state, endpoint.state_since = EndpointState.PAUSED, now
        _note(db, endpoint, PAUSED, by=by, now=now)


def resume(db: AsyncSession, endpoint: Endpoint, *, by: str, now: datetime) -> None:
    """Let things go to it again; a parked one begins as if it had never failed.

    Why it was parked stays with it until it has taken something: then people are told that it works again.
    """
    if endpoint.state is EndpointState.PARKED:
        endpoint.failures, endpoint.failing_since = 0, None
        endpoint.opened, endpoint.open_until, endpoint.not_before = 0, None, None
        endpoint.pace, endpoint.closed_at = SLOW, now
        _note(db, endpoint, TAKEN_UP, by=by, now=now)
    elif endpoint.state is EndpointState.PAUSED:
        _note(db, endpoint, RESUMED, by=by, now=now)
    endpoint.state, endpoint.state_since = EndpointState.ACTIVE, now


def held_by(endpoint: Endpoint) -> HeldFilter:
    """Say what this receiver itself holds: not what waits for the window, the pause or the like."""
    return HeldFilter(why=RECEIVER, endpoint=endpoint.id)


async def release(db: AsyncSession, endpoint: Endpoint, *, by: str, now: datetime) -> LogEvent | None:
    """Put what it holds back in the line, where the oldest goes first; None when there was nothing."""
    return await intervene.release(db, Chosen(all_of=held_by(endpoint)), by=by, now=now)


async def delete(db: AsyncSession, endpoint: Endpoint, *, by: str, now: datetime) -> None:
    """Take it out of use; what it was sent stays readable, what it was still to be sent is dropped."""
    endpoint.state, endpoint.state_since = EndpointState.DELETED, now
    await db.flush()
    _note(db, endpoint, DELETED, by=by, now=now, dropped=await drop_of_deleted(db, now))


async def drop_of_deleted(db: AsyncSession, now: datetime) -> int:
    """Drop what waits for receivers that were deleted; what is on its way to one ends first."""
    gone = select(Endpoint.id).where(Endpoint.state == EndpointState.DELETED)
    dropped = await db.exec(
        update(Delivery)
        .where(_waits(), col(Delivery.endpoint_id).in_(gone))
        .values(
            state=DeliveryState.DROPPED,
            reason=Reason("endpoint_deleted").to_json(),
            finished_at=now,
            in_line_since=None,
            needs_attention=False,
        ),
        **intervene.UNSEEN,
    )
    return int(dropped.rowcount)


def _waits() -> ColumnElement[bool]:
    return or_(Delivery.is_now(DeliveryState.PENDING), Delivery.is_now(DeliveryState.HELD))


def rotate(db: AsyncSession, endpoint: Endpoint, *, vault: Vault, by: str, now: datetime) -> str:
    """Give it a new secret, which is nowhere to be read again; for a while the old one signs as well."""
    secret = new_secret()
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, now + OVERLAP
    endpoint.secret = vault.seal(secret)
    _note(db, endpoint, ROTATED, by=by, now=now)
    return secret


def end_overlap(db: AsyncSession, endpoint: Endpoint, *, by: str, now: datetime) -> None:
    """From now on the new secret signs alone."""
    if len(endpoint.secrets_at(now)) > 1:
        _note(db, endpoint, EXPIRED, by=by, now=now)
    endpoint.previous_secret = endpoint.previous_until = None


def _set(endpoint: Endpoint, values: Values, vault: Vault) -> list[str]:
    """Set what differs, and name it."""
    wanted = {**values, "mode": Mode(values["mode"]), "content": Content(values["content"])}
    headers = wanted.pop("extra_headers")
    changed = [name for name, value in wanted.items() if getattr(endpoint, name) != value]
    for name in changed:
        setattr(endpoint, name, wanted[name])
    if headers != kept_headers(endpoint, vault):
        endpoint.extra_headers = vault.seal(json.dumps(headers)) if headers else None
        changed.append("extra_headers")
    return changed


def _note(
    db: AsyncSession, endpoint: Endpoint, event: str, *, by: str, now: datetime, **facts: object
) -> None:
    """Say what was done and by whom, never a secret, nor what a header says."""
    told = {"endpoint": endpoint.id, "by": by, **facts}
    db.add(LogEvent(at=now, event=event, subject=endpoint.name, facts=told))
