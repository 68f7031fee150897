"""Who is signed in: a random token in a cookie, of which only the hash is kept."""

import hashlib
import secrets
from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.models import Database, Session

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
NOTICE = timedelta(minutes=1)  # seen_at is written no more often

log = structlog.get_logger()


def cookie_name(*, https: bool) -> str:
    return "__Host-session" if https else "session"


def hash_token(token: str) -> str:
    """256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


async def open_session(db: AsyncSession, *, username: str, user_agent: str, now: datetime) -> str:
    """Add a session and give its token, always a new one."""
    token = secrets.token_urlsafe(32)
    db.add(
        Session(
            token_hash=hash_token(token),
            username=username,
            user_agent=user_agent[:200],
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
        )
    )
    return token


async def find_session(db: AsyncSession, token_hash: str, now: datetime) -> Session | None:
    """Give the session that is still good at this moment."""
    return (
        await db.exec(
            select(Session).where(
                Session.token_hash == token_hash,
                col(Session.revoked_at).is_(None),
                Session.expires_at > now,
                Session.seen_at > now - IDLE,
            )
        )
    ).one_or_none()


async def note_seen(database: Database, session: Session, now: datetime) -> None:
    """Keep the session from falling idle."""
    if now - session.seen_at < NOTICE:
        return
    older = (col(Session.id) == session.id, col(Session.seen_at) < now)  # a stream ends long after it began
    try:
        async with database.transaction() as db:
            await db.exec(update(Session).where(*older).values(seen_at=now))
    except SQLAlchemyError as error:  # the page was answered; the next one may note it
        log.warning("session not noted", error=type(error).__name__)


async def revoke_session(db: AsyncSession, token_hash: str, now: datetime) -> None:
    mine = (col(Session.token_hash) == token_hash, col(Session.revoked_at).is_(None))
    await db.exec(update(Session).where(*mine).values(revoked_at=now))


def set_cookie(response: Response, token: str, *, https: bool) -> None:
    response.set_cookie(
        cookie_name(https=https),
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=https,
        httponly=True,
        samesite="lax",
    )


def clear_cookie(response: Response, *, https: bool) -> None:
    response.delete_cookie(cookie_name(https=https), path="/", secure=https, httponly=True, samesite="lax")
