"""What an operator does with the receivers: in force for the next try, each with its log event."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.integrations.signature import new_secret
from app.jobs import intervene
from app.jobs.intervene import Chosen
from app.jobs.receiver_form import kept_beside, kept_headers
from app.jobs.seed import SAVED, add_endpoint, new_endpoint
from app.models import Content, Delivery, DeliveryState, Endpoint, EndpointState, LogEvent, Mode, Setting
from app.models.database import UNSEEN
from app.models.held import RECEIVER, HeldFilter
from app.rules.verdict import Reason
from app.vault import Vault

OVERLAP = timedelta(hours=24)  # for which an old secret goes on signing

CREATED, DELETED = "receiver created", "receiver deleted"
PAUSED, RESUMED, TAKEN_UP = "receiver paused", "receiver resumed", "receiver taken up again"
ROTATED, EXPIRED = "receiver given a new secret", "receiver's old secret expired"

Values = dict[str, Any]


class ChangedMeanwhile(Exception):
    """Somebody else was quicker: what was asked was meant for a receiver as it is no longer."""


async def create(db: AsyncSession, values: Values, *, vault: Vault, by: str, now: datetime) -> Endpoint:
    """Add a receiver. Rules choose it in their form; the first of one's own becomes that of all."""
    endpoint = new_endpoint(values["name"], values["url"], vault, now)
    _set(endpoint, values, vault)
    endpoint.saved_by = by
    if await is_first(db):
        await add_endpoint(db, endpoint, by=by, now=now)
    db.add(endpoint)
    await db.flush()
    _note(db, endpoint, CREATED, by=by, now=now)
    return endpoint


async def made_since(db: AsyncSession, values: Values, newest: int | None) -> bool:
    """Say whether the same form has made it already: a button may be pressed twice.

    `newest` is the last receiver that there was when the form was shown. Who asks meanwhile waits.
    """
    await Setting.load(db, for_update=True)
    if newest is None:
        return False
    query = select(Endpoint.id).where(
        col(Endpoint.id) > newest,
        Endpoint.name == values["name"],
        Endpoint.url == values["url"],
        Endpoint.state != EndpointState.DELETED,
    )
    return (await db.exec(query)).first() is not None


async def newest(db: AsyncSession) -> int:
    """Number the receiver that was made last; 0 without one."""
    return (await db.exec(select(func.max(Endpoint.id)))).one() or 0


async def is_first(db: AsyncSession) -> bool:
    """Say whether nobody has a receiver of one's own yet."""
    own = select(func.count()).select_from(Endpoint).where(col(Endpoint.demo).is_(False))
    return (await db.exec(own)).one() == 0


def save(
    db: AsyncSession,
    endpoint: Endpoint,
    values: Values,
    *,
    read: Endpoint,
    vault: Vault,
    by: str,
    now: datetime,
) -> None:
    """Change what differs; what waits goes to where the receiver is now, what is on its way is left alone.

    Raises:
        ChangedMeanwhile: what it keeps is not what it kept when the form was `read` beside it.
    """
    if kept_beside(endpoint) != kept_beside(read):
        raise ChangedMeanwhile
    if endpoint.url != values["url"]:  # another place, of which nobody knows yet what it takes
        endpoint.begin_anew(now)
        endpoint.usual_ms, endpoint.url_since = None, now
    changed = _set(endpoint, values, vault)
    endpoint.saved_by = by
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
        endpoint.begin_anew(now)
        _note(db, endpoint, TAKEN_UP, by=by, now=now)
    elif endpoint.state is EndpointState.PAUSED:
        _note(db, endpoint, RESUMED, by=by, now=now)
    endpoint.let_another_try(now)  # one that was left alone shows at once whether it works again
    if endpoint.state is not EndpointState.ACTIVE:
        endpoint.state, endpoint.state_since = EndpointState.ACTIVE, now


async def release(db: AsyncSession, endpoint: Endpoint, *, by: str, now: datetime) -> LogEvent | None:
    """Put what it holds back in the line, where the oldest goes first; None when there was nothing.

    What waits for the window, the pause or the like stays where it is.
    """
    own = HeldFilter(why=RECEIVER, endpoint=endpoint.id)
    return await intervene.release(db, Chosen(all_of=own), by=by, now=now)


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
        **UNSEEN,
    )
    return int(dropped.rowcount)


def _waits() -> ColumnElement[bool]:
    return or_(Delivery.is_now(DeliveryState.PENDING), Delivery.is_now(DeliveryState.HELD))


def mark_of_secret(endpoint: Endpoint) -> str:
    """Tell one secret from the next, and nothing of either."""
    return hashlib.sha256(endpoint.secret).hexdigest()[:16]


def rotate(db: AsyncSession, endpoint: Endpoint, *, seen: str, vault: Vault, by: str, now: datetime) -> str:
    """Give it a new secret, which is nowhere to be read again; for a while the old one signs as well.

    Raises:
        ChangedMeanwhile: it has another secret by now than that of which `seen` is the mark.
    """
    _check_secret(endpoint, seen)
    secret = new_secret()
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, now + OVERLAP
    endpoint.secret = vault.seal(secret)
    _note(db, endpoint, ROTATED, by=by, now=now)
    return secret


def end_overlap(db: AsyncSession, endpoint: Endpoint, *, seen: str, by: str, now: datetime) -> None:
    """From now on the new secret signs alone.

    Raises:
        ChangedMeanwhile: it has another secret by now than that of which `seen` is the mark.
    """
    _check_secret(endpoint, seen)
    if len(endpoint.secrets_at(now)) > 1:
        _note(db, endpoint, EXPIRED, by=by, now=now)
    endpoint.previous_secret = endpoint.previous_until = None


def _check_secret(endpoint: Endpoint, seen: str) -> None:
    if seen != mark_of_secret(endpoint):
        raise ChangedMeanwhile


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
