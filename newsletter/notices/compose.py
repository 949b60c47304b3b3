"""Compose notices: the same for all readers of a case once, then a message for each.

By the pipeline and the gates of the issue. A confirmation says nothing that was typed
into the form and advertises nothing: it may reach somebody who never asked. Sends nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from newsletter.audience.links import Links
from newsletter.compose import gates, slots
from newsletter.compose.address import ascii_address, has_control, mailbox, unstructured
from newsletter.compose.email import compose_mjml
from newsletter.compose.quoted_printable import encode_static
from newsletter.compose.slots import Slot
from newsletter.compose.text import compose_plain
from newsletter.config import Config, Workspace
from newsletter.delivery.dkim import Signer, signer_of
from newsletter.errors import ContentError
from newsletter.notices.model import Kind
from newsletter.notices.view import Latest, NoticeView, view_of

__all__ = ["Composer", "Latest", "Notice"]

_NOTICE = "notice"  # the purpose of the signed number in Message-ID

# A notice leads to one page of its own: its address takes the place of `web_url`.
_PAGE = Slot.WEB_URL
_REQUIRED = {
    Kind.CONFIRM: frozenset({_PAGE}),
    Kind.WELCOME: frozenset({Slot.UNSUBSCRIBE_URL, Slot.PREFERENCES_URL}),
    Kind.KNOWN: frozenset({Slot.UNSUBSCRIBE_URL, Slot.PREFERENCES_URL}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One notice to be composed, with what its case needs of the person."""

    id: int
    kind: Kind
    subscriber_id: int
    email: str
    name: str
    created_at: datetime  # when it was asked for
    token: str = ""  # of a confirmation
    is_paused: bool = False
    issues_left: int | None = None


class Composer:
    """Compose the notices of one round; what they share is composed once.

    Raises (on making it):
        ConfigError: DKIM is half configured, or its key cannot be used.
    """

    def __init__(
        self,
        workspace: Workspace,
        links: Links,
        *,
        latest: Latest | None = None,
        next_at: datetime | None = None,
    ) -> None:
        self._config = workspace.config
        self._templates = workspace.templates
        self._links = links
        self._latest = latest
        self._next_at = next_at
        self._signer: Signer | None = signer_of(workspace)
        self._bodies: dict[tuple[Kind, NoticeView], tuple[str, str]] = {}

    def message(self, notice: Notice, *, now: datetime) -> bytes:
        """The whole message (RFC 5322, CRLF, 7-bit), signed where DKIM is configured.

        Raises:
            RecipientRejected: the name or the address cannot stand in a header.
            TemplateError: a template is missing or broken, or the mail fails a gate.
            ContentError: newsletter.toml or the latest issue holds what cannot be mailed.
        """
        view = view_of(
            notice.kind,
            self._config,
            asked_at=notice.created_at,
            latest=self._latest if notice.kind is Kind.WELCOME else None,
            next_at=self._next_at if notice.kind is Kind.WELCOME else None,
            is_paused=notice.is_paused,
            issues_left=notice.issues_left,
        )
        values = {
            Slot.EMAIL: notice.email,
            _PAGE: self._links.confirm(notice.token),
            Slot.UNSUBSCRIBE_URL: self._links.unsubscribe(notice.subscriber_id),
            Slot.PREFERENCES_URL: self._links.preferences(notice.subscriber_id),
        }
        html, text = self._composed(notice.kind, view)
        message = _assembled(
            self._fields(notice, view, now),
            slots.fill(text, values, escape=False),
            slots.fill(html, values, escape=True),
        )
        return message if self._signer is None else self._signer.sign(message) + message

    def _composed(self, kind: Kind, view: NoticeView) -> tuple[str, str]:
        """HTML and text, with slots."""
        found = self._bodies.get((kind, view))
        if found is None:
            gates.refuse_typed_slots(view)
            required, context = _REQUIRED[kind], {"view": view, "confirm_url": _PAGE.marker}
            html = compose_mjml(
                f"notices/{kind}.mjml.j2",
                self._templates,
                required,
                site_url=view.site_url,
                **context,
            ).html
            text = compose_plain(f"notices/{kind}.txt.j2", self._templates, required, **context)
            found = self._bodies[kind, view] = (html, text)
        return found

    def _fields(self, notice: Notice, view: NoticeView, now: datetime) -> list[tuple[str, str]]:
        config = self._config
        name, email = _sender(config)
        # The same whenever it is tried again: two copies of it are one to a mail program.
        message_id = f"<{self._links.tokens.sign(_NOTICE, notice.id)}@{email.rpartition('@')[2]}>"
        # A name that nobody has confirmed is a stranger's text.
        to = "" if notice.kind is Kind.CONFIRM else notice.name
        reply_to = config.sender.reply_to or config.publisher.contact
        fields = [
            ("From", mailbox("From", name, email)),
            ("To", mailbox("To", to, ascii_address(notice.email))),
            ("Reply-To", ascii_address(reply_to)),
            ("Subject", unstructured("Subject", view.subject)),
            ("Date", format_datetime(now)),
            ("Message-ID", message_id),
            ("MIME-Version", "1.0"),
            ("Auto-Submitted", "auto-generated"),  # RFC 3834 §5: no vacation notice answers it
            ("X-Auto-Response-Suppress", "All"),  # the same, for Exchange
        ]
        if notice.kind is Kind.WELCOME:
            # RFC 8058 §3.1, on one line. Who confirmed is on the list from here on.
            unsubscribe = self._links.unsubscribe(notice.subscriber_id)
            fields += [
                ("List-Id", mailbox("List-Id", view.title, config.list_id)),
                ("List-Unsubscribe", f"<{unsubscribe}>"),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ]
        return [*fields, ("Content-Language", view.language)]


def _sender(config: Config) -> tuple[str, str]:
    """Name and address of From."""
    name = config.subscribe.from_name or config.sender.name
    if has_control(name) or has_control(config.newsletter.title):
        raise ContentError("newsletter.toml: a name or the title holds a control character")
    return name, ascii_address(config.subscribe.from_email or config.sender.email)


def _assembled(fields: list[tuple[str, str]], text: str, html: str) -> bytes:
    # "=_" cannot occur in quoted-printable (RFC 2045 §6.7).
    boundary = "=_" + hashlib.sha256((text + html).encode()).hexdigest()[:32]
    content_type = f'multipart/alternative; boundary="{boundary}"'
    head = "".join(
        f"{name}: {value}\r\n" for name, value in [*fields, ("Content-Type", content_type)]
    )
    parts = [head.encode("ascii"), b"\r\n"]
    for kind, body in (("plain", text), ("html", html)):
        part = (
            f'--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\n'
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        )
        parts += [part.encode("ascii"), encode_static(body, before_value=False), b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode("ascii"))
    return b"".join(parts)
