"""The lab: drafts that were tried, and any mail put before the rules; nothing of it is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from app.integrations.errors import IntegrationError
from app.integrations.parser import Parser
from app.jobs.draft import draft_of
from app.jobs.letter import Letter, passing_letter
from app.jobs.rehearse import ended_by, rehearse
from app.models import Mailbox, Run, trial
from app.rules.sender import is_listed
from app.rules.verdict import Reason
from app.views.fields import number_in, text
from app.views.frame import framed, number_of
from app.views.rehearsals import Outlook, outlook
from app.web.errors import NotFound
from app.web.htmx import wants_fragment
from app.web.i18n import N_, gettext
from app.web.state import Request
from app.web.templates import say_reason

LARGEST = 10 * 1024 * 1024  # bytes of a mail
ROOM = LARGEST + 1024 * 1024  # bytes of the form that brings it
SHOWN = 100_000  # characters of a pasted mail that the page gives back
TRIALS = 10

NOTHING = N_("Paste a mail, or choose a file.")
TOO_LARGE = N_("This mail is larger than 10 MB.")
NO_MAIL = N_("This is no mail: it has neither a sender nor a subject nor a date.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A mail as it was handed in, and what it is to be judged as."""

    body: bytes = b""
    text: str = ""
    mailbox: int | None = None
    trial: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a mail that was handed in; `listed` is None where no mailbox was chosen."""

    letter: Letter
    outlook: Outlook
    mailbox: str
    listed: bool | None
    draft: str  # the name of the rule that was judged as a draft
    ended_by: str | None  # the rule before it after which nobody asked the draft


async def index(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        if wants_fragment(request):
            return await framed(request, db, "lab/index.html", fragment="trials", **await _trials(db))
        first = (await db.exec(select(Mailbox.id).order_by(col(Mailbox.id)).limit(1))).first()
        question = Question(trial=number_of(request, "trial"), mailbox=first)
        shown = await _shown(db, question)
        return await framed(request, db, "lab/index.html", fragment="trials", **shown)


async def create_mail(request: Request) -> Response:
    """Say what would become of a mail that somebody hands in."""
    async with request.form(max_files=1, max_fields=8, max_part_size=ROOM) as form:
        question = await _read(form)
    async with request.state["database"].reading() as db:
        mailbox, run = await _meant(db, question)
    letter = await _letter(request, question, mailbox)
    async with request.state["database"].reading() as db:
        if isinstance(letter, str):
            shown = await _shown(db, question, problem=letter)
            return await framed(request, db, "lab/index.html", fragment="answer", status=422, **shown)
        answer = await _answer(db, letter, mailbox, run, now=request.state["now"]())
        shown = await _shown(db, question, answer=answer)
        return await framed(request, db, "lab/index.html", fragment="answer", **shown)


async def _read(form: FormData) -> Question:
    """Take the file; or what was pasted, where there is none."""
    given, pasted = form.get("file"), text(form, "text")
    body = await given.read() if isinstance(given, UploadFile) else b""
    return Question(
        body=body or pasted.lstrip("\r\n").replace("\n", "\r\n").encode("utf-8", "replace"),
        text=pasted if len(pasted) <= SHOWN else "",
        mailbox=number_in(form, "mailbox"),
        trial=number_in(form, "trial"),
    )


async def _meant(db: AsyncSession, question: Question) -> tuple[Mailbox | None, Run | None]:
    """Find the mailbox and the trial that were chosen, if any were."""
    mailbox = await db.get(Mailbox, question.mailbox) if question.mailbox else None
    run = await Run.find(db, trial.KIND, question.trial)
    if (question.mailbox and mailbox is None) or (question.trial and run is None):
        raise NotFound
    return mailbox, run


async def _letter(request: Request, question: Question, mailbox: Mailbox | None) -> Letter | str:
    """Read the mail in a parser of its own, or say why it is none."""
    if not question.body.strip():
        return gettext(NOTHING)
    if len(question.body) > LARGEST:
        return gettext(TOO_LARGE)
    async with request.state["handed_in"], Parser() as parser:
        try:
            letter = await passing_letter(question.body, parser, mailbox=mailbox, now=request.state["now"]())
        except IntegrationError as error:
            return say_reason(Reason(str(error.reason)).to_json())
    message = letter.message
    known = message.sender_header or message.subject or message.date_header
    return letter if known else gettext(NO_MAIL)


async def _answer(
    db: AsyncSession, letter: Letter, mailbox: Mailbox | None, run: Run | None, *, now: datetime
) -> Answer:
    draft = draft_of(run) if run else None
    rehearsal = await rehearse(db, letter, now=now, draft=draft)
    return Answer(
        letter=letter,
        outlook=await outlook(db, rehearsal, now=now),
        mailbox=mailbox.name if mailbox else "",
        listed=is_listed(letter.message.sender, mailbox.senders) if mailbox else None,
        draft=draft.name if draft else "",
        ended_by=ended_by(rehearsal, draft) if draft else None,
    )


async def _shown(
    db: AsyncSession, question: Question, *, answer: Answer | None = None, problem: str = ""
) -> dict[str, Any]:
    return {
        "question": question,
        "answer": answer,
        "problem": problem,
        "mailboxes": await Mailbox.names(db),
        **await _trials(db),
    }


async def _trials(db: AsyncSession) -> dict[str, Any]:
    runs = await Run.recent(db, trial.KIND, limit=TRIALS)
    return {
        "runs": [(run, run.details["draft"]["name"]) for run in runs],
        "under_way": any(run.ended_at is None for run in runs),
    }
