"""The words that sentences put in: days, fields, operators, and what a gate does."""


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a sentence for the catalogue; it is translated where it is said."""
    return message


DATE = N_("%Y-%m-%d")
MOMENT = N_("%Y-%m-%d %Hh%M")

WORDS = {
    "monday": N_("Monday"),
    "tuesday": N_("Tuesday"),
    "wednesday": N_("Wednesday"),
    "thursday": N_("Thursday"),
    "friday": N_("Friday"),
    "saturday": N_("Saturday"),
    "sunday": N_("Sunday"),
    "send": N_("this rule sends such mail"),
    "hold": N_("this rule holds such mail"),
    "drop": N_("this rule drops such mail"),
    "recadrage": N_("recadrage mission"),
    "desabonnement_journee_tarifs": N_("DESABO offer"),
    "links": N_("mail with a delivery link"),  # in the history
    "sender": N_("Sender"),
    "recipient": N_("Recipient"),
    "subject": N_("Subject"),
    "text": N_("Text"),
    "header": N_("Header"),
    "mailbox": N_("Mailbox"),
    "attachment": N_("Attachment"),
    "link": N_("Delivery link"),
    "size": N_("Size in MB"),
    "detector": N_("Detector"),
    "contains": N_("contains"),
    "not_contains": N_("does not contain"),
    "equals": N_("is"),
    "not_equals": N_("is not"),
    "starts": N_("begins with"),
    "not_starts": N_("does not begin with"),
    "ends": N_("ends with"),
    "not_ends": N_("does not end with"),
    "matches": N_("fits the pattern"),
    "not_matches": N_("does not fit the pattern"),
    "one_of": N_("is one of"),
    "not_one_of": N_("is none of"),
    "present": N_("is there"),
    "not_present": N_("is not there"),
    "larger": N_("is more than"),
    "not_larger": N_("is not more than"),
    "smaller": N_("is less than"),
    "not_smaller": N_("is not less than"),
    "subject_terms": N_("the words of the subject"),
    "delivery_link": N_("a delivery link"),
    "delivery_time": N_("a delivery time"),
    "journee": N_("“journée” in the text"),
    "tarifs_habituels": N_("“tarifs habituels” in the text"),
    "desabonnement": N_("“se désabonner” or an upload request"),
    "headers": N_("its headers"),
    "its_sender": N_("the sender"),
    "its_recipient": N_("a recipient"),
    "its_subject": N_("the subject"),
    "its_text": N_("the text"),
    "its_mailbox": N_("the mailbox"),
    "gate_before": N_("before opening"),
    "gate_after": N_("after closing"),
    "gate_absence": N_("on days of absence"),
    "gate_paused": N_("while sending is paused"),
    "gate_vacation": N_("during vacation"),
    "gate_any": N_("while sending is closed or paused"),
}
