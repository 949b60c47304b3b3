"""The promise itself: a real sender is killed with -9 again and again, and nothing is sent twice.

A process of its own sends over real sockets; the other side keeps what it took. After
every kill the ledger, as the next start settles it, must agree with the other side:
nobody got two, nobody is accepted who got none, nobody got one unrecorded, and no more
are uncertain than were between the last byte and the answer. `make soak` kills 200 times.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from newsletter.config import Workspace, open_workspace
from newsletter.delivery import campaign as campaigns
from newsletter.delivery.ledger import counts
from newsletter.delivery.model import Status
from newsletter.delivery.sender import settle_crash
from newsletter.store.engine import Store, open_url
from tests.databases import fresh_url
from tests.delivery.campaigns import WRITES, a_workspace, an_edition, people, statuses
from tests.delivery.sendgrid_fake import KEY, SendGridFake

KILLS = 200 if os.environ.get("NEWSLETTER_SOAK") else 8
PEOPLE_PER_KILL = {"smtp": 300, "sendgrid": 1_000}
CONNECTIONS, THREADS, PERSONALIZATIONS = 10, 4, 25
PATIENCE = 30.0  # seconds, for anything

SENDER = """
import sys
from pathlib import Path
from newsletter.config import open_workspace
from newsletter.delivery.sender import send
from newsletter.delivery.transports import transport_of
from newsletter.store.engine import open_store

workspace = open_workspace(Path(sys.argv[1]))
with open_store(workspace) as store:
    print(send(store, workspace, int(sys.argv[2]), transport_of(workspace)).ending, flush=True)
"""


class Sink(asyncio.Protocol):
    """One connection of an SMTP server with PIPELINING that keeps who was written to."""

    open = 0

    def __init__(self, taken: list[str]) -> None:
        self.taken = taken
        self.buffer = b""
        self.recipient = ""
        self.is_data = False
        self.is_slow = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        Sink.open += 1
        transport.write(b"220 sink.test\r\n")

    def connection_lost(self, error: Exception | None) -> None:
        Sink.open -= 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while not self.is_slow:
            found, mark, rest = self.buffer.partition(b"\r\n.\r\n" if self.is_data else b"\r\n")
            if not mark:
                return
            self.buffer = rest
            self.answer(found)

    def answer(self, text: bytes) -> None:
        if self.is_data:
            self.is_data = False
            self.taken.append(self.recipient)
            # Slowly: so that a kill finds answers on their way.
            self.is_slow = True
            asyncio.get_running_loop().call_later(random.uniform(0.002, 0.02), self.took_it)
        elif text.startswith(b"EHLO"):
            self.say(b"250-sink.test\r\n250-SIZE 10000000\r\n250 PIPELINING\r\n")
        elif text.startswith(b"RCPT"):
            self.recipient = re.findall(rb"<(.*)>", text)[0].decode()
            self.say(b"250 ok\r\n")
        elif text.startswith(b"DATA"):
            self.is_data = True
            self.say(b"354 go on\r\n")
        else:
            self.say(b"250 ok\r\n")

    def took_it(self) -> None:
        self.say(b"250 taken\r\n")
        self.is_slow = False
        self.data_received(b"")

    def say(self, reply: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(reply)


@contextmanager
def smtp_sink(taken: list[str]) -> Iterator[int]:
    """Run the sink in a thread; give its port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: Sink(taken), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


class World:
    """A workspace whose transport leads to a server here that counts."""

    def __init__(self, kind: str, root: Path, store: Store, environment: dict[str, str]) -> None:
        self.kind, self.root, self.store = kind, root, store
        self.environment = {**os.environ, **environment}
        self.workspace: Workspace = open_workspace(root)
        self.window = CONNECTIONS if kind == "smtp" else THREADS * PERSONALIZATIONS
        people(store, KILLS * PEOPLE_PER_KILL[kind])
        made, _ = campaigns.freeze(
            store, self.workspace, an_edition(), tag=None, transport=kind, **WRITES
        )
        self.campaign = made.id

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", SENDER, str(self.root), str(self.campaign)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def pending(self) -> int:
        with self.store.read() as conn:
            return counts(conn, self.campaign).pending


@pytest.fixture(params=["sqlite", "postgresql"])
def kill_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with fresh_url(request.param, tmp_path_factory.mktemp("database"), request) as url:
        yield url


