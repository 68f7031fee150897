"""A receiver's form, read beside what is saved of the receiver."""

import json
from collections.abc import Mapping
from typing import Any

from app.integrations.errors import IntegrationError
from app.integrations.network import Gate
from app.integrations.trust import check_authority
from app.models import Endpoint
from app.rules import endpoint_draft
from app.rules.endpoint_draft import Kept
from app.rules.verdict import Problems, Reason
from app.vault import Sealed, Vault


def read(
    raw: Mapping[str, Any], *, kept: Kept | None = None, gate: Gate, may_be_insecure: bool
) -> tuple[dict[str, Any], Problems]:
    """Read a form as `endpoint_draft.read` does, and ask those who know addresses and certificates."""
    values, problems = endpoint_draft.read(raw, kept=kept, may_be_insecure=may_be_insecure)
    try:
        if "url" in values:
            gate.check_url(values["url"])
    except IntegrationError as error:
        problems["url"] = Reason(error.reason.value, {"detail": error.detail})
        del values["url"]
    try:
        if values.get("authority"):
            check_authority(values["authority"])
    except IntegrationError:
        problems["authority"] = Reason("not_certificates")
        del values["authority"]
    return values, problems


def kept_by(endpoint: Endpoint | None, vault: Vault) -> Kept:
    """Give what a form may leave as it is, and for which address."""
    if endpoint is None:
        return Kept()
    return Kept(headers=kept_headers(endpoint, vault), url=endpoint.url, verified=endpoint.verify_tls)


def kept_headers(endpoint: Endpoint, vault: Vault) -> dict[str, str]:
    """Give the extra headers; none, when they cannot be read with this installation's key."""
    if not endpoint.extra_headers:
        return {}
    try:
        headers: dict[str, str] = json.loads(vault.open(endpoint.extra_headers))
    except Sealed:
        return {}
    return headers


def kept_beside(endpoint: Endpoint) -> tuple[str, bool, bytes | None]:
    """Give what a form's kept headers depend on: as long as it is the same, so are they."""
    return endpoint.url, endpoint.verify_tls, endpoint.extra_headers
