"""What a request to a receiver carries: its own headers, what everybody sends, and the signature."""

import json
from dataclasses import dataclass
from datetime import datetime

from app.integrations import signature
from app.integrations.errors import Failure, IntegrationError
from app.integrations.webhook import Target
from app.jobs.context import Context
from app.models import Endpoint
from app.vault import Sealed

SOURCE = "render-signal-server"
HIDDEN = "•••"  # in place of what an operator's own header says: it may be a password


@dataclass(frozen=True, slots=True)
class Headers:
    """What is sent, and what the history keeps of it."""

    sent: dict[str, str]
    kept: dict[str, str]


def headers_of(
    context: Context, endpoint: Endpoint, *, webhook_id: str, content_type: str, body: bytes, at: datetime
) -> Headers:
    """Give all headers of one request; nothing of an operator's can replace ours.

    Raises:
        IntegrationError: a secret cannot be read with this installation's key.
    """
    vault = context.vault
    try:
        secrets = [vault.open(secret) for secret in endpoint.secrets_at(at)]
        extra = json.loads(vault.open(endpoint.extra_headers)) if endpoint.extra_headers else {}
    except Sealed:
        raise IntegrationError(Failure.SECRET_UNREADABLE) from None
    own = {
        "Content-Type": content_type,
        "X-Source": SOURCE,
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature.sign(secrets, webhook_id, at, body),
    }
    return Headers(sent={**extra, **own}, kept={**dict.fromkeys(extra, HIDDEN), **own})


def target_of(context: Context, endpoint: Endpoint) -> Target:
    return Target(
        key=endpoint.id or 0,
        url=endpoint.url,
        verify=endpoint.verify_tls or not context.config.allow_insecure_tls,
        authority=endpoint.authority,
        max_connections=endpoint.concurrency,
    )
