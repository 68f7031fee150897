"""The two ways in: a link that works once, and a password."""

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import ColumnElement, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Database, LogEvent, Setting, SignInToken
from app.web.i18n import N_
from app.web.sessions import hash_token, open_session
from app.web.throttle import SIGNED_IN, admit


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    sentence: str
    until: datetime | None = None


NOT_SET_UP = Refusal(422, N_("No password has been set up here. Use a sign-in link."))
WRONG = Refusal(422, N_("The name or the password is not right."))
TOO_OFTEN = N_("That was tried too often. Links go on working.")


async def new_link(database: Database, *, username: str, now: datetime, lifetime: timedelta) -> str:
    """Give the token of a link that lets somebody in, once; only its hash is kept."""
    token = secrets.token_urlsafe(32)
    async with database.transaction() as db:
        db.add(
            SignInToken(
                token_hash=hash_token(token), username=username, created_at=now, expires_at=now + lifetime
            )
        )
    return token


async def link_works(database: Database, token: str, now: datetime) -> bool:
    """Look at a link without using it up."""
    async with database.reading() as db:
        return (await db.exec(select(SignInToken.id).where(*_usable(token, now)))).first() is not None


async def use_link(database: Database, token: str, *, user_agent: str, now: datetime) -> str | None:
    """Use the link up and give the token of a new session; None when it does not work (any more)."""
    if not await link_works(database, token, now):  # strangers do not make us write
        return None
    async with database.transaction() as db:
        claim = update(SignInToken).where(*_usable(token, now)).values(used_at=now)
        username = (await db.exec(claim.returning(col(SignInToken.username)))).scalar_one_or_none()
        if username is None:
            return None
        db.add(LogEvent(at=now, event=SIGNED_IN, facts={"by": "link", "username": username}))
        return await open_session(db, username=username, user_agent=user_agent, now=now)


async def use_password(
    database: Database, *, username: str, password: str, address: str, user_agent: str, now: datetime
) -> str | Refusal:
    """Give the token of a new session, or say why not; an unknown name costs as much as a wrong password."""
    async with database.reading() as db:
        setting = await Setting.load(db)
    if not setting.password_hash:
        return NOT_SET_UP
    tried = await admit(database, address=address, now=now)
    if isinstance(tried, datetime):
        return Refusal(429, TOO_OFTEN, until=tried)
    right_password = await asyncio.to_thread(_verify, setting.password_hash, password)
    right_name = hmac.compare_digest(setting.username.encode(), username.encode())
    if not (right_name and right_password):
        return WRONG
    async with database.transaction() as db:
        await _turn_into_success(db, tried, username)
        return await open_session(db, username=username, user_agent=user_agent, now=now)


def _usable(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(SignInToken.token_hash) == hash_token(token),
        col(SignInToken.used_at).is_(None),
        col(SignInToken.revoked_at).is_(None),
        col(SignInToken.expires_at) > now,
    )


def _verify(password_hash: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(password_hash, password)
    except VerifyMismatchError:
        return False


async def _turn_into_success(db: AsyncSession, tried: LogEvent, username: str) -> None:
    """Let a try that succeeded count no more."""
    await db.exec(
        update(LogEvent)
        .where(col(LogEvent.id) == tried.id)
        .values(event=SIGNED_IN, facts={"by": "password", "username": username})
    )
