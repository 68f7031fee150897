"""Whether this process can do its work, and whether what must hold does."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select
from starlette.responses import JSONResponse, Response

from app.models import Setting
from app.models.invariants import broken_invariants
from app.web.state import Request

PATIENCE = 5.0  # seconds


async def show(request: Request) -> Response:
    try:
        async with asyncio.timeout(PATIENCE), request.state["database"].reading() as db:
            await db.exec(select(Setting.id))
    except (SQLAlchemyError, TimeoutError):
        return JSONResponse({"status": "unavailable"}, 503)
    return JSONResponse({"status": "ok"})


async def invariants(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        return JSONResponse(await broken_invariants(db))
