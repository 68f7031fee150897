"""What the processes say: structured lines, without people's addresses and without secrets."""

import hashlib
import logging
import re
from collections.abc import Callable
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.lines import Lines

KINDS = {
    **dict.fromkeys(("address", "email", "recipient", "sender", "to", "username"), "email"),
    "subject": "subject",
    **dict.fromkeys(("body", "content", "html", "source", "text"), "content"),
    **dict.fromkeys(("api_key", "authorization", "cookie", "link", "password", "secret", "token"), "secret"),
}
# What third parties say in passing: a sign-in link, a password inside an address, a person's address.
PASSED_ON: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(/login/magic/)[\w.~%-]+"), r"\1[redacted]"),
    (re.compile(r"(?<=://)[^\s/@]*:[^\s/@]*@"), "[redacted]@"),
    (re.compile(r"[\w.+-]{1,64}@\w[\w.-]{0,254}"), lambda match: mask(match[0], "email")),
)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
NOISY = ("arq", "httpcore", "httpx", "httpx2", "uvicorn", "uvicorn.access")


def configure(
    process: str, *, form: str = "console", level: str = "info", stream: Lines | None = None
) -> None:
    """Send every line of this process, our own and the libraries', through one renderer.

    Args:
        process: the name that each line carries, such as `web`.
        form: `json` or `console`.
        level: the least important level that is shown.
        stream: where to; standard output when not given.
    """
    least = logging.getLevelNamesMapping()[level.upper()]
    out = stream or Lines()
    shared = _shared(process)
    structlog.configure(
        processors=[*shared, *_rendering(form)],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", out)),  # it only writes and flushes
        cache_logger_on_first_use=stream is None,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=_rendering(form), foreign_pre_chain=shared)
    )
    logging.basicConfig(handlers=[handler], level=max(least, logging.WARNING), force=True)
    logging.captureWarnings(capture=True)
    for name in NOISY:  # they say what our own lines say, or name every request
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).setLevel(logging.WARNING)


def mask(text: str, kind: str) -> str:
    """Say of a text what a log may show: enough to recognise it, too little to read it."""
    if kind == "content":
        return f"Content length: {len(text)} chars"
    if kind not in {"email", "subject"}:
        return "[redacted]"
    if not text:
        return ""
    if kind == "email":
        name, at, domain = text.rpartition("@")
        return f"{name[0]}***@{domain}" if at and name and domain else "***"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{' '.join(text.split()[:3])}... [{digest[:6]}]"


def mask_facts(_logger: WrappedLogger, _method: str, facts: EventDict) -> EventDict:
    """Mask what a key declares, whatever the depth, and what a text gives away in passing."""
    return {key: _masked(key, value) for key, value in facts.items()}


def escape_control(_logger: WrappedLogger, _method: str, facts: EventDict) -> EventDict:
    """Show characters that move the cursor or forge a line as their codes; a traceback keeps its lines."""
    return {key: _escaped(key, value) if isinstance(value, str) else value for key, value in facts.items()}


def _escaped(key: str, text: str) -> str:
    if key != "exception":
        return CONTROL.sub(_code, text)
    return "\n  ".join(CONTROL.sub(_code, line) for line in text.split("\n"))


def _shared(process: str) -> list[Processor]:
    def name_process(_logger: WrappedLogger, _method: str, facts: EventDict) -> EventDict:
        return {"process": process} | dict(facts)

    return [
        structlog.contextvars.merge_contextvars,
        name_process,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper("iso", utc=True),
        structlog.processors.format_exc_info,
        mask_facts,
    ]


def _rendering(form: str) -> list[Processor]:
    if form == "json":
        return [_drop_record, structlog.processors.JSONRenderer(default=_plain)]
    return [_drop_record, escape_control, structlog.dev.ConsoleRenderer(colors=False)]


def _drop_record(_logger: WrappedLogger, _method: str, facts: EventDict) -> EventDict:
    return {key: value for key, value in facts.items() if key not in {"_record", "_from_structlog"}}


def _masked(key: str, value: Any) -> Any:  # noqa: ANN401 - whatever a caller logs
    kind = KINDS.get(key)
    if isinstance(value, dict):
        return {inner: _masked(str(inner), part) for inner, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked(key, part) for part in value]
    if kind is not None and value is not None:
        return mask(str(value), kind)
    return _without_secrets(value) if isinstance(value, str) else value


def _without_secrets(text: str) -> str:
    for pattern, replacement in PASSED_ON:
        text = pattern.sub(replacement, text)
    return text


def _code(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _plain(value: object) -> str:
    return _without_secrets(str(value))
