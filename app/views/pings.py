"""A word back, for monitors that ask for nothing else."""

from starlette.responses import JSONResponse, Response

from app.web.state import Request


async def show(request: Request) -> Response:
    return JSONResponse({"status": "pong", "timestamp_utc": request.state["now"]().isoformat()})
