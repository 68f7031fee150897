"""How often a password may be tried: counted in the database first, so that a restart forgives nothing."""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Database, LogEvent, Setting

TRIED, SIGNED_IN = "sign-in tried", "signed in"
SPAN = timedelta(minutes=5)
FROM_ONE, IN_ALL = 5, 20


async def admit(database: Database, *, address: str, now: datetime) -> LogEvent | datetime:
    """Count one try, or say when the next one may be made."""
    async with database.reading() as db:  # who has to wait does not make us write
        until = await _full_until(db, address, now)
    if until:
        return until
    async with database.transaction() as db:
        # one after the other on PostgreSQL too, so that the second sees the first one's try
        await db.exec(select(Setting).with_for_update())
        until = await _full_until(db, address, now)
        if until:
            return until
        tried = LogEvent(at=now, event=TRIED, subject=neighbourhood(address))
        db.add(tried)
        return tried


async def _full_until(db: AsyncSession, address: str, now: datetime) -> datetime | None:
    recent = select(LogEvent).where(LogEvent.event == TRIED, LogEvent.at > now - SPAN)
    tries = (await db.exec(recent.order_by(col(LogEvent.at)))).all()
    ours = [tried for tried in tries if tried.subject == neighbourhood(address)]
    limits = ((ours, FROM_ONE), (tries, IN_ALL))
    full = [counted[-most].at + SPAN for counted, most in limits if len(counted) >= most]
    return max(full, default=None)


def neighbourhood(address: str) -> str:
    """Give what counts as one address: one IPv4 address, or the /64 that one IPv6 customer holds."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
