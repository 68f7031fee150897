"""What a program sends us: one JSON object."""

import json
from typing import Any, NoReturn

from app.web.errors import Refused
from app.web.i18n import N_
from app.web.state import Request


async def json_object(request: Request) -> dict[str, Any]:
    """Read the body, whatever its content type says.

    Raises:
        Refused: it is no JSON object, or holds what no database keeps.
    """
    try:
        value = json.loads(await request.body(), parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused(N_("The body must be a JSON object."), status=400)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
