"""How many connections, how long to wait."""

from __future__ import annotations

from newsletter.delivery.transports.smtp_caution import Patience, Width


def width(most: int = 8) -> Width:
    return Width(most, growth=5, pulse=1, since=0)


def test_refusals_of_one_moment_halve_the_connections_once():
    subject = width()
    assert subject.refused(10.0, decided=1, in_use=8)
    assert not subject.refused(10.5, decided=2, in_use=8)
    assert subject.limit == 4
    assert subject.refused(11.1, decided=3, in_use=4)
    assert subject.limit == 2


def test_at_least_one_connection_is_left():
    subject = width()
    for moment in range(10, 30, 2):
        subject.refused(moment, decided=moment, in_use=subject.limit)
    assert subject.limit == 1


def test_a_few_refusals_among_many_messages_change_nothing():
    subject = width()
    assert not any(subject.refused(10.0, decided=1_000, in_use=8) for _ in range(99))
    assert subject.limit == 8


def test_a_connection_comes_back_after_a_while_of_success_only():
    subject = width()
    subject.refused(10.0, decided=1, in_use=8)
    assert not subject.look(20.0, decided=100), "there was a refusal since the last look"
    assert not subject.look(21.0, decided=100), "nothing went"
    assert subject.look(22.0, decided=200)
    assert subject.limit == 5
    assert not subject.look(23.0, decided=300), "too soon"
    assert subject.look(28.0, decided=400)


def test_there_are_never_more_than_configured():
    assert not width().look(100.0, decided=100)


def test_waits_double_up_to_the_longest_and_begin_anew_after_a_success():
    subject = Patience(60, first_wait=1, longest_wait=8)
    for wait in (1, 2, 4, 8, 8):
        assert wait / 2 <= subject.failed(0.0, decided=7) <= wait
        assert subject.is_tried(7)
    assert not subject.is_tried(8)
    assert subject.failed(0.0, decided=8) <= 1


def test_patience_is_over_after_its_time_and_never_at_the_first_failure():
    subject = Patience(60, first_wait=1, longest_wait=8)
    subject.failed(100.0, decided=0)
    assert not subject.is_over(1_000.0)
    subject.failed(130.0, decided=0)
    assert not subject.is_over(130.0)
    subject.failed(161.0, decided=0)
    assert subject.is_over(161.0)
    assert subject.lasted(161.0) == 61
