"""What would happen to a mail now, asked without doing it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.integrations.errors import IntegrationError
from app.integrations.parser import Parser
from app.jobs.decide import noted
from app.jobs.letter import Letter, stored_letter
from app.jobs.rehearse import Rehearsal, Webhook, refusal_of, rehearse, webhooks
from app.models import Endpoint, Message, Setting, rulebook
from app.models.explanation import Explanation, explain_judgement
from app.models.refusal import stops_each
from app.rules import payload
from app.rules.links import Link
from app.rules.verdict import Reason
from app.views.attempts import readable
from app.views.frame import framed
from app.web.errors import NotFound
from app.web.state import Request


@dataclass(frozen=True, slots=True)
class Sendable:
    """A webhook as it would be made: for whom, by which rule, and its body as text.

    `stopped` are those of the receivers that take nothing now, each with why; `free` are the others.
    """

    webhook: Webhook
    receivers: list[str]
    free: list[str]
    stopped: list[tuple[str, dict[str, Any]]]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What would become of a mail. `refusal` is why the rules would not even be asked."""

    verdict: str
    reason: dict[str, Any]
    refusal: dict[str, Any] | None
    explanation: Explanation
    sendables: list[Sendable]
    links: list[Link]
    uploads: list[Link]


async def show(request: Request) -> Response:
    message_id: int = request.path_params["message_id"]
    database, now = request.state["database"], request.state["now"]()
    letter, failure = await read_letter(request, message_id)
    async with database.reading() as db:
        message = await db.get(Message, message_id)
        if message is None:
            raise NotFound
        refusal = None if letter else await refusal_of(db, message, await Setting.load(db))
        return await framed(
            request,
            db,
            "messages/rehearsal.html",
            fragment="rehearsal",
            message=message,
            outlook=await outlook(db, await rehearse(db, letter, now=now), now=now) if letter else None,
            failure=failure,
            refusal=refusal.to_json() if refusal else None,
            now=now,
        )


async def outlook(db: AsyncSession, rehearsal: Rehearsal, *, now: datetime | None = None) -> Outlook:
    """Put a rehearsal before a reader; without a moment, the receivers are not asked whether they take it."""
    judgement, refusal = rehearsal.judgement, rehearsal.refusal
    receivers = {one.id: one for one in await rulebook.receivers(db, deleted=True)}
    stops = await _stops(db, list(receivers.values()), now) if now else {}
    return Outlook(
        verdict=rehearsal.verdict.value,
        reason=rehearsal.reason.to_json(),
        refusal=refusal.to_json() if refusal else None,
        explanation=explain_judgement(
            judgement,
            {rule.id: rule.name for rule in rehearsal.rules},
            state=rehearsal.verdict.value,
            refusal=refusal,
            notes=noted(rehearsal.letter.notes),
        ),
        sendables=[
            _sendable(one, [receivers[each] for each in one.endpoint_ids], stops)
            for one in webhooks(rehearsal)
        ],
        links=list(judgement.links),
        uploads=list(judgement.uploads),
    )


async def _stops(db: AsyncSession, receivers: list[Endpoint], now: datetime) -> dict[int | None, Reason]:
    """Say why nothing goes to some of them at this moment."""
    sending = (await Setting.load(db)).sending
    reasons = await stops_each(db, receivers, sending=sending, now=now)
    return {number: reason for number, reason in reasons.items() if reason is not None}


def _sendable(webhook: Webhook, receivers: list[Endpoint], stops: dict[int | None, Reason]) -> Sendable:
    return Sendable(
        webhook=webhook,
        receivers=[one.name for one in receivers],
        free=[one.name for one in receivers if one.id not in stops],
        stopped=[(one.name, stops[one.id].to_json()) for one in receivers if one.id in stops],
        body=readable(payload.encode(webhook.body)),
    )


async def read_letter(request: Request, message_id: int) -> tuple[Letter | None, dict[str, Any] | None]:
    """Give the mail, or why it cannot be read."""
    async with Parser() as parser:
        try:
            return await stored_letter(request.state["database"], message_id, parser), None
        except IntegrationError as error:
            return None, Reason(str(error.reason)).to_json()
