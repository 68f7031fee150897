"""One request to a receiver: its own headers, what everybody sends, the signature; and what comes back."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.integrations import signature
from app.integrations.errors import Failure, IntegrationError
from app.integrations.webhook import Answer, DeliveryError, Target
from app.jobs.context import Context
from app.models import Endpoint
from app.rules import outcome
from app.rules.endpoint_draft import HIDDEN
from app.rules.outcome import Word
from app.vault import Sealed

SOURCE = "render-signal-server"
UNSUPPORTED = 415
TELLING = 6  # characters: a shorter value is no password, and stands in any answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What was asked, as the history may keep it, and the answer or else the failure."""

    request_headers: dict[str, str] = field(default_factory=dict)
    answer: Answer | None = None
    failure: IntegrationError | None = None

    @property
    def well(self) -> bool:
        return self.answer is not None and 200 <= self.answer.status < 300

    @property
    def told(self) -> outcome.Answer:
        """Give what the rules judge of it."""
        answer, failure = self.answer, self.failure
        return outcome.Answer(
            status=answer.status if answer else None,
            body=answer.body.decode("utf-8", "replace") if answer else "",
            retry_after=answer.headers.get("retry-after") if answer else None,
            word=Word(failure.reason.value) if failure else None,
            detail=failure.detail if failure else "",
        )

    def columns(self) -> dict[str, Any]:
        """Give what is kept of it, in an attempt or a test."""
        answer, failure = self.answer, self.failure
        met = answer or (failure if isinstance(failure, DeliveryError) else None)
        return {
            "request_headers": self.request_headers,
            "status": answer.status if answer else None,
            "answer": answer.body if answer else None,
            "truncated": answer is not None and answer.truncated,
            "answer_headers": answer.headers if answer else {},
            "timings": met.timings if met else {},
            "peer": met.peer if met else "",
        }


async def exchange(
    context: Context,
    endpoint: Endpoint,
    *,
    webhook_id: str,
    content_type: str,
    body: bytes,
    over: str = "deliveries",
) -> Exchange:
    """Post a body to a receiver once, signed, `over` connections of that kind.

    What its own headers say stands nowhere afterwards.
    """
    try:
        own = _own_headers(context, endpoint)
        signed = _headers(
            context, endpoint, webhook_id=webhook_id, content_type=content_type, body=body, at=context.now()
        )
    except IntegrationError as error:
        return Exchange(failure=error)
    kept = {**dict.fromkeys(own, HIDDEN), **signed}
    secrets = [value for value in own.values() if len(value) >= TELLING]
    try:
        answer = await context.webhooks.post(
            _target(context, endpoint, over), body, {**own, **signed}, endpoint.timeout
        )
    except IntegrationError as error:
        error.detail = _hidden(error.detail, secrets)
        return Exchange(request_headers=kept, failure=error)
    return Exchange(request_headers=kept, answer=_without(answer, secrets))


def _own_headers(context: Context, endpoint: Endpoint) -> dict[str, str]:
    """Give what an operator wants to be sent besides; the form lets none of it take the place of ours."""
    if not endpoint.extra_headers:
        return {}
    own: dict[str, str] = json.loads(_opened(context, endpoint.extra_headers))
    return own


def _headers(
    context: Context, endpoint: Endpoint, *, webhook_id: str, content_type: str, body: bytes, at: datetime
) -> dict[str, str]:
    secrets = [_opened(context, secret) for secret in endpoint.secrets_at(at)]
    return {
        "Content-Type": content_type,
        "X-Source": SOURCE,
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature.sign(secrets, webhook_id, at, body),
    }


def _opened(context: Context, sealed: bytes) -> str:
    try:
        return context.vault.open(sealed)
    except Sealed:
        raise IntegrationError(Failure.SECRET_UNREADABLE) from None


def _without(answer: Answer, secrets: list[str]) -> Answer:
    """A receiver may repeat what it was sent."""
    if not secrets:
        return answer
    body = answer.body
    for secret in secrets:
        body = body.replace(secret.encode("latin-1", "replace"), HIDDEN.encode())
    headers = {name: _hidden(value, secrets) for name, value in answer.headers.items()}
    return replace(answer, body=body, headers=headers)


def _hidden(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _target(context: Context, endpoint: Endpoint, over: str) -> Target:
    return Target(
        key=f"{over} {endpoint.id}",
        url=endpoint.url,
        verify=endpoint.verify_tls or not context.config.allow_insecure_tls,
        authority=endpoint.authority,
        max_connections=endpoint.concurrency,
    )
