"""What is told of receivers, mailboxes and deliveries by mail and on the overview, and how a mail is put."""

from app.rules.vocabulary import N_

NEWS: dict[str, tuple[str, ...]] = {
    "notice_endpoint_parked": (N_("The receiver “{name}” is parked: {why:both}"),),
    "notice_endpoint_failing": (N_("The receiver “{name}” takes no deliveries: {why:both}"),),
    "notice_endpoint_unreachable": (N_("Nothing may be sent to the receiver “{name}”: {why:both}"),),
    "notice_endpoint_recovered": (N_("The receiver “{name}” takes deliveries again"),),
    "notice_mailbox_failing": (N_("The mailbox “{name}” cannot be read: {why:both}"),),
    "notice_mailbox_recovered": (N_("The mailbox “{name}” is read again"),),
    "notice_delivery_failed": (
        N_("Delivery {delivery} to “{name}” has failed for good: {why:both}"),
        N_("A delivery to “{name}” has failed for good: {why:both}"),
    ),
    "notice_mail_test": (N_("{name} wanted to see whether mails arrive: this one did"),),
    "works_again": (N_("It works again"),),
    # how a mail is put
    "mail_subject": (N_("Signal Server: {told:both}"),),
    "mail_subject_and_one": (N_("Signal Server: {told:both}, and 1 more"),),
    "mail_subject_and_more": (N_("Signal Server: {told:both}, and {more} more"),),
    "short_endpoint_parked": (N_("receiver “{name}” is parked"),),
    "short_endpoint_failing": (N_("receiver “{name}” takes no deliveries"),),
    "short_endpoint_unreachable": (N_("nothing may be sent to receiver “{name}”"),),
    "short_endpoint_recovered": (N_("receiver “{name}” takes deliveries again"),),
    "short_mailbox_failing": (N_("mailbox “{name}” cannot be read"),),
    "short_mailbox_recovered": (N_("mailbox “{name}” is read again"),),
    "short_delivery_failed": (N_("a delivery to “{name}” has failed for good"),),
    "short_mail_test": (N_("a test mail"),),
    "mail_line": (N_("{at:moment}"),),
    "mail_and_more": (N_("and {count} more"),),
    "mail_end": (N_("All of it: {url}"),),
    # what became of one
    "mail_refused": (N_("The mail server did not take it ({detail})"), N_("The mail server did not take it")),
}
