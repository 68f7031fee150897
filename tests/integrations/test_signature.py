"""Our signatures against the scheme's own library."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.integrations.signature import new_secret, sign

BODY = '{"subject": "Média"}'.encode()


def headers(*endpoint_secrets: str, at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": sign(endpoint_secrets, "msg_1", at, BODY),
    }


def test_a_signature_is_accepted() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, headers(secret)) == json.loads(BODY)


def test_the_moment_is_the_same_in_every_zone() -> None:
    secret = new_secret()
    elsewhere = datetime.now(UTC).astimezone(tz=None)
    Webhook(secret).verify(BODY, headers(secret, at=elsewhere))


def test_while_a_secret_is_replaced_both_are_accepted() -> None:
    new, old = new_secret(), new_secret()
    for secret in (new, old):
        Webhook(secret).verify(BODY, headers(new, old))


@pytest.mark.parametrize("changed", [BODY + b" ", b"{}"])
def test_another_body_is_refused(changed: bytes) -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(changed, headers(secret))


def test_another_secret_or_an_old_request_is_refused() -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers(secret))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers(secret, at=datetime.now(UTC) - timedelta(minutes=6)))


def test_secrets_are_long_and_never_the_same() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert all(len(new_secret()) > 40 for _ in range(3))
