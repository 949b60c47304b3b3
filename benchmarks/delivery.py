"""Measure delivery: `make bench`, or this file alone: delivery.py [PEOPLE [MANY]] [--keep].

Whole campaigns to made-up people, composed, frozen, personalised and journalled for
real, SQLite with synchronous=FULL, handed over to a sink on the same machine, each
in a process of its own. Medians of three rounds; within a round all are measured
one after the other, so their ratios hold where the rates do not. Every run is
checked: the sink must have taken what the ledger says, and that must be everybody.
"processor" is the time of one core that the sending process itself spends on a message.

--keep writes the ratios to last_release.json, which the next release is compared with.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import campaigns
from audience import databases, imported, people_file

LAST_RELEASE = Path(__file__).with_name("last_release.json")
PEOPLE, FEW, MANY, ROUNDS = 100_000, 10_000, 1_000_000, 3
CONNECTIONS = (1, 10, 50)
SMTPLIB = "smtplib, 10 threads, no ledger"
AT_TEN = "SMTP, 10 connections"
SENDGRID = "SendGrid, requests of 1,000"
ASSEMBLY, WITH_TOKENS = "assembly, one core", "assembly and the three tokens, one core"
WANTED = {ASSEMBLY: 100_000, AT_TEN: 15_000, SENDGRID: 100_000}  # a second
TIMES_WANTED = {AT_TEN: 10}  # as fast as smtplib
MEMORY_WANTED, MEMORY_GROWTH, TIME_GROWTH = 120, 0.20, 0.15  # MB, shares
HEAD = ("what", "measured", "processor", "× smtplib", "last release", "wanted", "")

Row = tuple[str, ...]


def assembled() -> dict[str, float]:
    """Messages a second of processor time: from values, and with the three tokens to sign."""
    from sample import deliveries, mailing

    from newsletter.compose.message import Recipient

    edition = mailing()
    readers = deliveries(20_000)
    made = [edition.recipient(reader) for reader in readers]
    assemble = edition.template.assemble
    start = time.process_time()
    for one in made:
        assemble(
            Recipient(
                email=one.email,
                name=one.name,
                delivery=one.delivery,
                unsubscribe_url=one.unsubscribe_url,
                preferences_url=one.preferences_url,
                web_url=one.web_url,
            )
        )
    middle = time.process_time()
    for reader in readers:
        edition.message(reader)
    end = time.process_time()
    return {
        ASSEMBLY: len(readers) / (middle - start),
        WITH_TOKENS: len(readers) / (end - middle),
    }


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Of one kind of run, or the median of several."""

    rate: float  # messages a second; 0: it is not installed
    processor: float | None  # seconds a message; None: not known


def median(speeds: list[Speed]) -> Speed:
    processor = [speed.processor for speed in speeds if speed.processor is not None]
    return Speed(
        rate=statistics.median(speed.rate for speed in speeds),
        processor=statistics.median(processor) if processor else None,
    )