def configured(root: Path, kind: str, section: str) -> None:
    """Our newsletter.toml with another transport, and its *section*."""
    a_workspace(root)
    file = root / "newsletter.toml"
    text, changed = re.subn(r'^kind = "outbox"', f'kind = "{kind}"', file.read_text(), flags=re.M)
    assert changed == 1
    file.write_text(text + section)


def until(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s until {what}"
        time.sleep(0.002)


def audit(world: World, taken: list[str], uncertain_before: set[int]) -> set[int]:
    """Compare ledger and server; return who is uncertain by now."""
    settle_crash(world.store, world.workspace, world.campaign)
    got = Counter(int(re.findall(r"reader(\d+)@", email)[0]) for email in taken)
    assert [number for number, times in got.items() if times > 1] == []
    status = statuses(world.store, world.campaign)
    accepted = {number for number, now in status.items() if now is Status.ACCEPTED}
    uncertain = {number for number, now in status.items() if now is Status.UNCERTAIN}
    assert accepted - got.keys() == set(), "recorded, not received"
    assert got.keys() - accepted - uncertain == set(), "received, not recorded"
    assert uncertain_before <= uncertain
    assert len(uncertain - uncertain_before) <= world.window
    with world.store.read() as conn:
        now = counts(conn, world.campaign)
    assert now.intended == len(status)
    assert now.intended == (
        now.accepted + now.failed + now.suppressed + now.uncertain + now.pending
    )
    return uncertain


def kill(sender: subprocess.Popen[bytes], turn: int) -> None:
    """Kill -9 in turns: the sender, the process that hands over for it, both at once."""
    children = Path(f"/proc/{sender.pid}/task/{sender.pid}/children")
    with suppress(OSError):
        for other in children.read_text().split() if turn % 3 else []:
            os.kill(int(other), signal.SIGKILL)
    if turn % 3 != 1:
        sender.kill()
    sender.communicate(timeout=PATIENCE)


def kill_until_done(world: World, taken: list[str], is_quiet) -> None:
    uncertain: set[int] = set()
    kills = 0
    while kills < KILLS and world.pending():
        sender = world.start()
        before = len(taken)
        try:
            until(
                lambda sender=sender, before=before: (
                    len(taken) > before or sender.poll() is not None
                ),
                "something was taken",
            )
            time.sleep(random.uniform(0, 0.12))
        finally:
            kill(sender, kills)
        kills += 1
        until(is_quiet, "the server has read what was on its way")
        uncertain = audit(world, taken, uncertain)
    last = world.start()
    ending, _ = last.communicate(timeout=PATIENCE * 4)
    assert ending.decode().strip() == "completed"
    until(is_quiet, "the server has read what was on its way")
    audit(world, taken, uncertain)
    assert world.pending() == 0
    assert kills == KILLS, "the list was too short for so many kills"


def test_smtp_sender_killed_again_and_again_sends_nobody_two(tmp_path, kill_url):
    taken: list[str] = []
    with open_url(kill_url) as store, smtp_sink(taken) as port:
        configured(
            tmp_path,
            "smtp",
            f"""
[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
connections = {CONNECTIONS}
""",
        )
        world = World("smtp", tmp_path, store, {"NEWSLETTER_DATABASE_URL": kill_url})
        kill_until_done(world, taken, lambda: Sink.open == 0)


def test_sendgrid_sender_killed_again_and_again_sends_nobody_two(tmp_path, kill_url):
    with open_url(kill_url) as store, SendGridFake(delay=0.01) as fake:
        configured(
            tmp_path,
            "sendgrid",
            f"""
[sendgrid]
url = "{fake.url}"
threads = {THREADS}
personalizations = {PERSONALIZATIONS}
""",
        )
        secrets = {"NEWSLETTER_DATABASE_URL": kill_url, "NEWSLETTER_SENDGRID_KEY": KEY}
        world = World("sendgrid", tmp_path, store, secrets)
        kill_until_done(world, Taken(fake), lambda: fake.is_quiet)


class Taken(list[str]):
    """The addresses of what the fake has accepted by now."""

    def __init__(self, fake: SendGridFake) -> None:
        super().__init__()
        self.fake = fake

    def __len__(self) -> int:
        return len(self.fake.accepted)

    def __iter__(self) -> Iterator[str]:
        return iter([accepted.email for accepted in self.fake.accepted])
