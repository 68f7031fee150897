"""Get of each listed mail what we may have: headers first, and the body only of mail that may matter."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from app.integrations.errors import Failure, IntegrationError
from app.integrations.imap_answer import Listed
from app.integrations.parsed import ParsedHeaders
from app.jobs.candidate import Candidate, Shelf, size_limit, turned_away
from app.jobs.context import Context
from app.jobs.ledger import Known
from app.jobs.visit import Visit
from app.rules import identity
from app.rules.sender import bare_address
from app.rules.verdict import Reason

MOST_TRIES = 3  # of a block whose parser dies

log = structlog.get_logger()


async def fetch(visit: Visit, shelf: Shelf, batch: Sequence[Listed], known: Known) -> list[Candidate]:
    """Read a batch.

    Raises:
        IntegrationError: the server does not give this batch; which of its mails is at fault, nobody knows.
    """
    heads = await _heads(visit.context, await visit.imap.headers([item.uid for item in batch]))
    candidates = []
    for item in batch:
        candidate = blank(item, known)
        head = heads.get(item.uid)
        if head is not None:
            candidate = _described(candidate, head)
        candidate = replace(candidate, unreadable=item.uid not in heads)
        candidates.append(replace(candidate, refusal=_refusal(shelf, candidate)))
    return await _with_bodies(visit, candidates)


def blank(item: Listed, known: Known) -> Candidate:
    """Give a candidate of which nothing but its line in the listing is known."""
    return Candidate(
        item=item,
        message_id=known.unfetched.get(item.uid),
        occurrence=known.occurrences(item.uid),
        insisted=item.uid in known.insisted,
    )


def _described(candidate: Candidate, head: ParsedHeaders) -> Candidate:
    return replace(
        candidate,
        header=head.message_id,
        subject=head.subject,
        sender_header=head.sender_header,
        sender=bare_address(head.sender_header),
        date_header=head.date_header,
        email_id=identity.email_id(head.message_id, head.subject, head.date_header),
        fingerprint=identity.fingerprint(
            message_id=head.message_id,
            sender_header=head.sender_header,
            subject=head.subject,
            date=head.date_header,
            size=candidate.item.size,
        ),
    )


async def _heads(
    context: Context, blocks: dict[int, bytes], tries: int = MOST_TRIES
) -> dict[int, ParsedHeaders]:
    """Read header blocks; one that breaks the parser is left out and takes no other with it."""
    try:
        return dict(zip(blocks, await context.parser.headers(list(blocks.values())), strict=True))
    except IntegrationError as error:
        if len(blocks) == 1 and error.reason is Failure.PARSER_FAILED and tries > 1:
            return await _heads(context, blocks, tries - 1)  # something else may have killed the parser
        if len(blocks) == 1:
            log.warning("IGNORED: headers unreadable", reason=str(error.reason), uid=next(iter(blocks)))
            return {}
    heads: dict[int, ParsedHeaders] = {}
    for uid, block in blocks.items():
        heads |= await _heads(context, {uid: block})
    return heads


def _refusal(shelf: Shelf, candidate: Candidate) -> Reason | None:
    """Say why a mail's body is not fetched, if it is not."""
    if (before := shelf.start.refusal(candidate.item)) is not None:
        return before
    senders = () if candidate.unreadable else shelf.mailbox.senders  # nobody knows who wrote it
    limit = size_limit(None) if candidate.insisted else shelf.limit
    return turned_away(candidate.sender, candidate.item.size, senders=senders, limit=limit)


async def _with_bodies(visit: Visit, candidates: Sequence[Candidate]) -> list[Candidate]:
    wanted = [candidate.item.uid for candidate in candidates if candidate.refusal is None]
    bodies = await visit.imap.bodies(wanted) if wanted else {}
    visit.context.crash.point("fetch.after")
    lacking = [uid for uid in wanted if uid not in bodies]
    still_there = {item.uid for item in await visit.imap.listing(min(lacking))} if lacking else set()
    return [
        replace(
            candidate,
            body=bodies.get(candidate.item.uid),
            vanished=candidate.item.uid in lacking and candidate.item.uid not in still_there,
        )
        for candidate in candidates
    ]
