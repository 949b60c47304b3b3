"""Is a failure permanent? Say so from the status code, else the reply code, else the words.

Permanent means: this address will not take mail, whoever sends what. A failure
that says something about us, about the message or about today is temporary,
even where the code begins with 5: nobody is suppressed for it at once.
"""

from __future__ import annotations

import re

# RFC 3463 codes of class 5 that say nothing about the person; a prefix ends in a dot.
_NOT_THE_PERSON = {
    "5.1.7": "our sender address was not understood",
    "5.1.8": "our sender domain was not found",
    "5.2.2": "the mailbox is full; it may be emptied",
    "5.2.3": "the message is too long for this mailbox",
    "5.3.1": "the system is full",
    "5.3.4": "the message is too big for the system",
    "5.4.5": "the system is congested",
    "5.4.7": "the time to deliver ran out",
    "5.5.3": "too many recipients in one go",
    "5.6.": "the content could not be taken or converted",
    "5.7.": "policy: our reputation, the content, or authentication",
}

# "Other or undefined": the words behind it know more (RFC 3463 §3.1).
_UNDEFINED = frozenset({"5.0.0", "5.5.0"})

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d]|\.\d)")
_REPLY = re.compile(r"(?<![\d.#-])([45])[0-5]\d(?=[\s\-:,;)#]|$)")

_NOBODY = re.compile(
    r"""(?:user|recipient|mailbox|account|address)\s(?:is\s)?(?:unknown|not\sfound|disabled|inactive)
    |unknown\s(?:user|recipient|mailbox|account|address|local[\s-]part)|user\sunknown
    |(?:no|not\sa)\s(?:such|valid)\s(?:user|recipient|mailbox|account|address|person|domain|host)
    |no\smailbox\s(?:here|by)|(?:invalid|bad)\s(?:recipient|mailbox|user)
    |(?:user|recipient|mailbox|account|address)\s(?:\S+\s){0,3}
     (?:does\s?n['’o]t\sexist|does\snot\sexist|no\slonger)
    |host\s(?:or\sdomain\sname\s)?not\sfound(?!,?\stry\sagain)|domain\snot\sfound|unrouteable\saddress""",
    re.IGNORECASE | re.VERBOSE,
)
_FULL = re.compile(
    r"""(?:over|exceed\w*|out\sof)\s(?:\w+\s){0,3}(?:quota|storage)|(?:mail)?box\s(?:is\s)?full
    |quota\s(?:is\s)?(?:exceeded|full)|over\s?quota|insufficient\s(?:system\s)?(?:storage|space)""",
    re.IGNORECASE | re.VERBOSE,
)
_REFUSED = re.compile(
    r"""\b(?:spam\w*|block(?:ed|list\w*)|blacklist\w*|rbl|dnsbl|reputation|dmarc|dkim|spf|virus
    |policy\s(?:violation|reasons?|restrictions?)|banned|content\srejected|rate\slimit\w*)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_TODAY = re.compile(
    r"""timed?\s?out|try\s(?:again|later)|temporar|greylist|too\s(?:many|busy)|expired|retry
    |connection\s(?:refused|reset|lost)|could\snot\sconnect|deferred|not\syet\sbeen\sdelivered
    |will\s(?:be\sretried|continue\sto)|still\strying""",
    re.IGNORECASE | re.VERBOSE,
)


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
    if status is not None and status[0] == "4":
        return False
    if status is not None and status[0] == "5" and status not in _UNDEFINED:
        # Many servers give 5.7.1 for a mailbox that they do not have.
        if status.startswith("5.7.") and _NOBODY.search(text) and not _REFUSED.search(text):
            return True
        return not any(
            status.startswith(code) if code.endswith(".") else status == code
            for code in _NOT_THE_PERSON
        )
    return _by_reply(text, otherwise=otherwise or status in _UNDEFINED)


def _by_reply(text: str, *, otherwise: bool) -> bool:
    """Judge by reply code (RFC 5321 §4.2.1) and words: what is sure first."""
    reply = _REPLY.search(text)
    if reply is not None and reply[1] == "4":
        return False
    if _FULL.search(text):
        return False
    if _NOBODY.search(text):
        return True
    if _REFUSED.search(text):
        return False
    if reply is not None:
        return True
    return False if _TODAY.search(text) else otherwise
