"""What would happen to a mail now, asked without doing it."""

from dataclasses import dataclass
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.integrations.errors import IntegrationError
from app.integrations.parser import Parser
from app.jobs.decide import noted
from app.jobs.letter import Letter, stored_letter
from app.jobs.rehearse import Rehearsal, Webhook, refusal_of, rehearse, webhooks
from app.models import Message, Setting, rulebook
from app.models.explanation import Explanation, explain_judgement
from app.rules import payload
from app.rules.links import Link
from app.rules.verdict import Reason
from app.views.attempts import readable
from app.views.frame import framed
from app.web.errors import NotFound
from app.web.state import Request


@dataclass(frozen=True, slots=True)
class Sendable:
    """A webhook as it would be made: for whom, by which rule, and its body as text."""

    webhook: Webhook
    receivers: list[str]
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
            outlook=await outlook(db, await rehearse(db, letter, now=now)) if letter else None,
            failure=failure,
            refusal=refusal.to_json() if refusal else None,
            now=now,
        )


async def outlook(db: AsyncSession, rehearsal: Rehearsal) -> Outlook:
    """Put a rehearsal before a reader."""
    judgement, refusal = rehearsal.judgement, rehearsal.refusal
    names = await rulebook.receiver_names(db, deleted=True)
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
            Sendable(one, [names[each] for each in one.endpoint_ids], readable(payload.encode(one.body)))
            for one in webhooks(rehearsal)
        ],
        links=list(judgement.links),
        uploads=list(judgement.uploads),
    )


async def read_letter(request: Request, message_id: int) -> tuple[Letter | None, dict[str, Any] | None]:
    """Give the mail, or why it cannot be read."""
    async with Parser() as parser:
        try:
            return await stored_letter(request.state["database"], message_id, parser), None
        except IntegrationError as error:
            return None, Reason(str(error.reason)).to_json()
