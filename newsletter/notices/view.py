"""What the templates of notices see: the newsletter, and the reader's own case in words.

Nothing that a stranger typed into a form is there: a name could carry advertising into
the mailbox of somebody who never asked. The address and the links are slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.config import Config
from newsletter.notices.model import Kind


@dataclass(frozen=True, kw_only=True)
class Latest:
    """The newest edition of the archive. Addresses are absolute."""

    label: str  # "Vol 2.20"
    url: str
    pdf_url: str
    headlines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NoticeView:
    """The names that all notices share are those of the issue's view: so are the templates."""

    title: str
    label: str  # above the title
    subject: str
    preheader: str
    language: str
    description: str
    about: str
    reason: str
    site_url: str
    publisher_name: str
    publisher_address: str
    publisher_contact: str
    publisher_website: str | None
    privacy_url: str
    wording: str  # what they agree to, or agreed to
    asked: str  # when, in words
    days: int  # that a confirmation counts
    latest: Latest | None
    next_date: str | None  # in words
    is_paused: bool
    issues_left: int | None  # of a pause that ends by itself


_LABELS = {
    Kind.CONFIRM: "One step to go",
    Kind.WELCOME: "Welcome",
    Kind.KNOWN: "Your subscription",
}
_SUBJECTS = {
    Kind.CONFIRM: "Please confirm: {title}",
    Kind.WELCOME: "Welcome to {title}",
    Kind.KNOWN: "You are on the list already: {title}",
}
_PREHEADERS = {
    Kind.CONFIRM: "Press the button, and the next issue comes to you. Else nothing comes.",
    Kind.WELCOME: "Your address is confirmed.",
    Kind.KNOWN: "Somebody asked for it with your address. Nothing has changed.",
}


def view_of(
    kind: Kind,
    config: Config,
    *,
    asked_at: datetime,
    latest: Latest | None = None,
    next_at: datetime | None = None,
    is_paused: bool = False,
    issues_left: int | None = None,
) -> NoticeView:
    """Gather what a notice says; moments are told in the newsletter's time zone."""
    zone = config.schedule.timezone
    title = config.newsletter.title
    return NoticeView(
        title=title,
        label=_LABELS[kind],
        subject=_SUBJECTS[kind].format(title=title),
        preheader=_PREHEADERS[kind],
        language=config.newsletter.language,
        description=config.newsletter.description,
        about=config.newsletter.about,
        reason=config.footer.reason,
        site_url=config.site_url,
        publisher_name=config.publisher.name,
        publisher_address=config.publisher.address,
        publisher_contact=config.publisher.contact,
        publisher_website=config.publisher.website,
        privacy_url=config.publisher.privacy_url,
        wording=config.consent_wording,
        asked=_moment(asked_at, zone),
        days=config.subscribe.confirm_within_days,
        latest=latest,
        next_date=None if next_at is None else _moment(next_at, zone),
        is_paused=is_paused,
        issues_left=issues_left,
    )


def _moment(moment: datetime, zone: str) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%A, %B} {local.day}, {local.year}, at {local:%H:%M} ({zone})"
