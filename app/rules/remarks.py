"""What is said of settings: what they do, and what is wrong with one as somebody wrote it."""

from app.rules.vocabulary import N_

REMARKS: dict[str, tuple[str, ...]] = {
    # when mailboxes are looked at
    "polling_off": (N_("Mailboxes are looked at only when somebody asks for it"),),
    "polling": (
        N_("Mailboxes are looked at every {seconds} s {from_day:word} to {to_day:word}, {opens} to {closes}"),
        N_("Mailboxes are looked at every {seconds} s on {days:words}, {opens} to {closes}"),
        N_("Mailboxes are looked at every {seconds} s, every day, {opens} to {closes}"),
        N_("Mailboxes are looked at every {seconds} s {from_day:word} to {to_day:word}, at any hour"),
        N_("Mailboxes are looked at every {seconds} s on {days:words}, at any hour"),
        N_("Mailboxes are looked at every {seconds} s, day and night"),
    ),
    # what preferences do
    "leaves_out_all": (
        N_("Ignores mail with {keywords:quoted} in its subject or text, whatever its accents and case"),
        N_("No word makes every rule ignore a mail"),
    ),
    "attachments_required": (N_("Ignores mail without an attachment"),),
    "attachments_optional": (N_("Mail goes with and without attachments"),),
    "size_limit": (N_("Does not fetch mail above {megabytes} MB: its headers and verdict are kept"),),
    "senders_first": (N_("Mail from {senders:names} goes before other mail"),),
    "senders_in_turn": (N_("Mail from {senders:names} goes in its turn, whatever its rule says"),),
    "senders_last": (N_("Mail from {senders:names} goes after other mail"),),
    "senders_alike": (N_("No sender is preferred: rules alone say which mail goes first"),),
    "groups_once": (N_("Of mails that a rule groups, the first goes and the others are duplicates"),),
    "groups_off": (N_("Every mail goes, also where a rule groups them"),),
    # how long things are kept
    "keeps_sources": (
        N_("Keeps the source of a mail for {days:days}"),
        N_("Keeps the sources of mails for ever"),
    ),
    "keeps_bodies": (
        N_("Keeps the body of a delivery for {days:days}"),
        N_("Keeps the bodies of deliveries for ever"),
    ),
    "keeps_attempts": (N_("Keeps tries for {days:days} after the last one"), N_("Keeps tries for ever")),
    "keeps_logs": (N_("Keeps logs for {days:days}"), N_("Keeps logs for ever")),
    "removes_sources": (
        N_("Removes the source of mails older than {days:days}: there are {count}"),
        N_("Removes the source of mails older than {days:days}: more than {least}"),
    ),
    "removes_bodies": (
        N_("Removes the body of deliveries that ended more than {days:days} ago: there are {count}"),
        N_("Removes the body of deliveries that ended more than {days:days} ago: more than {least}"),
    ),
    "removes_attempts": (
        N_("Removes the tries of deliveries that ended more than {days:days} ago: there are {count}"),
        N_("Removes the tries of deliveries that ended more than {days:days} ago: more than {least}"),
    ),
    "removes_logs": (
        N_("Removes log entries older than {days:days}: there are {count}"),
        N_("Removes log entries older than {days:days}: more than {least}"),
    ),
    "mirrors_links": (N_("Sends the links of each mail to “{name}” too, once"),),
    "mirrors_nothing": (N_("Links go to the rules' own receivers alone"),),
    "tells_nobody": (N_("Nobody is told by mail when something fails"),),
    "tells_without_server": (N_("Nobody can be told by mail: SMTP_HOST is not set"),),
    "tells": (
        N_("Tells {to:names} by mail when something fails, and when it works again"),
        N_("Would tell somebody by mail when something fails, but there is no address"),
    ),
    # what is wrong with a setting
    "unknown_zone": (
        N_("“{value}” is no time zone: choose one such as Europe/Paris"),
        N_("Choose a time zone such as Europe/Paris"),
    ),
    "not_a_time": (N_("“{value}” is not a time such as 9h, 09h30 or 9:30"),),
    "half_a_window": (N_("Opening and closing belong together: give both or none"),),
    "no_window_at_all": (N_("Opening and closing are the same: nothing would ever leave"),),
    "unknown_day": (N_("“{value}” is no day of the week"), N_("A day of the week is expected")),
    "no_day_of_absence": (N_("Choose at least one day, or switch absence off"),),
    "not_a_date": (N_("“{value}” is not a date such as 2026-12-24"),),
    "half_a_vacation": (N_("First and last day belong together: give both or none"),),
    "vacation_backwards": (N_("The last day is before the first"),),
    "no_polling_day": (N_("Choose at least one day"),),
    "no_polling_hour": (N_("Start and end must differ; 0 to 24 is always"),),
    "not_a_number": (N_("A whole number from {least} to {most}"),),
    "not_an_object": (N_("An object is expected"),),
    "bad_address": (N_("“{address}” is no e-mail address"), N_("An e-mail address is missing")),
    "nobody_to_tell": (N_("Give an address, or untick “Tell me by mail”: nobody would be told"),),
    "bad_sender_line": (N_("“{address}” is no line such as camille@example.org: high"),),
    "bad_priority": (
        N_("{address}: “{value}” is not one of high, normal and low"),
        N_("{address}: after a colon, say high, normal or low"),
    ),
    "no_receiver_yet": (N_("There is no receiver yet that this could be set for"),),
    "no_rule_for_it": (N_("There is no rule any more that this could be set for"),),
    # what is wrong with a list of routing rules
    "rules_not_a_list": (N_("“rules” must be a list"),),
    "unknown_choice": (N_("{field}: “{value}” is not one of {choices:names}"), N_("{field} is missing")),
    "webhook_missing": (N_("webhook_url is missing"),),
    "webhook_not_https": (N_("webhook_url must be an address that begins with https://"),),
    "webhook_masked": (N_("webhook_url is masked (***): give the whole address"),),
}
