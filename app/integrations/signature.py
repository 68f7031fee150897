"""Signs a delivery by the Standard Webhooks scheme, so that a receiver can tell ours from anybody's."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
_LENGTH = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_LENGTH)).decode()


def sign(endpoint_secrets: Sequence[str], webhook_id: str, at: datetime, body: bytes) -> str:
    """The value of `webhook-signature`: one for each secret, so that an old one works a while longer."""
    signed = b"%s.%d.%s" % (webhook_id.encode(), int(at.timestamp()), body)
    return " ".join(f"v1,{_signature(secret, signed)}" for secret in endpoint_secrets)


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
