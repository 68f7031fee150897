"""The detector of recadrage missions: a known subject, a link to the files and a delivery time."""

from app.rules.deadline import is_urgence
from app.rules.finding import Finding
from app.rules.reading import Reading
from app.rules.rule import Rule
from app.rules.subject import matches_terms


def detect(reading: Reading, rule: Rule) -> Finding:
    urgent = is_urgence(reading.subject)
    delivery_time = reading.soon if urgent else reading.delivery_time
    needs = {
        "subject_terms": matches_terms(reading.subject, rule.subject_terms),
        "delivery_link": bool(reading.deliveries) or reading.mentions_files,
        "delivery_time": delivery_time is not None,
    }
    missing = tuple(name for name, there in needs.items() if not there)
    return Finding(missing=missing, delivery_time=None if missing else delivery_time, urgent=urgent)
