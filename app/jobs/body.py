"""What a delivery says: the usual body, or what its rule's template makes of it."""

from collections.abc import Mapping
from typing import Any

from app.models import Message
from app.rules import payload, template
from app.rules.decide import Judgement, Outcome


def facts_of(judgement: Judgement, outcome: Outcome) -> dict[str, Any]:
    """Give what a delivery keeps of a judgement, to make its body of when it goes."""
    return {
        "detector": outcome.detector,
        "captures": dict(outcome.captures),
        "delivery_time": outcome.delivery_time,
        "urgent": outcome.urgent,
        "window_start": outcome.window_start_text,
        "window_end": outcome.window_end_text,
        "links": [{"provider": link.provider, "raw_url": link.raw_url} for link in judgement.links],
    }


def compose(
    message: Message, *, plain: str, html: str, facts: Mapping[str, Any], form: str = ""
) -> dict[str, Any]:
    """Give the body for a delivery's facts; `form` is a template that `template.check` accepted."""
    body = payload.build(
        email_id=message.email_id,
        subject=message.subject,
        date_header=message.date_header,
        sender_header=message.sender_header,
        sender=message.sender,
        content=f"{plain}\n{html}",
        detector=facts["detector"],
        delivery_time=facts["delivery_time"],
        window_start=facts["window_start"],
        window_end=facts["window_end"],
        links=facts["links"],
    )
    return template.render(form, body, facts["captures"]) if form else body
