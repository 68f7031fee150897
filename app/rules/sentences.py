"""The sentence of every reason: the one place where judgement is put into words."""

from app.rules.news import NEWS
from app.rules.phrases import PHRASES
from app.rules.receiver_words import RECEIVERS
from app.rules.remarks import REMARKS
from app.rules.vocabulary import N_

# Of several sentences the first whose facts are known is said.
SENTENCES: dict[str, tuple[str, ...]] = {
    # what is asked of a mail before any rule
    "before_start": (N_("Older than the start chosen for this mailbox: listed, not processed"),),
    "read_before": (N_("It was there and read before this mailbox was connected: listed, not processed"),),
    "sender_not_listed": (
        N_("The sender {sender} is not on the list of this mailbox"),
        N_("The sender is not on the list of this mailbox"),
    ),
    "too_large": (
        N_("Too large to fetch: {size:megabytes}, the limit is {limit:megabytes}"),
        N_("The answer was too large"),
    ),
    "vanished": (N_("It vanished from the mailbox before it could be fetched"),),
    "not_fetched": (N_("It could not be fetched: {detail:word}"), N_("It could not be fetched")),
    "unparsable": (N_("It could not be read: {detail:word}"), N_("It could not be read")),
    "parser_killed": (
        N_("Deciding it broke off {tries} times; it is set aside with its source"),
        N_("Deciding it broke off; it is set aside with its source"),
    ),
    "duplicate_mail": (N_("The same mail was handled before, as mail {message_id}"),),
    "text_cut": (N_("Very long: only the first {limit:megabytes} of its text were read"),),
    "insisted": (N_("Somebody asked for it to be handled all the same"),),
    "demo_over": (N_("It belonged to the demo, which is over"),),
    "plain_cut": (N_("Very long: only the first megabyte of its plain text was read"),),
    "unknown_charset": (
        N_("Its character set “{name}” is unknown: read as UTF-8, what did not fit is left out"),
    ),
    "html_too_deep": (N_("Its HTML is nested too deeply: read without its structure"),),
    "too_deep": (N_("Its parts are nested too deeply: the innermost were not read"),),
    "too_many_parts": (N_("It has too many parts: the last ones were not read"),),
    "no_boundary": (N_("It claims to have parts but does not say where they begin: read as plain text"),),
    "header_cut": (N_("Its headers are very long: only their beginning was read"),),
    "reply_prefix": (N_("The subject begins with “{prefix}”: replies and forwards are not processed"),),
    "no_reply_prefix": (N_("The subject does not begin like a reply or a forward"),),
    "exclude_keyword": (
        N_("It contains “{keyword}”, a keyword that the rule “{rule}” excludes"),
        N_("It contains the excluded keyword “{keyword}”"),
    ),
    "no_exclude_keyword": (N_("Excluded keywords looked for: {count}; none is in it"),),
    "no_rule": (N_("There is no active rule"),),
    "no_rule_matched": (N_("No rule matches it"),),
    "rule_ends_search": (N_("Rule “{rule}” matched and ends the search: later rules were not looked at"),),
    "no_attachment": (N_("It has no attachment, and only mail with attachments is wanted"),),
    "has_attachment": (N_("Attachments: {count}"),),
    # what a rule finds
    "condition_met": (
        N_("{what:word} {operator:word} “{value}” ({how:both}); seen: “{saw}”"),
        N_("{what:word} {operator:word} “{value}”; seen: “{saw}”"),
        N_("{what:word} {operator:word} “{value}”"),
        N_("{what:word} {operator:word}; seen: “{saw}”"),
        N_("{what:word} {operator:word}"),
    ),
    "condition_unmet": (
        N_("No: {what:word} {operator:word} “{value}” ({how:both}); seen: “{saw}”"),
        N_("No: {what:word} {operator:word} “{value}”; seen: “{saw}”"),
        N_("No: {what:word} {operator:word} “{value}”; there is none"),
        N_("No: {what:word} {operator:word}; seen: “{saw}”"),
        N_("No: {what:word} {operator:word}"),
    ),
    "not_there": (N_("Not found: {what:word}"),),
    "not_wanted": (
        N_("Found, though it must not be there: {what:word}; seen: “{saw}”"),
        N_("Found, though it must not be there: {what:word}"),
    ),
    "to_the_letter": (N_("case and accents count"),),
    "read_in_part": (N_("only the first {read} kB of so long a text are read"),),
    "unwanted_detector": (N_("It is a {detector:word}, and the rule “{rule}” wants none"),),
    "all_of": (N_("All of these:"),),
    "any_of": (N_("At least one of these:"),),
    "not_all_of": (N_("Not all of these:"),),
    "not_any_of": (N_("None of these:"),),
    "rule_matches": (N_("It meets the conditions of the rule “{rule}”"),),
    "bad_pattern": (N_("The pattern cannot be used: {detail}"), N_("The pattern cannot be used")),
    "pattern_too_long": (N_("The pattern is longer than {limit} characters"),),
    "matched_recadrage": (
        N_("Recadrage mission with the delivery time {delivery_time}; delivery links: {links}"),
        N_("Recadrage mission"),
    ),
    "matched_desabonnement_journee_tarifs": (
        N_("DESABO offer: “journée”, “tarifs habituels”, nothing forbidden"),
    ),
    "matched_links": (N_("Delivery links found: {links}"),),  # in the history
    "not_matched": (
        N_("No {detector:word}: missing {missing:words}"),
        N_("No {detector:word}: it contains “{forbidden}”"),
    ),
    "no_endpoint": (N_("The rule “{rule}” has no receiver"),),
    "group_duplicate": (
        N_("Mail {message_id} about the same ({group}) came first in this period ({scope})"),
    ),
    "group_free": (N_("First mail about {group} in this period ({scope})"),),
    # what the gates say
    "not_expired": (N_("The day on which it arrived is not over"),),
    "hold_expired": (N_("Out of date since {expired_at:moment}: the day on which it arrived is over"),),
    "absence_day": (
        N_("{day:word} is a day of absence; {action:word} until {release_at:moment}"),
        N_("{day:word} is a day of absence; {action:word}"),
    ),
    "no_absence": (N_("{day:word} is no day of absence"),),
    "paused": (N_("Sending is paused; {action:word}"), N_("Sending is paused")),
    "sending_on": (N_("Sending is on"),),
    "vacation": (
        N_("Vacation from {start:date} to {end:date}; {action:word} until {release_at:moment}"),
        N_("Vacation from {start:date} to {end:date}; {action:word}"),
    ),
    "no_vacation": (N_("No vacation today"),),
    "before_window": (
        N_("Window {opens}–{closes}: now {now}, before opening; {action:word} until {release_at:moment}"),
        N_("Window {opens}–{closes}: now {now}, before opening; {action:word}"),
    ),
    "after_window": (
        N_("Window {opens}–{closes}: now {now}, after closing; {action:word} until {release_at:moment}"),
        N_("Window {opens}–{closes}: now {now}, after closing; {action:word}"),
    ),
    "inside_window": (N_("Window {opens}–{closes}: now {now}, inside"),),
    "no_window": (N_("No window is set: any time will do"),),
    "links_found": (N_("It has a delivery link"),),
    "links_not_needed": (N_("This rule needs no delivery link"),),
    "lacks_link": (N_("It has no delivery link: it will be dropped then"),),
    "no_links": (N_("It has no delivery link; {action:word}"),),
    "rule_sends": (N_("It goes out; number of receivers: {receivers}"),),
    # what the schedule says
    "schedule_always": (N_("Webhooks leave at any time"),),
    "schedule_days": (
        N_("Webhooks leave {from_day:word} to {to_day:word}, at any hour, {zone} time"),
        N_("Webhooks leave on {days:words}, at any hour, {zone} time"),
        N_("Webhooks leave on no day: all seven are days of absence"),
    ),
    "schedule_window": (
        N_("Webhooks leave {from_day:word} to {to_day:word} from {opens} to {closes}, {zone} time"),
        N_("Webhooks leave on {days:words}, from {opens} to {closes}, {zone} time"),
        N_("Webhooks leave every day from {opens} to {closes}, {zone} time"),
    ),
    "schedule_vacation": (N_("Vacation from {start:date} to {end:date}: nothing leaves"),),
    "open_now": (
        N_("Open now; closes in {minutes} min"),
        N_("Open now, until {until:moment}"),
        N_("Open now"),
    ),
    "closed_now": (N_("Closed now; opens in {minutes} min"), N_("Closed now; opens {until:moment}")),
    "closed_for_good": (N_("Closed now, and it does not open within a year"),),
    # what is wrong with a rule as it was written
    "name_missing": (N_("Give it a name"),),
    "too_long": (N_("Too long: at most {limit} characters"),),
    "too_many": (N_("Too many: at most {limit}"),),
    "not_a_text": (N_("A text is expected, of characters that can be kept"),),
    "not_a_list": (N_("A list of texts is expected"),),
    "unknown_endpoint": (N_("There is no such receiver"),),
    "bad_span": (N_("Never, once a month, or once in 1 to {limit} days"),),
    "unknown_word": (
        N_("“{value}” is not one of: {choices:words}"),
        N_("One of these is expected: {choices:words}"),
    ),
    "no_condition": (N_("A rule needs a condition"),),
    "nested_too_deeply": (N_("Groups within groups: at most {limit} levels"),),
    "bad_header": (N_("The name of a header, such as List-Id"),),
    "value_missing": (N_("Say what to look for"),),
    "not_a_size": (N_("A size in megabytes, such as 2 or 0.5"),),
    "unknown_provider": (N_("“{value}” is no provider of links that is known here"),),
    "unknown_detector": (N_("“{value}” is no detector"),),
    # what is asked when a delivery is claimed
    "endpoint_paused": (N_("The receiver is paused"),),
    "endpoint_parked": (N_("The receiver is parked: nothing goes to it until somebody takes it up again"),),
    "retry_after": (N_("The receiver asked to be left alone until {until:moment}"),),
    "breaker_open": (N_("The receiver has failed again and again: it is tried out at {until:moment}"),),
    "source_removed": (N_("The mail’s source was removed before this could be made of it"),),
    "receiver_silent": (N_("The receiver has taken nothing since {since:moment}"),),
    "rate_limited": (
        N_("The receiver is set to {limit} tries an hour, and had {used}: it goes on {until:moment}"),
        N_("The receiver is set to {limit} tries an hour, and had {used}: what is above waits"),
    ),
    "sent_again": (N_("Sent again by {by}"), N_("Sent again by hand")),
    "replayed": (
        N_("Sent as new by {by}, beside delivery {delivery}"),
        N_("Sent as new, beside delivery {delivery}"),
    ),
    "judged_again": (N_("Sent by {by} by the rules of that moment"), N_("Sent by the rules of that moment")),
    "released_by_hand": (N_("Released by {by}"), N_("Released by hand")),
    "left_by_hand": (N_("Left as it is by {by}"), N_("Left as it is by hand")),
    "dropped_by_hand": (N_("Dropped by {by}"), N_("Dropped by hand")),
    "taken_back": (N_("Dropped, then taken back by {by}"), N_("Dropped, then taken back")),
    "waits_in_line": (N_("Sending was paused: it goes in its turn"),),
    "form_next": (N_("The receiver takes no JSON (status {status}): the same goes out as a form at once"),),
    # how a try ended
    "sent": (N_("The receiver accepted it (status {status})"), N_("The receiver accepted it")),
    "timed_out": (N_("No answer in time"),),
    "refused": (N_("The connection was refused"),),
    "unreachable": (N_("The host cannot be reached"),),
    "name_not_found": (N_("The host's name is not known"),),
    "tls_failed": (
        N_("No secure connection: the certificate or the protocol was not accepted ({detail})"),
        N_("No secure connection: the certificate or the protocol was not accepted"),
    ),
    "connection_lost": (N_("The connection broke off"),),
    "protocol_error": (N_("The answer made no sense ({detail})"), N_("The answer made no sense")),
    "private_address": (
        N_(
            "The address is private: to allow it, set the environment variable ALLOW_PRIVATE_TARGETS "
            "and start the program again ({detail})"
        ),
        N_("The address is private, and the environment variable ALLOW_PRIVATE_TARGETS does not name it"),
    ),
    "bad_url": (
        N_("The address is not one that may be called: {detail:word}"),
        N_("The address is not one that may be called"),
    ),
    "secret_unreadable": (N_("The stored secret cannot be read with this APP_SECRET_KEY: enter it again"),),
    "auth_failed": (
        N_("User name or password was not accepted ({detail})"),
        N_("User name or password was not accepted"),
    ),
    "folder_missing": (N_("The folder does not exist ({detail})"), N_("The folder does not exist")),
    "unavailable": (
        N_("The server is not available for now ({detail})"),
        N_("The server is not available for now"),
    ),
    "parser_failed": (N_("The parser gave up on it"),),
    "parser_too_slow": (N_("Reading the mail took too long"),),
    "parser_too_big": (N_("Reading the mail took too much memory"),),
    "lost": (N_("The process ended while sending: it may have arrived"),),
    "sender_killed": (
        N_("The process ended {tries} times while sending it: it may have arrived"),
        N_("The process ended while sending it, time after time: it may have arrived"),
    ),
    "lease_lost": (N_("Another process took it over"),),
    "database_away": (N_("The database could not be written; what was not stored is fetched again"),),
    "unexpected": (N_("An error of ours ({detail}): see the log"), N_("An error of ours: see the log")),
    "bad_status": (
        N_("The receiver answered with status {status}"),
        N_("The receiver answered with a failure"),
    ),
    "redirect": (
        N_(
            "The receiver is elsewhere (status {status}); redirects are not followed: enter the final address"
        ),
        N_("The receiver is elsewhere; redirects are not followed: enter the final address"),
    ),
    "gone": (N_("The receiver is gone for good (status 410): it is parked, its deliveries are held"),),
    "gone_for_good": (N_("it answered that it is gone for good (status 410)"),),
    "receiver_refused": (
        N_("The receiver refused it (status {status}): {message}"),
        N_("The receiver refused it (status {status})"),
        N_("The receiver refused it"),
    ),
    "bot_protection": (
        N_("A bot protection answered in the receiver's place ({name})"),
        N_("A bot protection answered in the receiver's place"),
    ),
    "not_confirmed": (N_("The receiver did not answer “success”: true, which this one demands"),),
    # what is wrong with a payload template
    "template_not_json": (
        N_("The template is not JSON: see line {line}, column {column}"),
        N_("The template holds a number that JSON does not have"),
    ),
    "template_not_an_object": (N_("The template must be a JSON object, in braces"),),
    "template_too_long": (N_("The template is too long: the limit is {limit} bytes"),),
    "template_too_deep": (
        N_("The template has sections within sections: the limit is {sections}"),
        N_("The template has lists and objects within each other: the limit is {limit}"),
    ),
    "template_partial": (N_("The template asks for another one, “{name}”: it cannot"),),
    "template_delimiters": (N_("The template changes the marks of its tags: they stay two braces"),),
    "template_blanks": (N_("The template has too many blanks in a row: the limit is {limit}"),),
    "template_broken": (N_("The template has a tag that cannot be read: “{detail}”"),),
    "template_unclosed": (N_("The template does not close “{tag}”"),),
    "template_unopened": (N_("The template closes what is not open: “{tag}”"),),
    "template_unknown_name": (
        N_("The template uses “{name}”, which is not known here. Known are: {known}"),
        N_("The template uses “{name}”, which is not known here"),
    ),
    "template_no_captures": (
        N_("“{name}”: what a rule's patterns catch is for that rule's own payload, not for a receiver's"),
    ),
    "template_unknown_capture": (
        N_("No pattern of this rule catches “{name}”. Caught are: {known}"),
        N_("No pattern of this rule catches “{name}”"),
    ),
    **NEWS,
    **PHRASES,
    **RECEIVERS,
    **REMARKS,
}
