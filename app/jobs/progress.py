"""How far a run has come, for whoever asked for it."""

from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from app.events import Event
from app.jobs.context import Context
from app.models import Run, RunState
from app.rules.verdict import Reason


class Progress:
    """Keeps a run's row up to date; says nothing where nobody asked (`run_id` None)."""

    def __init__(self, context: Context, run_id: int | None) -> None:
        self._context = context
        self._run_id = run_id

    async def begin(self) -> bool:
        """Take the run; False when it was taken or has ended already."""
        if self._run_id is None:
            return True
        context = self._context
        return await self._set(
            RunState.QUEUED, state=RunState.RUNNING, owner=context.owner, started_at=context.now()
        )

    async def step(self, step: str, **counts: int) -> None:
        if self._run_id is not None:
            await self._set(RunState.RUNNING, step=step, **counts)

    async def end(self, state: RunState, reason: dict[str, Any] | None = None) -> None:
        if self._run_id is not None:
            await self._set(
                RunState.RUNNING, state=state, reason=reason, ended_at=self._context.now(), step=""
            )

    async def leave(self) -> None:
        """Let it wait again, so that another process begins it anew."""
        if self._run_id is not None:
            await self._set(RunState.RUNNING, state=RunState.QUEUED, owner=None)

    async def _set(self, only_in: RunState, **values: Any) -> bool:  # noqa: ANN401 - columns
        async with self._context.database.transaction() as db:
            query = update(Run).where(col(Run.id) == self._run_id, col(Run.state) == only_in)
            if only_in is RunState.RUNNING:  # by us: another process may have taken it over
                query = query.where(col(Run.owner) == self._context.owner)
            query = query.values(**values)
            changed = (await db.exec(query)).rowcount
        await self._context.queue.publish(Event.RUN_CHANGED)
        return bool(changed)


async def broke(context: Context, kind: str) -> None:
    """Say in the rows of our runs of a kind that they met an error nobody had thought of."""
    ours = (Run.kind == kind, Run.state == RunState.RUNNING, Run.owner == context.owner)
    async with context.database.reading() as db:
        ids = (await db.exec(select(Run.id).where(*ours))).all()
    for run_id in ids:
        await Progress(context, run_id).end(RunState.FAILED, Reason("unexpected").to_json())
