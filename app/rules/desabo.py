"""The detector of availability calls: lots offered to everybody for the day, at the usual rates."""

from app.rules.finding import Finding
from app.rules.reading import Reading
from app.rules.rule import Rule
from app.rules.text import has_words, wanted


def detect(reading: Reading, rule: Rule) -> Finding:
    """The newsletter's "se désabonner" or an upload request is its fingerprint."""
    everything = f"{reading.subject}\n{reading.text}"
    needs = {
        "journee": "journee" in reading.text,
        "tarifs_habituels": "tarifs habituels" in reading.text,
        "desabonnement": "desabonn" in everything or asks_for_upload(reading),
    }
    return Finding(
        missing=tuple(name for name, there in needs.items() if not there),
        forbidden=next(
            (term for term in rule.forbidden_terms if has_words(reading.text, wanted(term))), None
        ),
        urgent="urgent" in everything or "urgence" in everything,
    )


def asks_for_upload(reading: Reading) -> bool:
    return any(link.provider == "dropbox" for link in reading.uploads)
