"""Every URL, in the order of the menu."""

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Mount, Route

from app.views import deliveries, events, health, login, messages, overview, pings, polls
from app.web.static import VersionedFiles

POST = ["POST"]


class Id(Convertor[int]):
    """The number of a row: eighteen digits at most, for larger ones fit no column."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", Id())

# The routes that answer without a session; every other one asks for it.
PUBLIC = frozenset({"health", "login", "login-link", "ping", "static"})

ROUTES: list[BaseRoute] = [
    Route("/", overview.index, name="overview"),
    Route("/status", overview.status, name="status"),
    Route("/messages", messages.index, name="messages"),
    Route("/messages/{message_id:id}", messages.show, name="message"),
    Route(
        "/messages/{message_id:id}/decisions",
        messages.create_decision,
        name="message-decisions",
        methods=POST,
    ),
    Route("/deliveries", deliveries.index, name="deliveries"),
    Route("/deliveries/{delivery_id:id}", deliveries.show, name="delivery"),
    Route(
        "/deliveries/{delivery_id:id}/retries",
        deliveries.create_retry,
        name="delivery-retries",
        methods=POST,
    ),
    Route("/polls", polls.create, name="polls", methods=POST),
    Route("/polls/{run_id:id}", polls.show, name="poll"),
    Route("/api/check_emails_and_download", polls.create_from_program, name="api-polls", methods=POST),
    Route("/events", events.index, name="events"),
    Route("/login", login.new, name="login"),
    Route("/login", login.create, name="login", methods=POST),
    Route("/login/magic/{token}", login.show_link, name="login-link"),
    Route("/login/magic/{token}", login.create_from_link, name="login-link", methods=POST),
    Route("/logout", login.delete, name="logout", methods=POST),
    Route("/health", health.show, name="health"),
    Route("/api/ping", pings.show, name="ping"),
    Route("/api/invariants", health.invariants, name="invariants"),
    Mount("/static", VersionedFiles(), name="static"),
]
