"""Any sequence of what people do in a browser leaves on the list who should be, and nobody else.

The model knows of each reader: whether they confirmed what they asked for since they last
left. Looks (GET) change nothing; a suppression is never undone by anything public, but
one's own leaving by one's own confirmation.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Status
from newsletter.delivery.model import Outcome, Result
from newsletter.notices import post
from newsletter.store.engine import open_url
from newsletter.web.routes import subscribe
from tests.web.worlds import World, served

PEOPLE = ("alex@example.org", "robin@example.org")
people = st.sampled_from(PEOPLE)


class Mailbox:
    """A transport that takes everything, and remembers the confirmations in it."""

    def __init__(self) -> None:
        self.tokens: dict[str, list[str]] = {email: [] for email in PEOPLE}

    async def deliver(self, email: str, message: bytes) -> Result:
        self.tokens[email] += confirmations(message)
        return Result(outcome=Outcome.ACCEPTED)


def confirmations(message: bytes) -> list[str]:
    body = message_from_bytes(message, policy=policy.default).get_body(("plain",))
    assert body is not None
    return re.findall(r"/confirm/([\w-]+)", body.get_content())


class Lives(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(subscribe, "QUANTUM", 0.0001)
        store = self.stack.enter_context(open_url(f"sqlite:///{folder / 'newsletter.db'}"))
        keys = {"per_ip_per_hour": 1_000_000}
        self.world: World = self.stack.enter_context(
            served(store, folder / "newsletter", subscribe=keys)
        )
        self.mailbox = Mailbox()
        self.active: set[str] = set()  # on the list, paused or not
        self.paused: set[str] = set()
        self.barred: set[str] = set()  # suppressed for good
        self.good: dict[str, set[str]] = {email: set() for email in PEOPLE}  # tokens that count
        self.made: dict[str, dict[str, object]] = {email: {} for email in PEOPLE}

    def teardown(self) -> None:
        self.stack.close()

    def tick(self) -> None:
        self.world.pass_time(timedelta(seconds=1))

    def number(self, email: str) -> int | None:
        person = self.world.person(email)
        return None if person is None else person.id

    def leaves(self, email: str) -> None:
        self.active.discard(email)
        self.paused.discard(email)
        self.good[email].clear()

    # ── what people do ──────────────────────────────────────────────────────

    @rule(email=people)
    def asks(self, email: str) -> None:
        self.tick()
        assert self.world.client.post("/subscribe/", data={"email": email}).status_code == 303

    @rule()
    def mail_leaves(self) -> None:
        self.tick()
        before = {email: len(tokens) for email, tokens in self.mailbox.tokens.items()}
        post.send_due(
            self.world.store,
            self.world.context.workspace,
            self.mailbox,  # type: ignore[arg-type] - all that is used of a transport
            now=self.world.at,
        )
        for email, tokens in self.mailbox.tokens.items():
            new = tokens[before[email] :]
            assert not (new and email in self.barred), "mail to somebody who is suppressed"
            self.good[email].update(new)
            self.made[email].update(dict.fromkeys(new, self.world.at))

    @rule(email=people, which=st.integers(0, 9))
    def confirms(self, email: str, which: int) -> None:
        tokens = self.mailbox.tokens[email]
        if not tokens:
            return
        self.tick()
        token = tokens[which % len(tokens)]
        code = self.world.client.post(f"/confirm/{token}").status_code
        is_fresh = self.world.at < self.made[email][token] + timedelta(days=7)  # type: ignore[operator]
        counts = token in self.good[email] and is_fresh and email not in self.barred
        if counts:
            assert code == 200
            self.good[email].discard(token)
            self.active.add(email)
        else:
            assert code in (200, 410)  # 200: pressed again by who is on the list

    @rule(email=people, by=st.sampled_from(["one-click", "page"]))
    def leaves_by_link(self, email: str, by: str) -> None:
        number = self.number(email)
        if number is None:
            return
        self.tick()
        body = {"List-Unsubscribe": "One-Click"} if by == "one-click" else {}
        path = self.world.context.links.unsubscribe_path(number)
        assert self.world.client.post(path, data=body).status_code == 200
        self.leaves(email)

    @rule(email=people, issues=st.integers(1, 26))
    def pauses(self, email: str, issues: int) -> None:
        self.press(email, "/pause", issues=str(issues))
        if email in self.active:
            self.paused.add(email)

    @rule(email=people)
    def resumes(self, email: str) -> None:
        self.press(email, "/resume")
        self.paused.discard(email)

    @rule(email=people, name=st.text(max_size=20))
    def saves(self, email: str, name: str) -> None:
        self.press(email, "", name=name)

    def press(self, email: str, button: str, **fields: str) -> None:
        number = self.number(email)
        if number is None:
            return
        self.tick()
        path = self.world.context.links.preferences_path(number)
        assert self.world.client.post(path + button, data=fields).status_code in (303, 422)

    @rule(days=st.integers(1, 10))
    def time_passes(self, days: int) -> None:
        self.world.pass_time(timedelta(days=days))

    @precondition(lambda self: len(self.barred) < 1)
    @rule(email=people, why=st.sampled_from([Reason.COMPLAINED, Reason.BOUNCED, Reason.MANUAL]))
    def is_suppressed(self, email: str, why: Reason) -> None:
        self.tick()
        with self.world.store.begin() as conn:
            subscribers.suppress(
                conn, email, reason=why, source="test", now=self.world.at, actor="operator"
            )
            reason = subscribers.suppression_of(conn, email)
        self.good[email].clear()  # open confirmations become void
        if reason is not Reason.UNSUBSCRIBED:
            self.barred.add(email)

    # ── what always holds ───────────────────────────────────────────────────

    @rule(email=people)
    def looks(self, email: str) -> None:
        before = self.everything()
        links, number = self.world.context.links, self.number(email)
        paths = ["/", "/subscribe/", "/calendar.ics", "/readyz"]
        paths += [f"/confirm/{token}" for token in self.mailbox.tokens[email][-3:]]
        if number is not None:
            paths += [links.preferences_path(number), links.unsubscribe_path(number)]
        for path in paths:
            for method in ("GET", "HEAD"):
                assert self.world.client.request(method, path).status_code in (200, 410)
        assert self.everything() == before

    def everything(self) -> list[tuple[object, ...]]:
        tables = (
            "subscriber",
            "consent",
            "suppression",
            "confirmation",
            "notice",
            "pause",
            "audit",
        )
        with self.world.store.read() as conn:
            return [
                tuple(row)
                for table in tables
                for row in conn.exec_driver_sql(f"SELECT * FROM {table}")
            ]

    @invariant()
    def who_is_mailed_is_who_confirmed_and_did_not_leave(self) -> None:
        with self.world.store.read() as conn:
            mailed = {one.email for one in subscribers.iterate(conn, subscribers.eligible())}
        assert mailed == self.active - self.paused - self.barred
        for email in PEOPLE:
            if email in self.active - self.barred:
                expected = Status.PAUSED if email in self.paused else Status.ACTIVE
                assert self.world.status(email) is expected


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
