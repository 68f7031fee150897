"""Every URL, in the order of the menu."""

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Mount, Route

from app.views import (
    deliveries,
    endpoint_form,
    endpoint_secret,
    endpoint_tests,
    endpoints,
    events,
    health,
    held,
    lab,
    login,
    mail_replays,
    mailing,
    messages,
    notice_board,
    overview,
    pause,
    pings,
    polls,
    preferences,
    processing_prefs,
    rehearsals,
    replays,
    routing_rules,
    rule_versions,
    rules,
    schedule,
    storage,
    trials,
)
from app.web.body import Room
from app.web.static import VersionedFiles

POST = ["POST"]


class Id(Convertor[int]):
    """The number of a row: nine digits at most, for larger ones fit no column of PostgreSQL."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", Id())

# The routes that answer without a session; every other one asks for it.
PUBLIC = frozenset({"health", "login", "login-link", "ping", "static"})

# The routes that take more than a form does.
ROOMS = {
    "api-routing-rules": Room(largest=routing_rules.ROOM),
    "lab-mails": Room(largest=lab.ROOM, whole=120.0),
}

ROUTES: list[BaseRoute] = [
    Route("/", overview.index, name="overview"),
    Route("/status", overview.status, name="status"),
    Route("/notices/dismissals", notice_board.create_dismissals, name="notice-dismissals", methods=POST),
    Route(
        "/notices/{notice_id:id}/dismissal",
        notice_board.create_dismissal,
        name="notice-dismissal",
        methods=POST,
    ),
    Route("/messages", messages.index, name="messages"),
    Route("/messages/{message_id:id}", messages.show, name="message"),
    Route(
        "/messages/{message_id:id}/decisions",
        messages.create_decision,
        name="message-decisions",
        methods=POST,
    ),
    Route(
        "/messages/{message_id:id}/leavings", messages.create_leaving, name="message-leavings", methods=POST
    ),
    Route("/messages/{message_id:id}/rehearsal", rehearsals.show, name="message-rehearsal"),
    Route("/messages/{message_id:id}/replays/new", mail_replays.new, name="message-replay-new"),
    Route("/messages/{message_id:id}/replays", mail_replays.create, name="message-replays", methods=POST),
    Route("/held", held.index, name="held"),
    Route("/held/releases", held.create_release, name="held-releases", methods=POST),
    Route("/held/drops", held.create_drop, name="held-drops", methods=POST),
    Route("/held/restorations", held.create_restoration, name="held-restorations", methods=POST),
    Route("/deliveries", deliveries.index, name="deliveries"),
    Route("/deliveries/{delivery_id:id}", deliveries.show, name="delivery"),
    Route(
        "/deliveries/{delivery_id:id}/retries",
        deliveries.create_retry,
        name="delivery-retries",
        methods=POST,
    ),
    Route(
        "/deliveries/{delivery_id:id}/copies",
        deliveries.create_copy,
        name="delivery-copies",
        methods=POST,
    ),
    Route("/replays", replays.index, name="replays"),
    Route("/replays", replays.create, name="replays", methods=POST),
    Route("/replays/new", replays.new, name="replay-new"),
    Route("/replays/{run_id:id}", replays.show, name="replay"),
    Route(
        "/replays/{run_id:id}/cancellation",
        replays.create_cancellation,
        name="replay-cancellation",
        methods=POST,
    ),
    Route("/rules", rules.index, name="rules"),
    Route("/rules", rule_versions.create, name="rules", methods=POST),
    Route("/rules/new", rule_versions.new, name="rule-new"),
    Route("/rules/preview", rule_versions.preview, name="rule-preview", methods=POST),
    Route("/rules/{rule_id:id}", rule_versions.show, name="rule"),
    Route("/rules/{rule_id:id}/position", rules.create_position, name="rule-position", methods=POST),
    Route("/rules/{rule_id:id}/activation", rules.create_activation, name="rule-activation", methods=POST),
    Route("/rules/{rule_id:id}/deletion", rules.new_deletion, name="rule-deletion"),
    Route("/rules/{rule_id:id}/deletion", rules.create_deletion, name="rule-deletion", methods=POST),
    Route("/rules/{rule_id:id}/return", rules.create_return, name="rule-return", methods=POST),
    Route("/rules/{rule_id:id}/versions", rule_versions.create_version, name="rule-versions", methods=POST),
    Route("/rules/{rule_id:id}/versions/{number:id}", rule_versions.show_version, name="rule-version"),
    Route(
        "/rules/{rule_id:id}/versions/{number:id}/restoration",
        rule_versions.create_restoration,
        name="rule-version-restoration",
        methods=POST,
    ),
    Route("/pause", pause.create, name="pause", methods=POST),
    Route("/lab", lab.index, name="lab"),
    Route("/lab/mails", lab.create_mail, name="lab-mails", methods=POST),
    Route("/trials", trials.create, name="trials", methods=POST),
    Route("/trials/{run_id:id}", trials.show, name="trial"),
    Route(
        "/trials/{run_id:id}/cancellation",
        trials.create_cancellation,
        name="trial-cancellation",
        methods=POST,
    ),
    Route("/trials/{run_id:id}/messages/{message_id:id}", trials.show_message, name="trial-message"),
    Route("/endpoints", endpoints.index, name="endpoints"),
    Route("/endpoints", endpoint_form.create, name="endpoints", methods=POST),
    Route("/endpoints/new", endpoint_form.new, name="endpoint-new"),
    Route("/endpoints/effect", endpoint_form.show_effect, name="endpoint-effect", methods=POST),
    Route("/endpoints/{endpoint_id:id}", endpoints.show, name="endpoint"),
    Route("/endpoints/{endpoint_id:id}/settings", endpoint_form.edit, name="endpoint-settings"),
    Route(
        "/endpoints/{endpoint_id:id}/settings", endpoint_form.update, name="endpoint-settings", methods=POST
    ),
    Route(
        "/endpoints/{endpoint_id:id}/activation",
        endpoints.create_activation,
        name="endpoint-activation",
        methods=POST,
    ),
    Route(
        "/endpoints/{endpoint_id:id}/releases",
        endpoints.create_release,
        name="endpoint-releases",
        methods=POST,
    ),
    Route("/endpoints/{endpoint_id:id}/tests", endpoint_tests.create, name="endpoint-tests", methods=POST),
    Route("/endpoints/{endpoint_id:id}/secret", endpoint_secret.new, name="endpoint-secret"),
    Route("/endpoints/{endpoint_id:id}/secret", endpoint_secret.create, name="endpoint-secret", methods=POST),
    Route(
        "/endpoints/{endpoint_id:id}/secret/expiry",
        endpoint_secret.create_expiry,
        name="endpoint-secret-expiry",
        methods=POST,
    ),
    Route("/endpoints/{endpoint_id:id}/deletion", endpoints.new_deletion, name="endpoint-deletion"),
    Route(
        "/endpoints/{endpoint_id:id}/deletion",
        endpoints.create_deletion,
        name="endpoint-deletion",
        methods=POST,
    ),
    Route("/schedule", schedule.show, name="schedule"),
    Route("/schedule", schedule.create, name="schedule", methods=POST),
    Route("/schedule/effect", schedule.show_effect, name="schedule-effect", methods=POST),
    Route("/preferences", preferences.show, name="preferences"),
    Route("/preferences", preferences.create, name="preferences", methods=POST),
    Route("/preferences/effect", preferences.show_effect, name="preferences-effect", methods=POST),
    Route("/storage", storage.show, name="storage"),
    Route("/storage", storage.create, name="storage", methods=POST),
    Route("/storage/effect", storage.show_effect, name="storage-effect", methods=POST),
    Route("/preferences/mailing", mailing.show, name="mailing"),
    Route("/preferences/mailing/tests", mailing.create_test, name="mailing-tests", methods=POST),
    Route("/api/routing_rules", routing_rules.show, name="api-routing-rules"),
    Route("/api/routing_rules", routing_rules.create, name="api-routing-rules", methods=POST),
    Route("/api/processing_prefs", processing_prefs.show, name="api-preferences"),
    Route("/api/processing_prefs", processing_prefs.create, name="api-preferences", methods=POST),
    Route("/api/get_processing_prefs", processing_prefs.show, name="api-preferences-shown"),
    Route(
        "/api/update_processing_prefs",
        processing_prefs.create,
        name="api-preferences-updated",
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
