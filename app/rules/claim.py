"""What is asked of every claim: the pause switch, the endpoint's state and wishes, the rate limit."""

from datetime import datetime

from app.rules.verdict import Reason


def refusal(
    *,
    sending_enabled: bool,
    endpoint_state: str,
    not_before: datetime | None,
    open_until: datetime | None,
    rate: tuple[int, int],
    now: datetime,
) -> Reason | None:
    """Say why an endpoint's due deliveries wait at this moment, if they do.

    `rate` is the attempts of the last hour and the most there may be (0: no limit).
    """
    used, limit = rate
    if not sending_enabled:
        return Reason("paused", {})
    if endpoint_state != "active":
        return Reason(f"endpoint_{endpoint_state}", {})
    if not_before is not None and not_before > now:
        return Reason("retry_after", {"until": not_before.isoformat()})
    if open_until is not None and open_until > now:
        return Reason("breaker_open", {"until": open_until.isoformat()})
    if limit and used >= limit:
        return Reason("rate_limited", {"used": used, "limit": limit})
    return None
