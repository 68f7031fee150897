"""The mails of the day that nothing was done about, each for a reason of its own."""

from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import MessageState
from app.rules.verdict import Verdict
from tests.views.cast import Cast, a_message, reason, step


async def add_ignored(db: AsyncSession, cast: Cast) -> None:
    mails = cast.messages
    mails["newsletter"] = await a_message(
        db,
        cast,
        "Les nouveautés de novembre : l'agenda partagé",
        at=cast.ago(hours=5),
        verdict=Verdict.IGNORE,
        sender="lettre@example.org",
        reason=reason("no_rule_matched"),
        steps=[step("no_reply_prefix"), step("no_rule_matched", "stopped")],
    )
    mails["stranger"] = await a_message(
        db,
        cast,
        "Votre colis est en attente",
        at=cast.ago(hours=4),
        verdict=Verdict.IGNORE,
        text=None,
        sender="colis@example.org",
        reason=reason("sender_not_listed", sender="colis@example.org"),
    )
    mails["reply"] = await a_message(
        db,
        cast,
        "Re: Média Solution – Missions Recadrage – Lot 31",
        at=cast.ago(hours=3),
        verdict=Verdict.IGNORE,
        reason=reason("reply_prefix", prefix="Re:"),
        steps=[step("reply_prefix", "stopped", prefix="Re:")],
    )


async def add_unread(db: AsyncSession, cast: Cast) -> None:
    mails = cast.messages
    mails["large"] = await a_message(
        db,
        cast,
        "Rushes du tournage (pièce jointe)",
        at=cast.ago(hours=2, minutes=30),
        size=48_311_000,
        verdict=Verdict.IGNORE,
        state=MessageState.OVERSIZE,
        text=None,
        reason=reason("too_large", size=48_311_000, limit=26_214_400),
    )
    mails["vanished"] = await a_message(
        db,
        cast,
        "Brouillon",
        at=cast.ago(hours=2, minutes=10),
        verdict=Verdict.IGNORE,
        text=None,
        state=MessageState.VANISHED,
        reason=reason("vanished"),
    )
    mails["before"] = await a_message(
        db,
        cast,
        "Média Solution – Missions Recadrage – Lot 12",
        at=cast.ago(days=40),
        verdict=Verdict.IGNORE,
        text=None,
        reason=reason("before_start"),
    )
