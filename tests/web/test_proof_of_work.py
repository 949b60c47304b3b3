"""Proof of work: it counts once, in time, and for who did it."""

from __future__ import annotations

from itertools import count

import pytest

from newsletter.audience.tokens import Tokens
from newsletter.web.proof_of_work import LIFETIME, WAIT, ProofOfWork, Verdict, is_solution

NOW = 1_800_000_000.0


@pytest.fixture
def work() -> ProofOfWork:
    return ProofOfWork(Tokens([b"k" * 32]), 8)


def solution_of(challenge: str, bits: int) -> str:
    return next(str(n) for n in count() if is_solution(challenge, str(n), bits))


def test_work_that_was_done_counts_once(work: ProofOfWork):
    challenge = work.challenge(NOW)
    solution = solution_of(challenge, 8)
    assert work.judge(challenge, solution, NOW + 1) is Verdict.DONE
    assert work.judge(challenge, solution, NOW + 2) is Verdict.VOID


def test_a_wrong_solution_is_void(work: ProofOfWork):
    challenge = work.challenge(NOW)
    wrong = next(str(n) for n in count() if not is_solution(challenge, str(n), 8))
    assert work.judge(challenge, wrong, NOW + 1) is Verdict.VOID


def test_without_a_solution_it_is_early_and_later_counts(work: ProofOfWork):
    challenge = work.challenge(NOW)
    assert work.judge(challenge, "", NOW + WAIT - 1) is Verdict.EARLY
    assert work.judge(challenge, "", NOW + WAIT) is Verdict.DONE
    assert work.judge(challenge, "", NOW + WAIT) is Verdict.VOID


def test_an_old_challenge_is_void_and_so_is_one_of_the_future(work: ProofOfWork):
    challenge = work.challenge(NOW)
    assert work.judge(challenge, "", NOW + LIFETIME + 1) is Verdict.VOID
    assert work.judge(work.challenge(NOW + 100), "", NOW) is Verdict.VOID


@pytest.mark.parametrize("forged", ["", "8", "8.a.b", "0.a.b", "8.a.b.c", "x" * 1000, "8.é.\0"])
def test_what_we_did_not_make_is_void(work: ProofOfWork, forged: str):
    assert work.judge(forged, "0", NOW) is Verdict.VOID


def test_fewer_bits_cannot_be_asked_for_by_the_client(work: ProofOfWork):
    easy = ProofOfWork(Tokens([b"k" * 32]), 1)
    challenge = easy.challenge(NOW)
    solution = solution_of(challenge, 1)
    assert work.judge(challenge, solution, NOW) is Verdict.VOID
    bits, salt, token = challenge.split(".")
    assert work.judge(f"8.{salt}.{token}", solution, NOW) is Verdict.VOID
    assert bits == "1"
