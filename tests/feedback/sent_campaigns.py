"""A list, and campaigns that were sent to all of it: what events are about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from newsletter.audience.links import Links
from newsletter.audience.tokens import Tokens
from newsletter.delivery.model import Status as DeliveryStatus
from newsletter.store.tables import campaign, delivery, edition
from tests.audience.people import add

NOW = datetime(2026, 3, 2, 9, 53, tzinfo=UTC)
LINKS = Links(site_url="https://digest.example.org", tokens=Tokens([b"k" * 32]))
DAY = timedelta(days=1)
CAMPAIGNS, PEOPLE = 4, 4


def token(campaign_id, subscriber_id):
    return LINKS.tokens.sign("delivery", campaign_id << 40 | subscriber_id)


def reader(number):
    return f"reader{number}@example.org"


def world(store, *, status=DeliveryStatus.ACCEPTED, people=PEOPLE):
    """Campaigns 1 … 4 and people 1 … *people*: everybody got, or may have got, everything."""
    with store.begin() as conn:
        for number in range(1, people + 1):
            assert add(conn, reader(number)).id == number
        conn.execute(sa.insert(edition), {"hash": "00", "number": "2.20", "frozen_at": NOW})
        for number in range(1, CAMPAIGNS + 1):
            row = {
                "id": number,
                "number": f"2.{number}",
                "audience": "",
                "edition_hash": "00",
                "transport": "sendgrid",
                "mailing": "{}",
                "state": "completed",
                "intended": people,
                "created_at": NOW,
                "created_by": "operator",
                "updated_at": NOW,
            }
            conn.execute(sa.insert(campaign), row)
            rows = [
                {
                    "campaign_id": number,
                    "subscriber_id": subscriber_id,
                    "status": status.value,
                    "reply": "no answer",
                    "updated_at": NOW - DAY,
                }
                for subscriber_id in range(1, people + 1)
            ]
            conn.execute(sa.insert(delivery), rows)
