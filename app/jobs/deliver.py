"""Send what was claimed, and write down how it went."""

import asyncio
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy.exc import OperationalError

from app.events import Event
from app.integrations import signature
from app.integrations.errors import IntegrationError, Reason
from app.integrations.webhook import Target
from app.jobs.border import guarded
from app.jobs.claim import Claimed, claim, due_endpoints
from app.jobs.context import Context
from app.jobs.outcome import Result, record
from app.models import Endpoint
from app.vault import Sealed

SOURCE = "render-signal-server"
MOST_RESULTS = 50  # in one commit
PATIENCE = 1.0  # seconds between tries to write results down

log = structlog.get_logger()


class Deliverer:
    """Keeps each endpoint as busy as it may be: one task for each request, one that writes results down."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._under_way: dict[int, set[asyncio.Task[None]]] = {}
        self._results: asyncio.Queue[Result] = asyncio.Queue()

    async def claim_due(self) -> int:
        """Start what is due and has a free place; gives how many were started."""
        async with self._context.database.reading() as db:
            endpoints = await due_endpoints(db, self._context.now())
        started = 0
        for endpoint_id, concurrency in endpoints:
            under_way = self._under_way.setdefault(endpoint_id, set())
            free = concurrency - len(under_way)
            claimed = await claim(self._context, endpoint_id, free) if free > 0 else []
            for one in claimed:
                task = asyncio.create_task(guarded("send", partial(self._send, one)))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            started += len(claimed)
        if started:
            await self._context.queue.publish(Event.DELIVERY_CHANGED)
        return started

    async def write_results(self) -> None:
        """Write results down as they come, many in one commit; never gives one up while the process lives."""
        while True:
            results = [await self._results.get()]
            while not self._results.empty() and len(results) < MOST_RESULTS:
                results.append(self._results.get_nowait())
            await guarded("record", partial(self._write, results))
            for _ in results:
                self._results.task_done()
            self._context.bells.deliver.set()
            await self._context.queue.publish(Event.DELIVERY_CHANGED)

    async def _write(self, results: list[Result]) -> None:
        while True:
            try:
                await record(self._context, results)
            except OperationalError as error:  # the disk is full, or somebody holds the database
                log.warning("results not written yet", results=len(results), error=str(error.orig))
                await asyncio.sleep(PATIENCE)
            else:
                return

    async def drain(self) -> None:
        """Wait until what is under way has ended and is written down."""
        tasks = [task for tasks in self._under_way.values() for task in tasks]
        if tasks:
            await asyncio.wait(tasks)
        await self._results.join()

    async def _send(self, claimed: Claimed) -> None:
        context, started_at = self._context, self._context.now()
        headers: dict[str, str] = {}
        answer, failure = None, None
        try:
            headers = self._headers(claimed, started_at)
            answer = await context.webhooks.post(
                self._target(claimed.endpoint), claimed.body, headers, claimed.endpoint.timeout
            )
        except IntegrationError as error:
            failure = error
        context.crash.point("send.after")
        self._results.put_nowait(
            Result(
                claimed=claimed,
                ended_at=context.now(),
                request_headers=headers,
                answer=answer,
                failure=failure,
            )
        )

    def _headers(self, claimed: Claimed, at: datetime) -> dict[str, str]:
        return {
            "Content-Type": claimed.content_type,
            "X-Source": SOURCE,
            "webhook-id": claimed.webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature.sign(
                self._secrets(claimed, at), claimed.webhook_id, at, claimed.body
            ),
        }

    def _secrets(self, claimed: Claimed, at: datetime) -> list[str]:
        endpoint = claimed.endpoint
        sealed = [endpoint.secret]
        if endpoint.previous_secret and endpoint.previous_until and endpoint.previous_until > at:
            sealed.append(endpoint.previous_secret)
        try:
            return [self._context.vault.open(secret) for secret in sealed]
        except Sealed:
            raise IntegrationError(Reason.SECRET_UNREADABLE) from None

    def _target(self, endpoint: Endpoint) -> Target:
        return Target(
            key=endpoint.id or 0,
            url=endpoint.url,
            verify=endpoint.verify_tls or not self._context.config.allow_insecure_tls,
            max_connections=endpoint.concurrency,
        )