def rounds(folder: Path, people: int) -> dict[str, Speed]:
    """Medians, by what was measured."""
    program = campaigns.built_sink(folder)
    readers = campaigns.with_people(folder / "people", people)
    file = folder / "people.csv"
    people_file(file, people)
    speeds: dict[str, list[Speed]] = {}

    def note(what: str, found: dict[str, float] | None) -> None:
        speed = Speed(rate=0, processor=None)
        if found is not None:
            messages, processor = found["accepted"], found.get("processor")
            speed = Speed(
                rate=messages / found["seconds"],
                processor=None if processor is None else processor / messages,
            )
        speeds.setdefault(what, []).append(speed)
        print(f"  {what}: {speed.rate:,.0f}/s", file=sys.stderr, flush=True)

    with databases("postgresql", folder) as urls:
        for _, url in zip(range(ROUNDS), urls, strict=True):
            for what, rate in assembled().items():
                note(what, {"accepted": rate, "seconds": 1, "processor": 1})
            note(SMTPLIB, campaigns.by_smtplib(program, people // 10))
            note("smtp-source, 10 sessions", campaigns.by_smtp_source(program, people // 2))
            for connections in CONNECTIONS:
                plural = "s" if connections > 1 else ""
                found = campaigns.sent(readers, connections, program)
                note(f"SMTP, {connections} connection{plural}", found)
            note(SENDGRID, campaigns.by_sendgrid(readers))
            note("ledger alone, SQLite", campaigns.ledger_alone(readers))
            imported(readers, url, file)
            note("ledger alone, PostgreSQL", campaigns.ledger_alone(readers, url))
    return {what: median(found) for what, found in speeds.items()}


def speed_rows(speeds: dict[str, Speed]) -> Iterator[Row]:
    last = json.loads(LAST_RELEASE.read_text("utf-8")) if LAST_RELEASE.exists() else {}
    for what, speed in speeds.items():
        if not speed.rate:
            yield what, "not installed", "", "", "", "", "ok"
            continue
        times = speed.rate / speeds[SMTPLIB].rate
        least, least_times = WANTED.get(what, 0), TIMES_WANTED.get(what, 0)
        texts = [f"≥ {least:,}/s"] * bool(least) + [f"≥ {least_times} ×"] * bool(least_times)
        is_met = speed.rate >= least and times >= least_times
        yield (
            what,
            f"{speed.rate:,.0f}/s",
            "" if speed.processor is None else f"{speed.processor * 1e6:.1f} µs",
            f"{times:.1f}",
            f"{last[what]:.1f}" if what in last else "",
            ", ".join(texts),
            "ok" if is_met else "MISSED",
        )


def size_rows(folder: Path, few: int, many: int) -> Iterator[Row]:
    """Memory of the real command, and the time per message, for a few and for many."""
    program = campaigns.built_sink(folder)
    memory: dict[int, float] = {}
    each: dict[int, float] = {}
    under_way: dict[int, float] = {}
    for people in (few, many):
        readers = campaigns.with_people(folder / f"people-{people}", people)
        runs = ROUNDS if people == few else 1
        found = [campaigns.sent(readers, 10, program) for _ in range(runs)]
        each[people] = statistics.median(one["seconds"] / one["accepted"] for one in found)
        under_way[people] = statistics.median(one["under_way"] for one in found)
        with campaigns.copied(readers) as copy, campaigns.Sink(program) as sink:
            campaigns.configure(copy, campaigns.smtp(sink.port, 10))
            memory[people] = campaigns.memory_of_sending(copy)
        assert sink.messages == people
        shutil.rmtree(readers)
    growth, slower = memory[many] / memory[few] - 1, under_way[many] / under_way[few] - 1
    is_small = memory[many] < MEMORY_WANTED and growth <= MEMORY_GROWTH
    yield (
        f"memory of both processes of `newsletter send`, {few:,} and {many:,} people",
        f"{memory[few]:.0f} and {memory[many]:.0f} MB ({growth:+.0%})",
        *("", "", ""),
        f"< {MEMORY_WANTED} MB, ± {MEMORY_GROWTH:.0%}",
        "ok" if is_small else "MISSED",
    )
    alone = f"{under_way[few] * 1e6:.1f} and {under_way[many] * 1e6:.1f} µs ({slower:+.0%})"
    with_start = f"{each[few] * 1e6:.1f} and {each[many] * 1e6:.1f} µs"
    yield (
        f"time per message, {few:,} and {many:,} people",
        f"{alone}; with the start of the sender {with_start}",
        *("", "", ""),
        f"± {TIME_GROWTH:.0%}",
        "ok" if abs(slower) <= TIME_GROWTH else "MISSED",
    )


def rows(people: int = PEOPLE, many: int = MANY, *, keep: bool = False) -> list[Row]:
    """Measure everything; *keep* the ratios for the next release."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        speeds = rounds(folder, people)
        found = [*speed_rows(speeds), *size_rows(folder, min(FEW, people), many)]
    if keep:
        least = speeds[SMTPLIB].rate
        ratios = {
            what: round(speed.rate / least, 2) for what, speed in speeds.items() if speed.rate
        }
        LAST_RELEASE.write_text(json.dumps(ratios, indent=2) + "\n", "utf-8")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure delivery.")
    parser.add_argument("people", nargs="?", type=int, default=PEOPLE)
    parser.add_argument("many", nargs="?", type=int, default=MANY)
    parser.add_argument("--keep", action="store_true", help="write last_release.json")
    given = parser.parse_args()
    table = rows(given.people, given.many, keep=given.keep)
    for row in (HEAD, ("---",) * len(HEAD), *table):
        print(f"| {' | '.join(row)} |")
    sys.exit(0 if all(row[-1] == "ok" for row in table) else 1)
