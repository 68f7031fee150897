"""What a rule says of itself, in words: for its summary, and for what differs between two versions."""

from app.rules.vocabulary import N_

PHRASES: dict[str, tuple[str, ...]] = {
    # which mail it takes
    "takes": (
        N_("Takes mail if {all:both}"),
        N_("Takes mail if {any:either}"),
        N_("Takes mail, but not if {not_all:both}"),
        N_("Takes mail, but not if {not_any:either}"),
        N_("Asks nothing of a mail"),
    ),
    "asks_group": (
        N_("({all:both})"),
        N_("({any:either})"),
        N_("not ({not_all:both})"),
        N_("not ({not_any:either})"),
    ),
    "asks": (
        N_("the header {header} {operator:word} {values:quoted}"),
        N_("{field:word} {operator:word} {values:quoted}"),
    ),
    "asks_exactly": (
        N_("the header {header} {operator:word} {values:quoted}, to the letter"),
        N_("{field:word} {operator:word} {values:quoted}, to the letter"),
    ),
    "asks_size": (N_("its size {operator:word} {megabytes} MB"),),
    "asks_detector": (N_("it is a {detector:word}"),),
    "asks_no_detector": (N_("it is no {detector:word}"),),
    "asks_attachment": (N_("it has an attachment"),),
    "asks_no_attachment": (N_("it has no attachment"),),
    "asks_header": (N_("it has the header {header}"),),
    "asks_no_header": (N_("it does not have the header {header}"),),
    "asks_link": (N_("it has a delivery link of {providers:names}"), N_("it has a delivery link")),
    "asks_no_link": (N_("it has no delivery link of {providers:names}"), N_("it has no delivery link")),
    "counts_all": (N_("All of them must hold"),),
    "counts_any": (N_("One of them is enough"),),
    "counts_not_any": (N_("None of them may hold"),),
    "counts_not_all": (N_("They may not all hold"),),
    "leaves_out": (N_("Leaves out mail that contains {keywords:quoted}"),),
    # what it does with it
    "sends_to": (N_("Sends it to {to:names}"),),
    "sends_nowhere": (N_("Has no receiver: what it takes is held until it has one"),),
    "needs_link": (N_("Without a delivery link it is dropped"),),
    "needs_no_link": (N_("It goes without a delivery link too"),),
    "once_lot": (N_("Each lot goes only once in {days:days}"), N_("Each lot goes only once a month")),
    "once_subject": (
        N_("Each subject goes only once in {days:days}"),
        N_("Each subject goes only once a month"),
    ),
    "every_time": (N_("It goes every time"),),
    "time_send": (N_("It goes all the same {gates:words}"),),
    "time_hold": (N_("It waits {gates:words}"),),
    "time_drop": (N_("It is dropped {gates:words}"),),
    "urgent_send": (N_("Urgent mail goes all the same {gates:words}"),),
    "urgent_hold": (N_("Urgent mail waits {gates:words}"),),
    "urgent_drop": (N_("Urgent mail is dropped {gates:words}"),),
    "urgent_alike": (N_("Urgent mail is treated like any other"),),
    "waits_a_day": (N_("What still waits at the end of the day on which it arrived is dropped"),),
    "waits_for_ever": (N_("It waits for as long as it takes"),),
    "goes_high": (N_("It goes before other mail"),),
    "goes_normal": (N_("It goes in its turn"),),
    "goes_low": (N_("It goes after other mail"),),
    "own_body": (N_("Its payload is made by a template of its own"),),
    "usual_body": (N_("It has the usual payload"),),
    "ends_search": (N_("Later rules are not asked"),),
    "goes_on": (N_("Later rules are asked too"),),
    "copies": (N_("Its files are copied"),),
    "no_copies": (N_("Its files are not copied"),),
}

QUOTED = N_("“{text}”")
MORE = "…"  # stands for the rest of a list
ONE_DAY, DAYS = N_("1 day"), N_("{count} days")
MEGABYTES, POINT = N_("{count} MB"), N_(".")  # the mark before decimals
AND, OR = N_("and"), N_("or")
