"""The systems whose exports are known by the names of their columns, a small table each.

A table says which column holds what, and what the words of its status column mean.
Refuses to guess at other words: a row with one is rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from newsletter.audience.model import Reason, Status


class Field(StrEnum):
    """What a column can hold."""

    EMAIL = "email"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    LANGUAGE = "language"  # BCP 47
    TIMEZONE = "timezone"  # IANA
    FORMAT = "format"  # html | text
    TAGS = "tags"
    STATUS = "status"
    ATTRIBUTES = "attributes"  # a JSON object
    SOURCE = "source"  # where the person came from
    CREATED_AT = "created_at"
    CONSENT_AT = "consent_at"
    CONSENT_IP = "consent_ip"
    CONSENT_PAGE = "consent_page"
    CONSENT_WORDING = "consent_wording"
    CONFIRMED_AT = "confirmed_at"
    CONFIRMED_IP = "confirmed_ip"
    SUPPRESSED = "suppressed"  # a reason
    LEFT_AT = "left_at"  # any value: they left, or were deleted
    IGNORE = "ignore"


# ACTIVE, PENDING and PAUSED come onto the list; a Reason is a suppression.
Standing = Status | Reason

YES_OR_NO: Mapping[str, Standing] = {
    "true": Status.ACTIVE,
    "yes": Status.ACTIVE,
    "1": Status.ACTIVE,
    "false": Reason.UNSUBSCRIBED,
    "no": Reason.UNSUBSCRIBED,
    "0": Reason.UNSUBSCRIBED,
}


@dataclass(frozen=True, kw_only=True)
class Peer:
    """*marks* are the columns that give a file away; names as `columns.plain` writes them."""

    name: str
    marks: frozenset[str]
    columns: Mapping[str, Field]
    only: bool = False  # the marks are all the columns there are
    statuses: Mapping[str, Standing] = field(default_factory=dict)
    everyone: Reason | None = None  # the file is a list of suppressions
    file_name: str = ""  # must occur in the file's name: the columns alone say too little
    note: str = ""  # a warning for the operator


def marks(names: str) -> frozenset[str]:
    return frozenset(names.split())


# Statuses of a file of nobody in particular; the words of the peers, where they agree.
PLAIN_STATUSES: Mapping[str, Standing] = {
    "active": Status.ACTIVE,
    "enabled": Status.ACTIVE,
    "subscribed": Status.ACTIVE,
    "confirmed": Status.ACTIVE,
    "pending": Status.PENDING,
    "unconfirmed": Status.PENDING,
    "paused": Status.PAUSED,
    "disabled": Status.PAUSED,
    "unsubscribed": Reason.UNSUBSCRIBED,
    "bounced": Reason.BOUNCED,
    "cleaned": Reason.BOUNCED,
    "complained": Reason.COMPLAINED,
    "blocklisted": Reason.MANUAL,
    "suppressed": Reason.MANUAL,
}

# `newsletter subscribers export`. A status here keeps the person as well: see `row`.
OURS = Peer(
    name="newsletter",
    marks=marks("email status consent_wording suppressed"),
    columns={each.value: each for each in Field if each is not Field.IGNORE},
    statuses={
        "active": Status.ACTIVE,
        "pending": Status.PENDING,
        "paused": Status.PAUSED,
        "unsubscribed": Status.UNSUBSCRIBED,
    },
)

LISTMONK = Peer(
    name="listmonk",
    marks=marks("email name attributes"),
    columns={"email": Field.EMAIL, "name": Field.NAME, "attributes": Field.ATTRIBUTES}
    | {"status": Field.STATUS, "created_at": Field.CREATED_AT, "lists": Field.TAGS},
    statuses={
        "enabled": Status.ACTIVE,
        "disabled": Status.PAUSED,
        "blocklisted": Reason.MANUAL,
        "unsubscribed": Reason.UNSUBSCRIBED,
    },
)

KEILA = Peer(
    name="Keila",
    marks=marks("email first_name last_name data status"),
    columns={
        "email": Field.EMAIL,
        "first_name": Field.FIRST_NAME,
        "last_name": Field.LAST_NAME,
        "data": Field.ATTRIBUTES,
        "status": Field.STATUS,
    },
    statuses={
        "active": Status.ACTIVE,
        "unsubscribed": Reason.UNSUBSCRIBED,
        "unreachable": Reason.BOUNCED,
    },
)

KEILA_WITHOUT_STATUS = replace(KEILA, marks=KEILA.marks - {"status"})  # the form of its imports

GHOST = Peer(
    name="Ghost",
    marks=marks("email subscribed_to_emails"),
    columns={
        "email": Field.EMAIL,
        "name": Field.NAME,
        "subscribed_to_emails": Field.STATUS,
        "created_at": Field.CREATED_AT,
        "deleted_at": Field.LEFT_AT,
        "labels": Field.TAGS,
    },
    statuses=YES_OR_NO,
)

GHOST_BEFORE_4 = replace(
    GHOST,
    marks=marks("email note subscribed stripe_customer_id"),
    columns={**GHOST.columns, "subscribed": Field.STATUS},
)

_MAILCHIMP: Mapping[str, Field] = {
    "email_address": Field.EMAIL,
    "first_name": Field.FIRST_NAME,
    "last_name": Field.LAST_NAME,
    "optin_time": Field.CONSENT_AT,
    "optin_ip": Field.CONSENT_IP,
    "confirm_time": Field.CONFIRMED_AT,
    "confirm_ip": Field.CONFIRMED_IP,
    "timezone": Field.TIMEZONE,
    "tags": Field.TAGS,
}
MAILCHIMP = Peer(name="Mailchimp", marks=marks("email_address optin_time"), columns=_MAILCHIMP)
MAILCHIMP_UNSUBSCRIBED = Peer(
    name="Mailchimp (unsubscribed)",
    marks=marks("email_address unsub_time"),
    columns={**_MAILCHIMP, "unsub_time": Field.LEFT_AT},
    everyone=Reason.UNSUBSCRIBED,
)
MAILCHIMP_UNSUBSCRIBED_BY_NAME = replace(
    MAILCHIMP_UNSUBSCRIBED, marks=MAILCHIMP.marks, file_name="unsubscribed"
)
MAILCHIMP_CLEANED = Peer(
    name="Mailchimp (cleaned)",
    marks=marks("email_address clean_time"),
    columns={**_MAILCHIMP, "clean_time": Field.LEFT_AT},
    everyone=Reason.BOUNCED,
)
MAILCHIMP_CLEANED_BY_NAME = replace(MAILCHIMP_CLEANED, marks=MAILCHIMP.marks, file_name="cleaned")

SENDGRID = Peer(
    name="SendGrid",
    marks=marks("email first_name last_name alternate_emails"),
    columns={
        "email": Field.EMAIL,
        "first_name": Field.FIRST_NAME,
        "last_name": Field.LAST_NAME,
        "created_at": Field.CREATED_AT,
    },
)
SENDGRID_CONTACTS = Peer(
    name="SendGrid",
    marks=marks("email first_name last_name contact_id"),
    columns=SENDGRID.columns,
)
_SUPPRESSED: Mapping[str, Field] = {"email": Field.EMAIL, "created": Field.LEFT_AT}
SENDGRID_BOUNCES = Peer(
    name="SendGrid (bounces)",
    marks=marks("status reason email created"),
    columns=_SUPPRESSED,
    only=True,
    everyone=Reason.BOUNCED,
    note="SendGrid writes blocks, which may pass, as it writes bounces: all are suppressed",
)
SENDGRID_INVALID = Peer(
    name="SendGrid (invalid addresses)",
    marks=marks("reason email created"),
    columns=_SUPPRESSED,
    only=True,
    everyone=Reason.BOUNCED,
)
SENDGRID_SPAM = Peer(
    name="SendGrid (spam reports)",
    marks=marks("ip email created"),
    columns=_SUPPRESSED,
    only=True,
    everyone=Reason.COMPLAINED,
)
SENDGRID_UNSUBSCRIBES = Peer(
    name="SendGrid (unsubscribes)",
    marks=marks("email created"),
    columns=_SUPPRESSED,
    only=True,
    everyone=Reason.UNSUBSCRIBED,
    file_name="unsubscribe",
)

SUBSTACK = Peer(
    name="Substack",
    # active_subscription is about paying: readers who do not pay have “false”.
    marks=marks("email active_subscription email_disabled"),
    columns={
        "email": Field.EMAIL,
        "name": Field.NAME,
        "email_disabled": Field.STATUS,
        "created_at": Field.CREATED_AT,
    },
    statuses={
        "false": Status.ACTIVE,
        "no": Status.ACTIVE,
        "0": Status.ACTIVE,
        "true": Reason.UNSUBSCRIBED,
        "yes": Reason.UNSUBSCRIBED,
        "1": Reason.UNSUBSCRIBED,
    },
)

SUBSTACK_DASHBOARD = Peer(
    name="Substack",
    marks=marks("email stripe_plan start_date"),  # “Type” is about paying, here too
    columns={"email": Field.EMAIL, "name": Field.NAME, "start_date": Field.CREATED_AT},
)

_BUTTONDOWN: Mapping[str, Field] = {
    "email": Field.EMAIL,
    "email_address": Field.EMAIL,
    "name": Field.NAME,
    "metadata": Field.ATTRIBUTES,
    "tags": Field.TAGS,
    "type": Field.STATUS,
    "subscriber_type": Field.STATUS,
    "creation_date": Field.CREATED_AT,
    "ip_address": Field.CONSENT_IP,
    "ip": Field.CONSENT_IP,
    "referrer_url": Field.CONSENT_PAGE,
}
_BUTTONDOWN_TYPES: Mapping[str, Standing] = {
    **dict.fromkeys(
        "regular premium gifted trialed unpaid churning churned past_due".split(), Status.ACTIVE
    ),
    "unactivated": Status.PENDING,
    "paused": Status.PAUSED,
    "unsubscribed": Reason.UNSUBSCRIBED,
    "removed": Reason.UNSUBSCRIBED,
    "undeliverable": Reason.BOUNCED,
    "complained": Reason.COMPLAINED,
    "blocked": Reason.MANUAL,
    "spammy": Reason.MANUAL,
}
BUTTONDOWN = Peer(
    name="Buttondown",
    marks=marks("subscriber_type"),
    columns=_BUTTONDOWN,
    statuses=_BUTTONDOWN_TYPES,
)
BUTTONDOWN_TYPE = Peer(
    name="Buttondown",
    marks=marks("type creation_date"),
    columns=_BUTTONDOWN,
    statuses=_BUTTONDOWN_TYPES,
)

PLAIN = Peer(
    name="CSV",
    marks=frozenset(),
    columns={
        **OURS.columns,
        **dict.fromkeys("e_mail email_address e_mail_address mail".split(), Field.EMAIL),
        **dict.fromkeys("full_name display_name".split(), Field.NAME),
        **dict.fromkeys("firstname fname given_name forename".split(), Field.FIRST_NAME),
        **dict.fromkeys("lastname lname surname family_name".split(), Field.LAST_NAME),
        **dict.fromkeys("lang locale".split(), Field.LANGUAGE),
        **dict.fromkeys("time_zone tz".split(), Field.TIMEZONE),
        **dict.fromkeys("tag labels".split(), Field.TAGS),
        **dict.fromkeys("created creation_date".split(), Field.CREATED_AT),
        **dict.fromkeys("optin_time opt_in_time subscribed_at".split(), Field.CONSENT_AT),
        **dict.fromkeys("optin_ip opt_in_ip".split(), Field.CONSENT_IP),
        **dict.fromkeys("confirm_time".split(), Field.CONFIRMED_AT),
        **dict.fromkeys("confirm_ip".split(), Field.CONFIRMED_IP),
        **dict.fromkeys("unsubscribed_at".split(), Field.LEFT_AT),
    },
    statuses=PLAIN_STATUSES,
)

# What a peer's table does not name is still taken where nothing speaks against it.
HARMLESS = frozenset(
    {Field.NAME, Field.FIRST_NAME, Field.LAST_NAME, Field.LANGUAGE, Field.TIMEZONE, Field.TAGS}
)

# In order: a file that says that people left comes before the list it looks like.
PEERS = (
    OURS,
    MAILCHIMP_UNSUBSCRIBED,
    MAILCHIMP_CLEANED,
    MAILCHIMP_UNSUBSCRIBED_BY_NAME,
    MAILCHIMP_CLEANED_BY_NAME,
    MAILCHIMP,
    SENDGRID_BOUNCES,
    SENDGRID_INVALID,
    SENDGRID_SPAM,
    SENDGRID_UNSUBSCRIBES,
    GHOST,
    GHOST_BEFORE_4,
    SUBSTACK,
    SUBSTACK_DASHBOARD,
    KEILA,
    KEILA_WITHOUT_STATUS,
    BUTTONDOWN,
    BUTTONDOWN_TYPE,
    LISTMONK,
    SENDGRID,
    SENDGRID_CONTACTS,
)
