"""Is a failure permanent? Say so from the status code, else the reply code, else the words.

Permanent (a hard bounce): there is no such mailbox or domain, or it is closed; whoever sends
what, it will not be taken, and the person is suppressed at once. All else is temporary (a
soft bounce): several in a row suppress, too, so a wrong “temporary” costs two more messages,
a wrong “permanent” costs a reader. Hence:

- Class 4 is temporary, also when its server has given up (“Action: failed” with 4.4.7): the
  time ran out, and nothing is known of the address (RFC 3463 §2).
- Class 5 is permanent, as RFC 3463 defines it, but for codes whose text there is about
  something else than the mailbox: full (5.2.2: most servers say so with 4.2.2, some with
  this), too large (5.2.3, 5.3.4), the network or a loop (5.4.2 to 5.4.7 without 5.4.4),
  the content (5.6.x), our sender address (5.1.7, 5.1.8), policy (5.7.x).
- Policy is temporary: spam filters, block lists, DMARC and limits say something about us or
  this message. Amazon SES, SendGrid and Postmark call it a transient bounce or a block.
  Where the words say “no such user”, and nothing of spam, they count: many servers have only
  one code for a refusal. Three codes of policy are about the account itself (5.7.13, 5.7.17,
  5.7.18: RFC 5248, RFC 7293).
- “Other or undefined” (5.0.0, 5.x.0) tells nothing but its class: the words decide, and
  without a clue the class. But 5.2.0 says that the mailbox exists.
- Without a status: 4yz is temporary; then words that are sure; then 5yz is permanent
  (RFC 5321 §4.2.1).
"""

from __future__ import annotations

import re

from newsletter.feedback.severity_words import FULL, NOBODY, REFUSED, TODAY

# RFC 3463 codes of class 5 that say nothing about the person; a prefix ends in a dot.
_NOT_THE_PERSON = {
    "5.1.7": "our sender address was not understood",
    "5.1.8": "our sender domain was not found",
    "5.2.2": "the mailbox is full; it may be emptied",
    "5.2.3": "the message is too long for this mailbox",
    "5.3.1": "the system is full",
    "5.3.4": "the message is too big for the system",
    "5.4.2": "the connection broke",
    "5.4.3": "a directory could not be asked",
    "5.4.5": "the system is congested",
    "5.4.6": "a routing loop; Exchange says 5.4.14",
    "5.4.14": "a routing loop, of Exchange",
    "5.4.7": "the time to deliver ran out",
    "5.4.300": "the time to deliver ran out, of Exchange Online",
    "5.5.3": "too many recipients in one go",
    "5.6.": "the content could not be taken or converted",
    "5.7.": "policy: our reputation, the content, or authentication",
}
_THE_ACCOUNT = frozenset({"5.7.13", "5.7.17", "5.7.18"})  # disabled; owner or domain changed hands

# "Other or undefined": the words behind it know more (RFC 3463 §3.1). With what the class says.
_UNDEFINED = {
    "5.0.0": True,
    "5.1.0": True,
    "5.2.0": False,
    "5.3.0": True,
    "5.4.0": True,
    "5.5.0": True,
}
# Said of full mailboxes, and of timeouts, too: clear words count.
_LOOSE = frozenset({"5.2.1", "5.3.2", "5.4.1", "5.4.4", "5.5.1", "5.5.2", "5.5.4"})

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d]|\.\d)")
_REPLY = re.compile(r"(?<![\d.#-])([45])[0-5]\d(?=[\s\-:,;)#]|$)")


def status_in(text: str) -> str | None:
    """Find the first enhanced status code in *text* (RFC 3463), of class 2, 4 or 5."""
    found = _STATUS.search(text)
    return None if found is None else ".".join(str(int(number)) for number in found.groups())


def is_permanent(status: str | None, text: str, *, otherwise: bool = True) -> bool:
    """Judge a failure by its *status* and the *text* of the reply; no clue: *otherwise*.

    A status of class 2 beside a failure is a mistake of its sender and counts for nothing.
    """
    if status is None or status[0] == "2" or status.endswith(".0.0"):
        spoken = status_in(text)
        if spoken is not None and spoken[0] != "2":
            status = spoken
    if status is None or status[0] == "2":
        return _by_reply(text, otherwise=otherwise)
    if status[0] == "4":
        return False
    if status in _UNDEFINED:
        return _by_reply(text, otherwise=_UNDEFINED[status], has_class=True)
    if status in _THE_ACCOUNT:
        return True
    is_excused = any(
        status.startswith(code) if code.endswith(".") else status == code
        for code in _NOT_THE_PERSON
    )
    # Many servers give 5.7.1 for a mailbox that they do not have.
    if is_excused:
        return status.startswith("5.7.") and _is_nobody(text) and not REFUSED.search(text)
    if status in _LOOSE and not _is_nobody(text):
        return not (FULL.search(text) or TODAY.search(text))
    return True


def _is_nobody(text: str) -> bool:
    return NOBODY.search(text) is not None


def _by_reply(text: str, *, otherwise: bool, has_class: bool = False) -> bool:
    """Judge by reply code (RFC 5321 §4.2.1) and words: what is sure first."""
    reply = _REPLY.search(text)
    if reply is not None and reply[1] == "4":
        return False
    if FULL.search(text):
        return False
    if _is_nobody(text):
        return True
    if REFUSED.search(text):
        return False
    if TODAY.search(text):
        return False
    if reply is not None and not has_class:
        return True
    return otherwise
