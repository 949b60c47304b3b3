"""Bounces that follow no standard: flufl.bounce knows many, and a few habits are common.

Looks only at what a machine may have written: automatic replies, challenges and
answers of people are no bounces. Bounded in time, for the text is anybody's.
"""

from __future__ import annotations

import email
import logging
import re
from dataclasses import dataclass
from email.utils import getaddresses

from newsletter.feedback.dsn import address_in, is_report
from newsletter.feedback.returned_mail import ReturnedMail
from newsletter.feedback.severity import is_permanent

_MAX_LINES = 1_000  # flufl.bounce tries some fifty expressions on every line
_MAX_SAID = 1 << 15  # characters
_MAX_LINE = 250  # characters
_MAX_NAMED = 20
_SILENT = logging.CRITICAL + 1

_AUTOMATIC = re.compile(
    r"^(?:auto(?:matic|matische|mated)?[\s:-]*(?:reply|response|antwort)|out of (?:the )?office"
    r"|abwesenheit|abwesend|r[ée]ponse automatique|absence|respuesta autom|risposta autom"
    r"|自動返信|自動応答|不在|vacation|on holiday|away from)",
    re.IGNORECASE,
)
_CHALLENGE = re.compile(
    r"(?:confirm|verify|authenticate)\s(?:that\s)?(?:you|your)\b.{0,60}(?:sen[dt]|message|e?-?mail)"
    r"|(?:click|reply).{0,80}(?:deliver(?:ed)?\s(?:your|to\smy)|release\syour|approved\ssender)"
    r"|challenge[/-]response|sender\sverification|boxbe\.com|spamarrest|\btmda\b",
    re.IGNORECASE | re.DOTALL,
)
_DAEMON = re.compile(r"mailer-?daemon|postmaster|mail delivery|\bmta\b|mailsystem", re.IGNORECASE)
_BOUNCE = re.compile(
    r"undeliver|undelivr|non[- ]?(?:delivery|remis)|delivery (?:status|failure|notification)"
    r"|failure|returned mail|mail delivery|rejected|unzustellbar|nicht zugestellt"
    r"|no se (?:ha )?(?:pudo|podido) entregar|impossibile recapitare|配信不能|配信できません"
    r"|エラー|未送达|退信|не доставлено",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"^[ \t*-]{0,8}<?([^\s<>:;,@]{1,64}@[^\s<>:;,@]{1,200})>?[ \t]*(?:[:：]|$)", re.M
)
# Where a machine begins to quote what it returns.
_QUOTE = re.compile(r"original|returned|copy of|below this line|message text", re.IGNORECASE)
_COPY = re.compile(r"below is a copy of|^(?:received|return-path|dkim-signature):", re.I)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One address that failed, or None where only the message is known."""

    email: str | None
    is_delay: bool
    is_permanent: bool
    detail: str


def is_automatic(mail: ReturnedMail) -> bool:
    """Is it an automatic reply (RFC 3834), or a challenge that a person is to answer?"""
    subject = mail.header("Subject")
    if _AUTOMATIC.search(subject):
        return True
    # Exim and Dovecot call their bounces automatic replies.
    if mail.header("Auto-Submitted").lower().startswith(("auto-replied", "auto-notified")):
        return not _is_of_a_machine(mail)
    if mail.header("X-Autoreply") or mail.header("X-Autorespond"):
        return True
    if mail.header("Precedence").lower() in {"auto_reply", "auto-reply"}:
        return True
    if _DAEMON.search(mail.header("From")):
        return False
    return _CHALLENGE.search(subject + "\n" + _said(mail)[:4_000]) is not None


def findings_in(mail: ReturnedMail, *, has_token: bool) -> list[Finding]:
    """Return the addresses that failed; *has_token*: what it returns is known to be ours."""
    if is_automatic(mail) or (_is_answer(mail) and not _is_of_a_machine(mail)):
        return []
    said = _said(mail)
    delayed, failed = _flufl(mail)
    if not delayed and not failed:
        failed = [
            address
            for value in mail.headers("X-Failed-Recipients")
            for address in map(address_in, value.split(","))
            if address is not None
        ]
    found = [
        Finding(
            email=address,
            is_delay=address not in failed,
            is_permanent=address in failed and is_permanent(None, _about(said, address)),
            detail=_about(said, address),
        )
        for address in [*failed, *(one for one in delayed if one not in failed)]
    ]
    if not found and _is_of_a_machine(mail):
        found = _named(said)
    if not found and has_token and _is_of_a_machine(mail):
        # Without an address and with nothing but words: only clear ones are permanent.
        permanent = is_permanent(None, said[:4_000], otherwise=False)
        found = [Finding(email=None, is_delay=False, is_permanent=permanent, detail=said[:300])]
    return found


def _named(said: str) -> list[Finding]:
    """Addresses that begin a line, alone or before a colon; clear words alone are permanent."""
    places = list(_NAMED.finditer(said))[: _MAX_NAMED + 1]
    addresses = dict.fromkeys(filter(None, (address_in(place[1]) for place in places)))
    if len(addresses) > _MAX_NAMED:
        return []
    return [
        Finding(
            email=address,
            is_delay=False,
            is_permanent=is_permanent(None, _about(said, address), otherwise=False),
            detail=_about(said, address),
        )
        for address in addresses
    ]


def _is_answer(mail: ReturnedMail) -> bool:
    return (
        re.match(r"(?:re|aw|sv|antw|回复|返信)\s*[:：]", mail.header("Subject"), re.I) is not None
    )


def _is_of_a_machine(mail: ReturnedMail) -> bool:
    """By sender or subject: automatic replies, too, come without a return path."""
    if _DAEMON.search(mail.header("From")):
        return True
    return not _is_answer(mail) and _BOUNCE.search(mail.header("Subject")) is not None


def _said(mail: ReturnedMail) -> str:
    """What the machine says itself, without what it quotes below a line."""
    lines: list[str] = []
    # What a report says in fields is read elsewhere; here only where there is nothing else.
    texts = [text for text in mail.texts if not is_report(text)] or list(mail.texts)
    for line in "\n".join(texts)[:_MAX_SAID].split("\n"):
        is_rule = line.lstrip().startswith("---") and _QUOTE.search(line[:_MAX_LINE])
        if any(lines) and (is_rule or _COPY.match(line[:_MAX_LINE])):
            break
        lines.append(line[:_MAX_LINE].rstrip())
    return "\n".join(lines)


def said_about(mail: ReturnedMail, address: str) -> str:
    """What *mail* says in plain words about *address*: 2,000 characters at most."""
    return _about(_said(mail), address)


def _about(said: str, address: str) -> str:
    """The paragraph with *address* and the next one; the beginning where it is not named."""
    place = said.lower().find(address.lower())
    if place < 0:
        return said[:2_000]
    start = said.rfind("\n\n", 0, place) + 1
    end = place + len(address)
    for _ in range(2):
        following = said.find("\n\n", end + 2)
        end = following if following >= 0 else len(said)
    return said[start : min(end, start + 2_000)].strip()


def _flufl(mail: ReturnedMail) -> tuple[list[str], list[str]]:
    """Ask flufl.bounce: delayed and failed addresses, each sorted."""
    from flufl.bounce import all_failures

    logging.getLogger("flufl.bounce").setLevel(_SILENT)  # a traceback may quote an address
    try:
        # Its expressions are slow on long lines: it gets a copy with short ones.
        lines = mail.message.as_bytes(unixfrom=False).split(b"\n")[:_MAX_LINES]
        copy = email.message_from_bytes(b"\n".join(line[:_MAX_LINE] for line in lines))
        for part in copy.walk():
            part.del_param("charset")  # some codecs are slow
        if not getaddresses([str(copy.get("From", ""))]):
            del copy["From"]
            copy["From"] = "mailer-daemon"  # one detector fails without, and with it all
        delayed, failed = all_failures(copy)
    except Exception:  # seventeen detectors, any bytes: none may stop the mailbox
        return [], []
    return _addresses(delayed), _addresses(failed)


def _addresses(found: frozenset[bytes] | set[bytes]) -> list[str]:
    texts = (address_in(address.decode("ascii", "replace")) for address in found)
    return sorted({text for text in texts if text is not None})
