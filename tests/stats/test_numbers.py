"""Every number is what somebody who keeps tally on paper would have; None is what nobody told."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import UsageError
from newsletter.feedback.events import Kind
from newsletter.stats.numbers import statistics_of, trend
from newsletter.store.engine import open_url
from newsletter.store.tables import event
from tests.databases import POSTGRESQL, SQLITE
from tests.stats.histories import History, expected

STATUSES = ("accepted", "accepted", "accepted", "failed", "suppressed", "uncertain", "pending")


def numbers_of(history, number, tag=None):
    with history.store.read() as conn:
        return statistics_of(conn, number, tag)


def told(history, issue, before=None):
    """What the system says, narrowed to what the model knows."""
    numbers = asdict(numbers_of(history, issue.number))
    return {name: numbers[name] for name in expected(history, issue, before)}


@pytest.fixture
def history(store):
    return History(store)


# ── single facts ────────────────────────────────────────────────────────────


def test_issue_that_was_not_sent_is_refused(history):
    with pytest.raises(UsageError, match=r"Vol 2\.20 was not sent yet"):
        numbers_of(history, "2.20")
    with history.store.read() as conn:
        assert trend(conn) == []


def test_without_any_event_what_only_events_tell_is_not_known(history):
    history.join()
    history.send("2.20")
    numbers = numbers_of(history, "2.20")
    assert (numbers.intended, numbers.accepted, numbers.unsubscribed) == (1, 1, 0)
    for name in ("delivered", "bounced", "bounced_hard", "complained", "joined", "growth"):
        assert getattr(numbers, name) is None
        assert numbers.unknown[name]
    assert (numbers.share("accepted"), numbers.share("delivered")) == (1.0, None)


def test_mailbox_that_tells_of_bounces_alone_does_not_make_the_others_undelivered(history):
    one, _ = history.join(), history.join()
    history.tell(history.send("2.20"), one, Kind.BOUNCED, permanent=True)
    numbers = numbers_of(history, "2.20")
    assert (numbers.delivered, numbers.bounced, numbers.bounced_hard) == (None, 1, 1)
    assert numbers.complained == 0


def test_message_that_bounces_after_it_was_delivered_is_a_bounce(history):
    one, two = history.join(), history.join()
    issue = history.send("2.20")
    for person in (one, two):
        history.tell(issue, person, Kind.DELIVERED)
    history.tell(issue, one, Kind.BOUNCED)
    history.tell(issue, one, Kind.COMPLAINED)
    numbers = numbers_of(history, "2.20")
    assert (numbers.delivered, numbers.bounced, numbers.complained) == (1, 1, 1)
    assert (numbers.bounced_hard, numbers.bounced_soft) == (0, 1)
    assert numbers.share("delivered") == 0.5


def test_bounces_noted_before_we_told_hard_from_soft_are_counted_and_not_sorted(history):
    one = history.join()
    history.tell(history.send("2.20"), one, Kind.BOUNCED, permanent=True)
    with history.store.begin() as conn:
        conn.execute(sa.update(event).values(permanent=None))
    numbers = numbers_of(history, "2.20")
    assert (numbers.bounced, numbers.bounced_hard, numbers.bounced_soft) == (1, None, None)


def test_who_leaves_on_the_page_leaves_after_the_last_issue_that_they_got(history):
    one, two, three = (history.join() for _ in range(3))
    first = history.send("2.20")
    history.send("2.21", outcomes={two: "failed"})
    for person in (one, two, three):
        history.leave(person)
    assert numbers_of(history, "2.20").unsubscribed == 1
    assert numbers_of(history, "2.21").unsubscribed == 2
    assert first.outcomes.keys() == {one, two, three}


def test_answer_to_an_older_message_counts_there_even_if_the_page_was_first(history):
    one = history.join()
    first = history.send("2.20")
    history.send("2.21")
    history.leave(one)
    history.tell(first, one, Kind.UNSUBSCRIBED)
    assert numbers_of(history, "2.20").unsubscribed == 1
    assert numbers_of(history, "2.21").unsubscribed == 0


def test_who_answers_two_messages_leaves_once_and_who_comes_back_may_leave_again(history):
    one = history.join()
    first, second = history.send("2.20"), history.send("2.21")
    history.tell(second, one, Kind.UNSUBSCRIBED)
    history.tell(first, one, Kind.UNSUBSCRIBED)
    counted = [numbers_of(history, number).unsubscribed for number in ("2.20", "2.21")]
    assert counted == [1, 0]
    history.come_back(one)
    history.tell(history.send("2.22"), one, Kind.UNSUBSCRIBED)
    assert numbers_of(history, "2.22").unsubscribed == 1


def test_complaint_is_not_an_unsubscription(history):
    one = history.join()
    issue = history.send("2.20")
    history.tell(issue, one, Kind.COMPLAINED)
    history.leave(one)
    numbers = numbers_of(history, "2.20")
    assert (numbers.complained, numbers.unsubscribed) == (1, 0)


def test_erased_person_still_counts_and_nothing_names_them(history):
    one, _ = history.join(), history.join()
    issue = history.send("2.20")
    history.tell(issue, one, Kind.DELIVERED)
    history.leave(one)
    before = numbers_of(history, "2.20")
    history.erase(one)
    after = numbers_of(history, "2.20")
    assert after == before
    assert (after.intended, after.delivered, after.unsubscribed, after.list_now) == (2, 1, 1, 1)
    assert "reader" not in str(after)


def test_list_is_compared_with_the_issue_to_everyone_before(history):
    one, two = history.join(tag="press"), history.join()
    history.send("2.20")
    history.send("2.21", tag="press")
    history.leave(one)
    history.join()
    history.join()
    history.send("2.22")
    numbers = numbers_of(history, "2.22")
    assert (numbers.list_then, numbers.joined, numbers.left, numbers.growth) == (3, 2, 1, 1)
    to_a_tag = numbers_of(history, "2.21")
    assert (to_a_tag.list_then, to_a_tag.joined, to_a_tag.unsubscribed) == (None, None, 1)
    assert to_a_tag.unknown["list_then"] == "it went to a part of the list"
    assert two in history.eligible


def test_issue_in_two_campaigns_counts_everybody_once(history):
    one, two = history.join(tag="press"), history.join(tag="press")
    history.join()
    history.send("2.20", tag="press", outcomes={two: "failed"})
    history.send("2.20")
    numbers = numbers_of(history, "2.20")
    assert (numbers.intended, numbers.accepted, numbers.failed, numbers.list_then) == (3, 3, 0, 3)
    alone = numbers_of(history, "2.20", "press")
    assert (alone.tag, alone.intended, alone.accepted, alone.failed) == ("press", 2, 1, 1)
    assert alone.list_then is None
    history.leave(one)
    assert numbers_of(history, "2.20").unsubscribed == 1
    with pytest.raises(UsageError, match="to “vip” was not sent"):
        numbers_of(history, "2.20", "vip")


def test_cancelled_campaign_that_was_made_anew_leaves_nobody_pending(history):
    one, two, three = (history.join() for _ in range(3))
    history.send("2.20", outcomes={two: "pending", three: "pending"}, state="cancelled")
    stopped = numbers_of(history, "2.20")
    assert (stopped.intended, stopped.pending, stopped.never_sent) == (3, 2, 2)
    history.leave(three)
    history.send("2.20")
    numbers = numbers_of(history, "2.20")
    assert (numbers.intended, numbers.accepted, numbers.pending) == (2, 2, 0)
    assert one in history.eligible


def test_campaign_that_was_cancelled_before_it_reached_anybody_never_was(history):
    one = history.join()
    history.send("2.20", outcomes={one: "pending"}, state="cancelled")
    with history.store.read() as conn:
        assert trend(conn) == []


# ── random histories ────────────────────────────────────────────────────────

pick = st.integers(min_value=0, max_value=5)
steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["join", "join", "leave", "erase", "come_back"]), pick),
        st.tuples(st.just("send"), st.lists(st.sampled_from(STATUSES), min_size=6, max_size=6)),
        st.tuples(
            st.just("tell"),
            st.tuples(pick, pick, st.sampled_from(list(Kind)), st.booleans(), st.integers(1, 2)),
        ),
    ),
    max_size=25,
)


def play(history, what, value):
    people = list(history.people)
    if what == "join":
        history.join()
    elif what == "send":
        outcomes = dict(zip(people, value, strict=False))
        history.send(f"2.{len(history.issues) + 1}", outcomes=outcomes)
    elif what == "tell":
        place, index, kind, permanent, times = value
        if history.issues:
            issue = history.issues[place % len(history.issues)]
            if issue.outcomes:
                person = list(issue.outcomes)[index % len(issue.outcomes)]
                history.tell(issue, person, kind, permanent=permanent, times=times)
    elif people:
        getattr(history, what)(people[value % len(people)])


def databases(dialect, folder, request):
    """Give out new databases, each gone when it is closed."""
    first, copies = folder / "first.db", count()
    open_url(f"sqlite:///{first}").close()

    @contextmanager
    def fresh():
        if dialect == SQLITE:
            copy = Path(shutil.copy(first, folder / f"{next(copies)}.db"))
            with open_url(f"sqlite:///{copy}") as store:
                yield store
            copy.unlink()
            return
        server = request.getfixturevalue("postgres")
        name = server.create()
        with open_url(server.url(name)) as store:
            yield store
        server.drop(name)

    return fresh


@pytest.mark.parametrize(("dialect", "examples"), [(SQLITE, 80), (POSTGRESQL, 15)])
def test_random_history_gives_the_numbers_of_a_tally_kept_by_hand(
    dialect, examples, tmp_path, request
):
    fresh = databases(dialect, tmp_path, request)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps)
    def check(plan):
        with fresh() as store:
            history = History(store)
            for _ in range(3):
                history.join()
            for what, value in plan:
                play(history, what, value)
            with store.read() as conn:
                together = trend(conn)
            assert [numbers.number for numbers in together] == [i.number for i in history.issues]
            for place, issue in enumerate(history.issues):
                before = history.issues[place - 1] if place else None
                assert told(history, issue, before) == expected(history, issue, before)
                assert numbers_of(history, issue.number) == together[place]

    check()


ABOUT = st.tuples(st.integers(0, 1), st.integers(0, 2), st.sampled_from(list(Kind)), st.booleans())


@pytest.mark.parametrize(("dialect", "examples"), [(SQLITE, 40), (POSTGRESQL, 10)])
def test_events_that_come_late_twice_or_out_of_order_give_the_same_numbers(
    dialect, examples, tmp_path, request
):
    fresh = databases(dialect, tmp_path, request)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(ABOUT, max_size=8).flatmap(lambda e: st.tuples(st.just(e), st.permutations(e))))
    def check(orders):
        found = []
        for times, events in enumerate(orders, start=1):
            with fresh() as store:
                history = History(store)
                for _ in range(3):
                    history.join()
                sent = [
                    history.send(number, outcomes={1: "uncertain"}) for number in ("2.1", "2.2")
                ]
                history.leave(2)
                for place, person, kind, permanent in events:
                    people = list(sent[place].outcomes)
                    history.tell(
                        sent[place], people[person], kind, permanent=permanent, times=times
                    )
                with store.read() as conn:
                    found.append(trend(conn))
        assert found[0] == found[1]

    check()
