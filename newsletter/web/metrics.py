"""Numbers for Prometheus: requests as they happen, the rest read when somebody asks.

Names follow Prometheus' conventions (seconds, _total). No label holds anything of a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from newsletter.calendar.slot_rows import following
from newsletter.delivery.model import State
from newsletter.errors import NewsletterError
from newsletter.notices import queue
from newsletter.store.tables import campaign, event, microseconds

if TYPE_CHECKING:
    from newsletter.config import Workspace
    from newsletter.store.engine import Store

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "newsletter_http_requests_total",
            "Requests by route, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "newsletter_http_request_seconds",
            "Time to answer, by route.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.events = Counter(
            "newsletter_webhook_events_total",
            "What webhooks told: new, known, unknown, not used, refused.",
            ("what",),
            registry=self._registry,
        )
        self.sign_ups = Counter(
            "newsletter_sign_ups_total",
            "What became of the sign-up form: taken, limited, honeypot, unworked, invalid.",
            ("what",),
            registry=self._registry,
        )

    def text(self, store: Store, workspace: Workspace, now: datetime) -> bytes:
        """Everything, in Prometheus' text format."""
        found = CollectorRegistry()
        found.register(_World(store, workspace, now))
        return generate_latest(self._registry) + generate_latest(found)


class _World:
    """What the database knows, read once for one answer."""

    def __init__(self, store: Store, workspace: Workspace, now: datetime) -> None:
        self._store, self._workspace, self._now = store, workspace, now

    def collect(self) -> Iterator[Metric]:
        try:
            values = self._values()
        except NewsletterError:
            values = {}
        yield _gauge("newsletter_database_up", "1 where the database answers.", bool(values))
        for name, about in _ABOUT.items():
            if values.get(name) is not None:
                yield _gauge(name, about, values[name])

    def _values(self) -> dict[str, float | None]:
        schedule = self._workspace.config.schedule
        with self._store.read() as conn:
            slot = following(conn, schedule, self._now) if schedule.is_set else None
            next_slot = None if slot is None else slot.starts_at
            done = campaign.c.state == State.COMPLETED.value
            last = conn.scalar(sa.select(sa.func.max(campaign.c.updated_at)).where(done))
            notices, oldest = queue.counts(conn)
            by_state = sa.select(campaign.c.state, sa.func.count()).group_by(campaign.c.state)
            states: dict[str, int] = {row[0]: row[1] for row in conn.execute(by_state)}
            heard = conn.scalar(sa.select(sa.func.max(event.c.received_at)).where(_is_recent()))
        return {
            "newsletter_last_success_timestamp_seconds": _seconds(last),
            "newsletter_next_slot_timestamp_seconds": _seconds(next_slot),
            "newsletter_campaigns_sending": states.get(State.SENDING.value, 0),
            "newsletter_campaigns_paused": states.get(State.PAUSED.value, 0),
            "newsletter_notices_waiting": notices,
            "newsletter_notices_oldest_seconds": (
                0 if oldest is None else (self._now - oldest).total_seconds()
            ),
            "newsletter_last_event_timestamp_seconds": _seconds(heard),
        }


_ABOUT = {
    "newsletter_last_success_timestamp_seconds": "When a campaign was last completed.",
    "newsletter_next_slot_timestamp_seconds": "When the next slot is.",
    "newsletter_campaigns_sending": "Campaigns that are sending.",
    "newsletter_campaigns_paused": "Campaigns that are paused.",
    "newsletter_notices_waiting": "Confirmations and welcomes that have not left.",
    "newsletter_notices_oldest_seconds": "How long the oldest of them has waited.",
    "newsletter_last_event_timestamp_seconds": "When an event was last recorded.",
}


def _is_recent() -> sa.ColumnElement[bool]:
    """The last event by number: `received_at` has no index, and events come in order."""
    return event.c.id == sa.select(sa.func.max(event.c.id)).scalar_subquery()


def _gauge(name: str, about: str, value: float | None) -> Metric:
    family = GaugeMetricFamily(name, about)
    family.add_metric([], float(value or 0))
    return family


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else microseconds(moment) / 1e6
