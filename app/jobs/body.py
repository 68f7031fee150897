"""What a delivery says: the usual body, or what its rule's template makes of it."""

from collections.abc import Mapping
from typing import Any

from app.models import Content, Endpoint, Message
from app.models.mirror import COPY
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
    """Give the body for a delivery's facts; `form` is a template that `template.check` accepted.

    The mirror's copy is what it is, whatever its rule's template says.
    """
    if facts.get(COPY):
        return payload.for_mirror(subject=message.subject, sender=message.sender, links=facts["links"])
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


def shaped(body: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Give the part of the usual body that a receiver wants, or what its own template makes of it (D20)."""
    if endpoint.content is Content.TEMPLATE:
        return template.render(endpoint.template, body, {})
    if endpoint.content is Content.WITHOUT_CONTENT:
        return {key: value for key, value in body.items() if key not in payload.CONTENT}
    return body
