"""Measure the public side: `make bench`, or this file alone: web.py [PEOPLE] [EVENTS].

The real server (`newsletter serve`) in a process of its own. The archive is asked by wrk
over 50 connections, once alone and once while a whole campaign is being sent over SMTP
into the sink, all on this machine. The webhook gets signed requests of 1,000 events
about deliveries of that campaign; each is verified, recorded and followed up.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import campaigns
from audience import COMMAND, VARIABLE

HERE = Path(__file__).resolve().parent
PEOPLE, EVENTS, SECONDS, CONNECTIONS = 600_000, 50_000, 10, 50
BATCH = 1_000  # events of one request
RATE_WANTED, P99_WANTED, EVENTS_WANTED = 1_500, 50, 5_000  # requests/s, ms, events/s
HEAD = ("what", "measured", "wanted", "")

Row = tuple[str, ...]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, VARIABLE: campaigns.database(folder), "NEWSLETTER_ACTOR": "benchmark"}


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server of the workspace in *folder*, without http:// and slash."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "serve", "--port", "0"],
        cwd=folder,
        env=environment(folder),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"serving http://([0-9.:]+)/", line):
                break
        else:
            raise AssertionError("the server did not start")
        yield found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@contextmanager
def sending(folder: Path, program: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A campaign under way from *folder* into a sink; waits for its end, and checks it."""
    with campaigns.Sink(program) as sink:
        campaigns.configure(folder, campaigns.smtp(sink.port, 10))
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "send", "--yes"],
            cwd=folder,
            env=environment(folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            assert process.wait(timeout=600) == 0


def asked(address: str) -> tuple[float, float]:
    """Requests a second, and the 99th percentile in ms."""
    done = subprocess.run(
        [
            *("wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "--latency"),
            *("-s", str(HERE / "archive.lua"), f"http://{address}/"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Non-2xx" not in done.stdout, done.stdout
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", done.stdout)
    late = re.search(r"99%\s+([0-9.]+)(us|ms|s)", done.stdout)
    assert rate is not None, done.stdout
    assert late is not None, done.stdout
    return float(rate[1]), float(late[1]) * {"us": 0.001, "ms": 1, "s": 1000}[late[2]]


# ── the webhook ─────────────────────────────────────────────────────────────


def signing_key() -> tuple[object, str]:
    """A key to sign with, and what SendGrid would show of it."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key, base64.b64encode(public).decode()


def bodies(folder: Path, number: int) -> list[bytes]:
    """As SendGrid words them: of 100, 1 bounce, 1 complaint, 4 deferred, the rest delivered."""
    import sqlite3

    from newsletter.audience.links import links_of
    from newsletter.config import open_workspace

    links = links_of(open_workspace(folder))
    with sqlite3.connect(folder / "list.db") as connection:
        rows = connection.execute(
            "SELECT d.campaign_id, s.id, s.email FROM delivery d JOIN subscriber s"
            " ON s.id = d.subscriber_id WHERE d.status = 'accepted' ORDER BY s.id LIMIT ?",
            (number,),
        ).fetchall()
    assert len(rows) == number, "fewer deliveries than events"
    now = int(time.time())
    names = ["bounce", "spamreport", *["deferred"] * 4, *["delivered"] * 94]
    events = [
        {
            "email": email,
            "timestamp": now,
            "event": names[place % 100],
            "sg_event_id": f"event-{place}",
            "sg_message_id": f"message-{place // BATCH}.filter.{place}",
            "delivery": links.tokens.sign("delivery", campaign << 40 | subscriber),
            "response": "250 2.0.0 OK",
            "reason": "550 5.1.1 no such user",
            "status": "5.1.1",
        }
        for place, (campaign, subscriber, email) in enumerate(rows)
    ]
    return [json.dumps(events[at : at + BATCH]).encode() for at in range(0, number, BATCH)]


def told(address: str, key: object, found: list[bytes]) -> float:
    """Events a second over one connection that stays open."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    from newsletter.feedback.sendgrid_events import SIGNATURE_HEADER, TIMESTAMP_HEADER

    stamp = str(int(time.time()))
    signed = [
        base64.b64encode(key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        for body in found
    ]
    connection = http.client.HTTPConnection(address, timeout=120)
    start = time.perf_counter()
    for body, signature in zip(found, signed, strict=True):
        headers = {SIGNATURE_HEADER: signature, TIMESTAMP_HEADER: stamp}
        connection.request("POST", "/webhooks/sendgrid", body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 204, answer.status
    seconds = time.perf_counter() - start
    connection.close()
    return len(found) * BATCH / seconds


def stored(folder: Path) -> int:
    import sqlite3

    with sqlite3.connect(folder / "list.db") as connection:
        (number,) = connection.execute("SELECT count(*) FROM event").fetchone()
        return int(number)


# ── the table ───────────────────────────────────────────────────────────────


def rows(people: int = PEOPLE, events: int = EVENTS) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = campaigns.with_people(Path(scratch) / "newsletter", people)
        program = campaigns.built_sink(Path(scratch))
        path = folder / "newsletter.toml"
        key, public = signing_key()
        text = path.read_text("utf-8") + f'\n[feedback]\nsendgrid_key = "{public}"\n'
        path.write_text(re.sub(r"(?m)^url = .*$", 'url = "http://127.0.0.1:8000"', text), "utf-8")
        with sending(folder, program) as process:
            time.sleep(2)  # until the edition is frozen and sending has begun
            with serving(folder) as address:
                rate, late = asked(address)
                is_beside = process.poll() is None
        yield _archive("archive while a campaign sends", rate, late, is_beside)
        with serving(folder) as address:
            rate, late = asked(address)
            yield _archive("archive alone", rate, late, True)
            speed = told(address, key, bodies(folder, events))
        assert stored(folder) == events
        yield (
            f"webhook, requests of {BATCH:,} events, verified and stored",
            f"{speed:,.0f} events/s",
            f"≥ {EVENTS_WANTED:,} events/s",
            "ok" if speed >= EVENTS_WANTED else "MISSED",
        )


def _archive(what: str, rate: float, late: float, is_fair: bool) -> Row:
    is_met = rate >= RATE_WANTED and late < P99_WANTED and is_fair
    return (
        f"{what}, {CONNECTIONS} connections",
        f"{rate:,.0f} requests/s, p99 {late:.1f} ms"
        + ("" if is_fair else "; the campaign ended before"),
        f"≥ {RATE_WANTED:,} requests/s, p99 < {P99_WANTED} ms",
        "ok" if is_met else "MISSED",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the public side.")
    parser.add_argument("people", nargs="?", type=int, default=PEOPLE)
    parser.add_argument("events", nargs="?", type=int, default=EVENTS)
    given = parser.parse_args()
    assert shutil.which("wrk"), "wrk is missing: make bench installs it"
    is_met = True
    for row in (HEAD, ("---",) * len(HEAD)):
        print(f"| {' | '.join(row)} |", flush=True)
    for row in rows(given.people, given.events):
        print(f"| {' | '.join(row)} |", flush=True)
        is_met = is_met and row[-1] == "ok"
    sys.exit(0 if is_met else 1)
