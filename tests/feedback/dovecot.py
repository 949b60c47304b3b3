"""A real IMAP server of the tests' own: Dovecot as a child, on a free port of this machine."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.feedback.letters import maildir

PASSWORD = 'correct "horse" \\ Pferd ä'
NOBODY = 65534  # mail never belongs to root
PATIENCE = 20.0

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
instance_name = {folder.name}
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
ssl_cert = <{certificate}
ssl_key = <{certificate}
disable_plaintext_auth = no
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:{folder}/mail
{capabilities}
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = passwd-file
  args = scheme=plain {folder}/passwords
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""
_WITHOUT_MOVE = "imap_capability = IMAP4rev1 LITERAL+ {uidplus}"


@dataclass(frozen=True, kw_only=True)
class Dovecot:
    """Where it is; *mail* is the Maildir of its one user, “bounces”."""

    port: int
    tls_port: int
    folder: Path
    uid: int

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    def deliver(self, *messages: bytes) -> None:
        maildir(self.mail, *messages)
        if os.geteuid() == 0:
            for path in (self.folder / "mail").rglob("*"):
                os.chown(path, self.uid, self.uid)
            os.chown(self.mail, self.uid, self.uid)

    def empty(self) -> None:
        """Forget all that was delivered, and all folders."""
        shutil.rmtree(self.mail)
        self.deliver()

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def dovecot(certificate: Path, *, without: str = "") -> Iterator[Dovecot]:
    """Run one with *certificate* (PEM, with its key); *without* “MOVE” or “MOVE and UIDPLUS”."""
    folder = Path(tempfile.mkdtemp(prefix="newsletter-imap-"))  # a socket's path must be short
    is_root = os.geteuid() == 0
    uid = NOBODY if is_root else os.geteuid()
    user = "nobody" if is_root else getpass.getuser()
    server = Dovecot(port=_free_port(), tls_port=_free_port(), folder=folder, uid=uid)
    capabilities = ""
    if without:
        uidplus = "" if "UIDPLUS" in without else "UIDPLUS"
        capabilities = _WITHOUT_MOVE.format(uidplus=uidplus)
    os.chmod(folder, 0o755)  # noqa: PTH101 - the server runs as another user where we are root
    shutil.copy(certificate, folder / "server.pem")
    (folder / "passwords").write_text(f"bounces:{{PLAIN}}{PASSWORD}::::::\n", encoding="utf-8")
    (folder / "home").mkdir()
    if is_root:
        os.chown(folder / "home", uid, uid)
    server.deliver()
    configuration = _CONFIGURATION.format(
        folder=folder,
        certificate=folder / "server.pem",
        ssl="yes",
        user=user,
        group="nogroup" if is_root else user,
        uid=uid,
        port=server.port,
        tls_port=server.tls_port,
        capabilities=capabilities,
    )
    (folder / "dovecot.conf").write_text(configuration, encoding="utf-8")
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [_program(), "-F", "-c", folder / "dovecot.conf"], stdout=output, stderr=output
        )
        try:
            _wait(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=PATIENCE)
            shutil.rmtree(folder, ignore_errors=True)


def _program() -> str:
    found = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert found is not None, "the tests need dovecot-imapd: tools/setup.sh dev installs it"
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(server: Dovecot, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as probe:
                if probe.recv(100).startswith(b"* OK"):
                    return
        except OSError:
            time.sleep(0.05)
    output = (server.folder / "output").read_text(errors="replace")
    log = server.log() if (server.folder / "log").exists() else ""
    raise AssertionError(f"Dovecot does not start:\n{output}{log}")
