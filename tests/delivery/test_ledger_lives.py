"""Any life of a campaign, crashes included: nobody twice, nobody lost, nobody after leaving.

Hypothesis makes up what the transport answers, when people leave and when the sender is
killed; a model of what was handed over must agree with the ledger after every step, on
SQLite and on PostgreSQL. A crash leaves exactly what a killed process leaves: the
database as committed, and the journal's file.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from newsletter.audience import subscribers
from newsletter.audience.model import Reason
from newsletter.delivery import campaign as campaigns
from newsletter.delivery import reconcile
from newsletter.delivery.feed import SenderFeed
from newsletter.delivery.journal import Journal, boot_id, journal_path
from newsletter.delivery.ledger import Ledger, counts, retry_failed
from newsletter.delivery.lock import sender_connection
from newsletter.delivery.model import Delivery, State, Status
from newsletter.delivery.pace import Pace
from newsletter.delivery.recovery import recover
from newsletter.delivery.transaction import transaction
from newsletter.errors import StorageError
from newsletter.store.engine import Store, open_url
from newsletter.store.tables import campaign, rate_window
from tests.audience.people import add
from tests.databases import POSTGRESQL, SQLITE
from tests.delivery.campaigns import NOW, a_workspace, frozen, rows_of

PEOPLE = 7
ATTEMPTS = 3
OUTCOMES = ["accepted", "for now", "for good", "uncertain", "returned"]
_HASTY = "PRAGMA synchronous = OFF"
_AGAIN = {"for now", "for good", "returned"}  # an explicit no: it may be handed over again


class Lives(RuleBasedStateMachine):
    """Subclasses say which store."""

    open: Callable[[], tuple[Store, Path]]
    remove: Callable[[Store], None]

    def __init__(self) -> None:
        super().__init__()
        self.store, root = type(self).open()
        self.workspace = a_workspace(
            root / "workspace", delivery={"attempts": ATTEMPTS, "retry_after": 10}
        )
        self.path = Path()
        self.now = NOW
        with self.store.begin() as conn:
            self.people = {
                add(conn, f"reader{number}@example.org").id: f"reader{number}@example.org"
                for number in range(PEOPLE)
            }
        self.campaign = frozen(self.store, self.workspace)
        self.path = journal_path(self.workspace, self.campaign.id)
        self.process = ExitStack()
        self.taken: dict[int, Delivery] = {}  # by subscriber: not handed over
        self.handed: dict[int, Delivery] = {}  # handed over, no answer yet
        self.reached: set[int] = set()  # accepted, or nobody knows: never again
        self.gone: set[int] = set()  # left, committed
        self.tries: Counter[int] = Counter()  # as the ledger should count them
        self.answers: dict[int, str] = {}  # by subscriber: not in the ledger yet
        self.is_rebooted = False

    def teardown(self) -> None:
        self.process.close()
        self.store.close()
        type(self).remove(self.store)

    @property
    def at(self) -> dict[str, Any]:
        self.now += timedelta(seconds=1)
        return {"now": self.now, "actor": "operator"}

    def status(self) -> dict[int, Status]:
        rows = rows_of(self.store, self.campaign.id)
        return {number: Status(row.status) for number, row in rows.items()}

    # ── the sender ──────────────────────────────────────────────────────────

    @initialize()
    def begin(self) -> None:
        self.start()

    def start(self) -> None:
        """What `sender.send` does before its loop."""
        before, pace = self.status(), Pace(self.workspace.config.rates)
        process = ExitStack()
        conn = process.enter_context(sender_connection(self.store, self.campaign.id))
        boot = "another run of the machine" if self.is_rebooted else boot_id()
        with transaction(self.store, conn):
            recover(conn, self.campaign.id, self.path, pace=pace, now=self.now, boot=boot)
        journal = Journal.create(self.path, self.campaign.id)
        process.callback(journal.close)
        with transaction(self.store, conn):
            conn.execute(sa.update(campaign).values(journal=journal.id))
        self.ledger = Ledger(
            self.store,
            conn,
            self.campaign.id,
            journal=journal,
            pace=pace,
            config=self.workspace.config.delivery,
        )
        self.feed = SenderFeed(journal, pace, hungry=lambda: None, low=2)
        self.process, self.conn = process, conn
        self.check_recovery(before)

    def check_recovery(self, before: dict[int, Status]) -> None:
        after = self.status()
        for number in [number for number in before if before[number] is Status.SENDING]:
            answer = self.answers.pop(number, "handed" if number in self.reached else None)
            if answer == "accepted":
                assert after[number] is Status.ACCEPTED
            elif self.is_rebooted or answer in ("handed", "uncertain"):
                assert after[number] is Status.UNCERTAIN
                self.reached.add(number)
            else:
                assert after[number] is Status.PENDING
                if answer is None:
                    self.tries[number] -= 1  # it had not left
        self.is_rebooted = False

    @rule(
        limit=st.integers(min_value=0, max_value=5),
        take=st.integers(min_value=0, max_value=5),
        hand=st.integers(min_value=0, max_value=5),
        wait=st.sampled_from([0, 5, 60, 3600]),
    )
    def turn(self, limit: int, take: int, hand: int, wait: int) -> None:
        self.now += timedelta(seconds=wait)
        results = self.feed.collect()
        turn = self.ledger.turn(results, limit=limit, now=self.now)
        for number in results_of(results):
            self.answers.pop(number, None)
        for held in turn.claim.deliveries:
            number = held.subscriber_id
            assert number not in self.gone
            assert number not in self.reached
            self.tries[number] += 1
            assert held.attempts == self.tries[number]
        assert len(turn.claim.deliveries) <= limit
        assert turn.state is State.SENDING or not turn.claim.deliveries
        self.feed.offer(turn.claim.deliveries)

        for held in self.feed.take_up_to(take):
            self.taken[held.subscriber_id] = held
        for number in list(self.taken)[:hand]:
            held = self.taken.pop(number)
            assert number not in self.reached
            self.reached.add(number)  # until somebody says no
            self.feed.handing_over(held)
            self.handed[number] = held

    @rule()
    def walk_again(self) -> None:
        self.ledger.rewind()

    @precondition(lambda self: self.handed or self.taken)
    @rule(data=st.data(), outcome=st.sampled_from(OUTCOMES))
    def answer(self, data: st.DataObject, outcome: str) -> None:
        candidates = self.handed or self.taken
        number = data.draw(st.sampled_from(sorted(candidates)))
        if candidates is self.taken and outcome in ("accepted", "uncertain"):
            return  # no answer to what was not handed over
        held = candidates.pop(number)
        if outcome in _AGAIN:
            self.reached.discard(number)
        if outcome == "accepted":
            self.feed.accepted(held, f"id {number}")
        elif outcome == "for now":
            self.feed.refused_for_now(held, "450 later")
        elif outcome == "for good":
            self.feed.refused_for_good(held, "550 no")
        elif outcome == "uncertain":
            self.feed.uncertain(held, "no answer")
        else:
            self.feed.returned(held)
            return
        self.answers[number] = outcome

    @rule(reboot=st.booleans())
    def crash(self, reboot: bool) -> None:
        self.process.close()
        self.taken.clear()
        self.handed.clear()
        self.is_rebooted = reboot
        self.start()

    @rule(limit=st.integers(min_value=0, max_value=5))
    def crash_while_committing(self, limit: int) -> None:
        """The claim is in the journal, and not in the database."""

        def fail(conn: sa.Connection) -> None:
            raise sa.exc.OperationalError("COMMIT", None, Exception("disk full"))

        sa.event.listen(self.conn, "commit", fail)
        with pytest.raises(StorageError):
            self.ledger.turn(self.feed.collect(), limit=limit, now=self.now)
        sa.event.remove(self.conn, "commit", fail)
        self.crash(reboot=False)

    @rule()
    def end(self) -> None:
        """As a pause or Ctrl-C ends it: what was not handed over goes back."""
        for held in self.taken.values():
            self.feed.returned(held)
        for held in self.handed.values():
            self.feed.uncertain(held, "no answer")
        self.taken.clear()
        self.handed.clear()
        self.feed.close()
        results = self.feed.collect()
        for back in results.postponed:
            self.tries[back.delivery.subscriber_id] -= 1
        self.ledger.turn(results, limit=0, now=self.now)
        self.answers.clear()
        assert self.feed.in_hand == 0
        assert Status.SENDING not in self.status().values()
        self.process.close()
        self.start()

    # ── everybody else ──────────────────────────────────────────────────────

    @rule(data=st.data(), how=st.sampled_from(["unsubscribe", "bounce", "erase", "pause"]))
    def leave(self, data: st.DataObject, how: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.people)))
        email, at = self.people[number], self.at
        with self.store.begin() as conn:
            if how == "unsubscribe":
                subscribers.unsubscribe(conn, number, source="page", **at)
            elif how == "bounce":
                subscribers.suppress(conn, email, reason=Reason.BOUNCED, source="event", **at)
            elif how == "erase":
                subscribers.erase(conn, email, **at)
            else:
                subscribers.pause(conn, number, **at)
        self.gone.add(number)

    @rule(pause=st.booleans())
    def pause_or_resume(self, pause: bool) -> None:
        with self.store.begin() as conn:
            if pause:
                campaigns.pause(conn, self.campaign.id, reason="lunch", **self.at)
            else:
                campaigns.resume(conn, self.campaign.id, **self.at)

    @rule()
    def resend_failed(self) -> None:
        failed = [number for number, found in self.status().items() if found is Status.FAILED]
        with self.store.begin() as conn:
            assert retry_failed(conn, self.campaign.id, **self.at) == len(failed)
        for number in failed:
            self.tries[number] = 0

    @rule(accept=st.booleans())
    def settle(self, accept: bool) -> None:
        uncertain = {n for n, found in self.status().items() if found is Status.UNCERTAIN}
        status = Status.ACCEPTED if accept else Status.FAILED
        with self.store.begin() as conn:
            listed = {row.subscriber_id for row in reconcile.uncertain(conn, self.campaign.id)}
            assert listed == uncertain
            settled = reconcile.settle(
                conn,
                self.campaign.id,
                status=status,
                subscriber_ids=sorted(uncertain),
                reason="the relay said so",
                **self.at,
            )
        assert settled == len(uncertain)
        if not accept:
            self.reached -= uncertain  # a person decided so

    # ── always ──────────────────────────────────────────────────────────────

    @invariant()
    def everybody_is_somewhere(self) -> None:
        with self.store.read() as conn:
            found = counts(conn, self.campaign.id)
        total = found.accepted + found.failed + found.suppressed + found.uncertain + found.pending
        assert total == found.intended == PEOPLE

    @invariant()
    def ledger_agrees_with_what_happened(self) -> None:
        for number, row in rows_of(self.store, self.campaign.id).items():
            status = Status(row.status)
            assert row.attempts == self.tries[number]
            if status in (Status.ACCEPTED, Status.UNCERTAIN):
                assert number in self.reached
            elif status is not Status.SENDING:
                assert number not in self.reached
            if status is not Status.PENDING:
                assert row.not_before is None

    @invariant()
    def windows_count_what_was_claimed_and_not_given_back(self) -> None:
        with self.store.read() as conn:
            used = conn.scalars(
                sa.select(rate_window.c.used).where(rate_window.c.period == "day")
            ).all()
        assert all(number >= 0 for number in used)


def results_of(results: Any) -> list[int]:
    return [held.subscriber_id for held in results.accepted] + [
        report.delivery.subscriber_id for report in results.reports
    ]


@pytest.mark.parametrize(("dialect", "examples"), [(SQLITE, 40), (POSTGRESQL, 15)])
def test_no_life_mails_anybody_twice_or_after_leaving_or_loses_one(dialect, examples, request):
    def fresh() -> tuple[Store, Path]:
        folder = Path(tempfile.mkdtemp(dir=root))
        if dialect == SQLITE:
            store = open_url(f"sqlite:///{folder}/newsletter.db")
            # Nothing here is about power cuts.
            sa.event.listen(store.engine, "connect", lambda raw, _: raw.execute(_HASTY))
            store.engine.dispose()
            return store, folder
        server = request.getfixturevalue("postgres")
        return open_url(server.url(server.create())), folder

    def remove(store: Store) -> None:
        if dialect != SQLITE:
            request.getfixturevalue("postgres").drop(store.engine.url.database)

    soak = bool(os.environ.get("NEWSLETTER_SOAK"))
    with tempfile.TemporaryDirectory() as root:
        parts = {"open": staticmethod(fresh), "remove": staticmethod(remove)}
        run_state_machine_as_test(
            type("LivesOnIt", (Lives,), parts),
            settings=settings(
                max_examples=1_000 if soak else examples,
                stateful_step_count=60 if soak else 30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
