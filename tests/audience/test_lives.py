"""Any life of a few people on a list, in any order: who left is not mailed, records only grow.

Hypothesis makes up the lives; a model of a few sets says who may be mailed, and the
store must agree after every step, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from newsletter.audience import subscribers
from newsletter.audience.identity import identity_of
from newsletter.audience.leaving import GRAVITY
from newsletter.audience.model import ConsentKind, Reason, Status
from newsletter.email_address import normalized
from newsletter.errors import StorageError, UsageError
from newsletter.store.engine import Store, open_url
from newsletter.store.tables import audit, consent
from tests.audience.importing import import_people
from tests.audience.people import NOW, add, everything, request
from tests.audience.people import consent as wish
from tests.databases import POSTGRESQL, SQLITE

# Two spellings of one person; one who differs in letter case alone; somebody else.
EMAILS = [
    *("ada@müller.example", "ada@MÜLLER.example"),
    "Ada@müller.example",
    "ada+news@example.org",
]
emails = st.sampled_from(EMAILS)
reasons = st.sampled_from([reason for reason in Reason if reason is not Reason.ERASED])
TAGS = st.sampled_from(["press", "beta"])
WITHIN = timedelta(days=7)
_WITHDRAWS = {Reason.UNSUBSCRIBED, Reason.COMPLAINED}


def in_any_case(email: str) -> str:
    """What suppressions are about."""
    return identity_of(email).lower()


class Lives(RuleBasedStateMachine):
    """Subclasses say which store."""

    open: Callable[[], Store]
    remove: Callable[[Store], None]

    def __init__(self) -> None:
        super().__init__()
        self.store = type(self).open()
        self.now = NOW
        self.agreed: set[str] = set()  # identities whose consent stands
        # suppressed in any case, and not lifted: why, and since when
        self.kept_off: dict[str, tuple[Reason, Any]] = {}
        self.paused: set[str] = set()
        self.known: set[str] = set()  # has a row that is not erased
        self.left: set[str] = set()  # status unsubscribed
        self.forgotten: set[str] = set()  # erased, and never entered again since
        self.erased: set[str] = set()  # suppressed in any case because of that
        self.tokens: dict[str, tuple[str, Any]] = {}  # open ones: identity, made at
        self.spent: list[str] = []  # used, void or made up
        self.records: list[list[Any]] = [[], []]

    def teardown(self) -> None:
        self.store.close()
        type(self).remove(self.store)

    def writes(self) -> dict[str, Any]:
        self.now += timedelta(minutes=1)
        return {"now": self.now, "actor": "operator"}

    def void(self, identity: str, *, before: Any = None) -> None:
        for token, (owner, made_at) in list(self.tokens.items()):
            if owner == identity and (before is None or made_at <= before):
                del self.tokens[token]
                self.spent.append(token)

    def keep_off(self, address: str, reason: Reason) -> None:
        """A graver reason takes the place of a lighter one."""
        known = self.kept_off.get(address)
        if known is None or GRAVITY.index(reason) > GRAVITY.index(known[0]):
            self.kept_off[address] = (reason, self.now)

    def meant(self, email: str) -> str | None:
        """Who is found by what was typed: the exact spelling, else the only other one."""
        identity = identity_of(email)
        if identity in self.known:
            return identity
        others = [known for known in self.known if known.lower() == identity.lower()]
        return others[0] if len(others) == 1 else None

    # ── join ────────────────────────────────────────────────────────────────

    @rule(email=emails, tags=st.lists(TAGS))
    def add(self, email: str, tags: list[str]) -> None:
        identity = identity_of(email)
        if self.refused(identity, lambda conn: add(conn, email, tags=tags, **self.writes())):
            return
        self.entered(identity)
        self.agreed.add(identity)

    @rule(email=emails)
    def request(self, email: str) -> None:
        identity, now = identity_of(email), self.writes()["now"]
        made: list[str] = []
        if self.refused(identity, lambda conn: made.append(request(conn, email, now=now)[1])):
            return
        self.entered(identity)
        self.tokens[made[0]] = (identity, now)

    @rule(email=emails)
    def ask(self, email: str) -> None:
        """As a form of the web does: who left may ask, and nothing changes for them."""
        identity, now = identity_of(email), self.writes()["now"]
        reason, since = self.kept_off.get(identity.lower(), (None, None))
        given = wish(ConsentKind.REQUESTED, at=now)
        with self.store.begin() as conn:
            person = subscribers.ask(conn, email, consent=given, source="page", now=now)
            assert (person is None) == (reason not in (None, Reason.UNSUBSCRIBED))
            if person is None:
                return
            token = subscribers.new_token(conn, person.id, now=now, within=WITHIN)
        if reason is None:
            self.entered(identity)
        else:
            self.known.add(identity)
            self.forgotten.discard(identity)
            self.void(identity, before=since)
        self.tokens[token] = (identity, now)

    def refused(self, identity: str, act: Callable[[sa.Connection], object]) -> bool:
        """Do *act*; it must fail exactly for those who are kept off."""
        if identity.lower() in self.kept_off:
            with pytest.raises(UsageError, match="suppressed"), self.store.begin() as conn:
                act(conn)
            return True
        with self.store.begin() as conn:
            act(conn)
        return False

    def entered(self, identity: str) -> None:
        self.known.add(identity)
        self.left.discard(identity)
        self.forgotten.discard(identity)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), wait=st.integers(min_value=0, max_value=9))
    def confirm(self, data: st.DataObject, wait: int) -> None:
        token = data.draw(st.sampled_from(list(self.tokens)))
        self.now += timedelta(days=wait)
        identity, made_at = self.tokens.pop(token)
        self.spent.append(token)
        with self.store.begin() as conn:
            found = subscribers.confirm(conn, token, now=self.now)
        reason, since = self.kept_off.get(identity.lower(), (None, None))
        may_return = reason is Reason.UNSUBSCRIBED and made_at > since
        assert (found is not None) == (
            self.now < made_at + WITHIN and (reason is None or may_return)
        )
        if found is None:
            return
        self.agreed.add(identity)
        self.left.discard(identity)
        if reason is not None:
            del self.kept_off[identity.lower()]
            self.nobody_else_comes_back(identity)

    def nobody_else_comes_back(self, identity: str) -> None:
        for other in self.agreed & self.known - {identity}:
            if other.lower() == identity.lower():
                self.agreed.discard(other)
                self.paused.discard(other)
                self.left.add(other)
                self.void(other)

    @precondition(lambda self: self.spent)
    @rule(data=st.data())
    def confirm_with_what_is_spent(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(self.spent))
        with self.store.begin() as conn:
            assert subscribers.confirm(conn, token, now=self.now) is None

    @rule(batch=st.lists(emails, max_size=4, unique_by=identity_of))
    def import_file(self, batch: list[str]) -> None:
        import_people(self.store, batch, now=self.writes()["now"])
        for identity in map(identity_of, batch):
            if identity.lower() not in self.kept_off and identity not in self.left:
                self.entered(identity)
                self.agreed.add(identity)

    # ── leave ───────────────────────────────────────────────────────────────

    @rule(email=emails)
    def unsubscribe(self, email: str) -> None:
        meant = self.meant(email)
        with self.store.begin() as conn:
            person = subscribers.find(conn, email)
            assert (None if person is None else identity_of(person.email)) == meant
            subscriber_id = 10_000 if person is None else person.id
            subscribers.unsubscribe(conn, subscriber_id, source="page", **self.writes())
        if meant is not None:
            self.gone(meant, Reason.UNSUBSCRIBED)

    @rule(email=emails, reason=reasons)
    def suppress(self, email: str, reason: Reason) -> None:
        meant = self.meant(email)
        with self.store.begin() as conn:
            subscribers.suppress(conn, email, reason=reason, source="event", **self.writes())
        self.keep_off(in_any_case(email), reason)
        if meant is not None:
            self.void(meant)
            if reason in _WITHDRAWS:
                self.gone(meant, reason)

    def gone(self, identity: str, reason: Reason) -> None:
        self.keep_off(identity.lower(), reason)
        self.agreed.discard(identity)
        self.paused.discard(identity)
        self.left.add(identity)
        self.void(identity)

    @rule(batch=st.lists(emails, max_size=4, unique_by=identity_of), reason=reasons)
    def import_suppressions(self, batch: list[str], reason: Reason) -> None:
        import_people(self.store, batch, now=self.writes()["now"], suppress=reason)
        for identity in map(identity_of, batch):
            self.keep_off(identity.lower(), reason)
            self.void(identity)
            if reason in _WITHDRAWS and identity in self.known:
                self.gone(identity, reason)

    @rule(email=emails)
    def lift(self, email: str) -> None:
        address, writes = in_any_case(email), self.writes()
        if address not in self.kept_off:
            with pytest.raises(UsageError, match="not suppressed"), self.store.begin() as conn:
                subscribers.lift(conn, email, reason="wrote again", **writes)
            return
        with self.store.begin() as conn:
            reason = subscribers.lift(conn, email, reason="wrote again", **writes)
        assert reason is self.kept_off.pop(address)[0]
        assert (address in self.erased) == (reason is Reason.ERASED)
        self.erased.discard(address)
        self.forgotten = {other for other in self.forgotten if other.lower() != address}

    @rule(email=emails)
    def erase(self, email: str) -> None:
        meant = self.meant(email)
        identity = meant or identity_of(email)
        with self.store.begin() as conn:
            if meant is None and not subscribers.suppression_of(conn, email):
                return
            subscribers.erase(conn, email, **self.writes())
        self.gone(identity, Reason.ERASED)
        self.left.discard(identity)
        self.known.discard(identity)
        self.forgotten.add(identity)
        self.erased.add(identity.lower())

    # ── stay ────────────────────────────────────────────────────────────────

    @rule(email=emails, pause=st.booleans())
    def pause_or_late_event(self, email: str, pause: bool) -> None:
        """A resume stands for what a late “delivered” might do: wake somebody up."""
        meant = self.meant(email)
        act = subscribers.pause if pause else subscribers.resume
        with self.store.begin() as conn:
            person = subscribers.find(conn, email)
            if person is None or not act(conn, person.id, **self.writes()):
                return
        assert meant is not None
        if pause:
            self.paused.add(meant)
        else:
            self.paused.discard(meant)

    @rule(email=emails, name=TAGS, remove=st.booleans())
    def tag(self, email: str, name: str, remove: bool) -> None:
        with self.store.begin() as conn:
            person = subscribers.find(conn, email)
            if person is not None:
                change = {"remove": [name]} if remove else {"add": [name]}
                tagged = subscribers.tag(conn, person.id, **change, **self.writes())
                assert (name in tagged.tags) == (not remove)

    @rule(statement=st.sampled_from(["DELETE FROM {}", "UPDATE {} SET id = id + 1000"]))
    def tamper(self, statement: str) -> None:
        for number, table in enumerate([consent, audit]):
            if self.records[number]:
                with pytest.raises(StorageError, match="append-only"), self.store.begin() as conn:
                    conn.exec_driver_sql(statement.format(table.name))

    # ── always ──────────────────────────────────────────────────────────────

    @invariant()
    def the_store_agrees_with_the_model(self) -> None:
        with self.store.read() as conn:
            self.check_who_may_be_mailed(conn)
            self.check_that_records_only_grow(conn)
        if self.forgotten:
            self.check_that_the_forgotten_are_nowhere()

    def check_who_may_be_mailed(self, conn: sa.Connection) -> None:
        found = subscribers.iterate(conn, subscribers.eligible())
        eligible = {identity_of(person.email) for person in found}
        agreed = self.agreed - self.paused
        assert eligible == {each for each in agreed if each.lower() not in self.kept_off}
        numbers = subscribers.statistics(conn)
        assert numbers["total"] == len(self.known)
        assert numbers["status"][Status.UNSUBSCRIBED] == len(self.left)
        assert sum(numbers["suppressed"].values()) == len(self.kept_off)

    def check_that_records_only_grow(self, conn: sa.Connection) -> None:
        for number, table in enumerate([consent, audit]):
            columns = [column for column in table.c if column.name not in ("ip", "page")]
            rows = conn.execute(sa.select(*columns).order_by(table.c.id)).all()
            before = self.records[number]
            assert rows[: len(before)] == before
            self.records[number] = list(rows)

    def check_that_the_forgotten_are_nowhere(self) -> None:
        values = everything(self.store)
        for email in EMAILS:
            if identity_of(email) in self.forgotten:
                assert f"'{normalized(email)}'" not in values
                assert f"'{identity_of(email)}'" not in values


@pytest.mark.parametrize(("dialect", "examples"), [(SQLITE, 100), (POSTGRESQL, 50)])
def test_no_life_makes_anyone_mailed_who_left_or_is_suppressed(dialect, examples, request):
    def fresh() -> Store:
        if dialect == SQLITE:
            store = open_url(f"sqlite:///{tempfile.mkdtemp(dir=root)}/newsletter.db")
            raw = store.engine.raw_connection()
            raw.cursor().execute("PRAGMA synchronous = OFF")  # nothing here is about power cuts
            raw.close()
            return store
        server = request.getfixturevalue("postgres")
        return open_url(server.url(server.create()))

    def remove(store: Store) -> None:
        if dialect != SQLITE:
            request.getfixturevalue("postgres").drop(store.engine.url.database)

    soak = bool(os.environ.get("NEWSLETTER_SOAK"))
    with tempfile.TemporaryDirectory() as root:
        parts = {"open": staticmethod(fresh), "remove": staticmethod(remove)}
        machine = type("LivesOnIt", (Lives,), parts)
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=1_000 if soak else examples,
                stateful_step_count=50 if soak else 25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
