"""Posts a body to a receiver: a pool for each endpoint, one wall-clock limit, nothing followed."""

import asyncio
import ssl
from collections.abc import Mapping

import httpcore2

from app.integrations.errors import Failure, IntegrationError
from app.integrations.journey import Journey, current
from app.integrations.network import Gate
from app.integrations.resolver import Resolve, resolve
from app.integrations.trust import Trust
from app.integrations.webhook_answer import BROKEN, Answer, read_answer, switched
from app.integrations.webhook_pool import Pool, Target

__all__ = ["Answer", "DeliveryError", "Target", "Webhooks"]

_SWITCHED = "_SWITCH_UPGRADE"  # in h11's words for a 101 that nobody asked for; a test fails when they change


class DeliveryError(IntegrationError):
    """No answer. `sent`: the request was being written, so it may have arrived."""

    def __init__(self, error: IntegrationError, journey: Journey) -> None:
        super().__init__(error.reason, error.detail, permanent=error.permanent)
        journey.stop()
        self.sent = journey.sent
        self.timings = journey.timings
        self.peer = journey.peer


class Webhooks:
    """Every receiver's pool. A shared one collapses: a slow receiver would hold the connections of all."""

    def __init__(self, gate: Gate, *, trust: Trust | None = None, resolve: Resolve = resolve) -> None:
        self._gate = gate
        self._trust = trust or Trust()
        self._resolve = resolve
        self._pools: dict[int | str, Pool] = {}

    async def post(self, target: Target, body: bytes, headers: Mapping[str, str], limit: float) -> Answer:
        """Answer with what the receiver said, whatever its status, or raise DeliveryError. Never retries."""
        journey = Journey()
        current.set(journey)
        deadline = asyncio.get_running_loop().time() + limit
        try:
            pool = await self._pool(target)
            async with pool.in_use():
                async with asyncio.timeout_at(deadline):
                    response = await pool.post(body, headers)
                return await read_answer(response, journey, deadline)
        except IntegrationError as error:
            raise DeliveryError(error, journey) from error
        except TimeoutError as error:
            doing = journey.stretch or "a free connection"
            late = IntegrationError(Failure.TIMED_OUT, f"{doing}: {limit:g} s are over")
            raise DeliveryError(late, journey) from error
        except BROKEN as error:
            if _SWITCHED in str(error):
                return switched(journey)
            raise DeliveryError(_named(error, journey), journey) from error

    async def aclose(self) -> None:
        """Close every pool; what is on its way arrives."""
        while self._pools:
            _, pool = self._pools.popitem()
            await pool.retire()

    async def _pool(self, target: Target) -> Pool:
        known = self._pools.get(target.key)
        if known is not None and known.target == target:
            return known
        self._pools[target.key] = pool = self._made(target)  # before anything is awaited
        if known is not None:
            await known.retire()
        return pool

    def _made(self, target: Target) -> Pool:
        self._gate.check_url(target.url)
        context = self._trust.context(verify=target.verify, authority=target.authority)
        return Pool(target, self._gate, self._resolve, context)


def _named(error: Exception, journey: Journey) -> IntegrationError:
    """Put httpcore's many failures in our words; the stretch tells a handshake from an exchange."""
    detail = str(error)[:200]
    if journey.stretch == "tls":
        return IntegrationError(Failure.TLS_FAILED, _verdict(error) or detail)
    if isinstance(error, httpcore2.RemoteProtocolError) and "disconnected" not in detail:
        return IntegrationError(Failure.PROTOCOL_ERROR, detail)
    if isinstance(error, httpcore2.LocalProtocolError):
        return IntegrationError(Failure.PROTOCOL_ERROR, detail, permanent=True)
    return IntegrationError(Failure.CONNECTION_LOST, detail)


def _verdict(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    return str(cause)[:200] if cause else ""
