"""What goes to another address than it was made for: a reader is told where to, and must say yes."""

from starlette.datastructures import FormData

from app.models import Endpoint
from app.views.fields import text
from app.web.i18n import N_

UNCONFIRMED = N_(
    "The receiver's address was changed since: the delivery's own page asks whether it is to go there."
)


def agreed(form: FormData, endpoint: Endpoint) -> bool:
    """Say whether the reader has agreed to the address of this moment, not to one before it."""
    return endpoint.url_since is not None and text(form, "confirmed") == endpoint.url_since.isoformat()
