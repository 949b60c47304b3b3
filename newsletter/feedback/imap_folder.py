"""Names of IMAP folders on the wire: modified UTF-7 in quotes (RFC 3501 §5.1.3, §9)."""

from __future__ import annotations

import re
from binascii import b2a_base64

_SHIFTED = re.compile(r"[^ -~]+|&")


def quoted(text: str) -> str:
    """*text* as a quoted string; it is printable ASCII."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def folder_argument(name: str) -> str:
    """*name* as an argument of SELECT, MOVE, COPY and CREATE."""
    return quoted(_SHIFTED.sub(_shifted, name))


def _shifted(found: re.Match[str]) -> str:
    if found[0] == "&":
        return "&-"
    data = b2a_base64(found[0].encode("utf-16-be"), newline=False)
    return "&" + data.decode("ascii").rstrip("=").replace("/", ",") + "-"
