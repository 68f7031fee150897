"""What is said of receivers: what one does as it is written down, and what is wrong with it."""

from app.rules.vocabulary import N_

RECEIVERS: dict[str, tuple[str, ...]] = {
    # what a receiver's form says
    "receiver_json": (N_("Webhooks are posted to {host} as JSON"),),
    "receiver_form": (N_("Webhooks are posted to {host}: the same JSON, sent under the name of a form"),),
    "receiver_form_next": (N_("If it takes no JSON (status 415), the same goes out as a form at once"),),
    "receiver_whole": (N_("They carry the usual payload, with the mail's text"),),
    "receiver_without_content": (N_("They leave out the mail's text: email_content and bodyPreview"),),
    "receiver_template": (N_("They say what the template of this receiver makes of the payload"),),
    "receiver_any_success": (N_("Any answer from 200 to 299 counts as received, unless it says otherwise"),),
    "receiver_own_success": (N_("Only an answer that says “success”: true counts as received"),),
    "receiver_tries": (
        N_("What fails is tried {count} times more, after {waits}; after {span} in all it is given up"),
    ),
    "receiver_tries_once": (N_("What fails is given up at once: it is never tried again"),),
    "receiver_at_once": (
        N_("Up to {count} requests go at once, as many as it takes well; each may take {seconds} s"),
    ),
    "receiver_in_order": (
        N_("One request goes after the other, in the order in which mails came; each may take {seconds} s"),
    ),
    "receiver_per_hour": (N_("At most {count} tries an hour: what is above waits for its turn"),),
    "receiver_headers": (N_("Each request carries {names:names} besides our own headers"),),
    "receiver_authority": (N_("Certificates of its own authority are trusted besides the usual ones"),),
    "receiver_insecure": (
        N_("Any certificate is taken: whoever stands between can read and change what is sent"),
    ),
    # what is wrong with it
    "url_missing": (N_("Give the address to which webhooks are posted"),),
    "url_too_long": (N_("Too long: at most {limit} characters"),),
    "template_missing": (N_("Write a template, or choose the usual payload"),),
    "bad_wait": (
        N_("“{value}” is no time between two tries, such as 5s, 30min or 2h"),
        N_("Times such as 5s, 30min or 2h are expected, with commas between them"),
    ),
    "wait_too_long": (N_("“{value}” is too long: at most {hours} h between two tries"),),
    "header_not_read": (N_("Line {line}: a name, a colon and a value are expected"),),
    "header_name": (N_("Line {line}: this is no name that a header may have"),),
    "header_value": (N_("Line {line}: the value is empty, or has characters that no header may have"),),
    "header_ours": (N_("Line {line}: “{name}” is set by this server alone"),),
    "header_twice": (N_("Line {line}: “{name}” stands there twice"),),
    "header_not_kept": (N_("Line {line}: no value of “{name}” is kept, enter it"),),
    "headers_too_long": (N_("All headers together: at most {limit} characters"),),
    "not_certificates": (N_("Certificates in PEM form are expected, each from BEGIN to END"),),
    "private_key": (N_("This is a private key: it belongs to the receiver alone, and was not kept"),),
    "insecure_not_allowed": (N_("Only where the environment says ALLOW_INSECURE_TLS=1"),),
    # what became of one
    "in_order": (N_("It waits for the one before it: this receiver takes one after the other"),),
    "endpoint_deleted": (N_("The receiver was deleted"),),
    "test_over_limit": (N_("Not sent: the last hour had {used} tries, and {limit} are allowed"),),
}
