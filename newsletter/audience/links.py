"""The addresses in a message that belong to one reader: unsubscribe and preferences.

Each is signed with the workspace's secret, so that nobody can make one up for
somebody else. They never expire.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.config import Workspace
from newsletter.errors import ConfigError, StorageError

VARIABLE = "NEWSLETTER_SECRET"
MIN_LENGTH = 32  # characters


@dataclass(frozen=True, kw_only=True)
class Links:
    """Make the links of one newsletter. *secret* stays in this object."""

    site_url: str
    secret: bytes = field(repr=False)

    def token(self, purpose: str, email: str) -> str:
        """128 bits, 22 URL-safe characters: short enough that no header folds."""
        digest = hmac.digest(self.secret, f"{purpose}\0{email}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()

    def unsubscribe(self, email: str) -> str:
        return f"{self.site_url}/unsubscribe/{self.token('unsubscribe', email)}"

    def preferences(self, email: str) -> str:
        return f"{self.site_url}/preferences/{self.token('preferences', email)}"


def links_of(workspace: Workspace) -> Links:
    """The links of *workspace*; its secret is made on first use."""
    return Links(site_url=workspace.config.site_url, secret=_secret(workspace.root))


def _secret(root: Path) -> bytes:
    """From the environment, else from `.newsletter/secret` (readable by its owner alone)."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        if len(given) < MIN_LENGTH:
            raise ConfigError(
                f"{VARIABLE} has fewer than {MIN_LENGTH} characters",
                hint="make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
        return given.encode()
    path = root / ".newsletter" / "secret"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            _create(path, secrets.token_urlsafe(32))
        found = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"{path} cannot be used: {error}", hint=f"mend it, or set {VARIABLE} instead"
        ) from error
    if len(found) < MIN_LENGTH:
        raise ConfigError(f"{path} is too short to be a secret", hint="restore it from a backup")
    return found.encode()


def _create(path: Path, secret: str) -> None:
    """Write the whole file under another name, then link it: two first uses agree on one."""
    scratch = path.with_name(f"secret.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(scratch, path)
    except FileExistsError:
        pass  # the other one was first
    finally:
        scratch.unlink()
