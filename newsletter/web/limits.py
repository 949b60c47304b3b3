"""How often one address of the network may ask: a window that slides, kept in memory.

Forgets with the process, which is why the limit for each e-mail address lies in the
database (`newsletter.notices`). Bounded in memory, whatever comes.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

_MAX_KEYS = 50_000


class Limiter:
    """At most *number* of each key in *seconds*. Safe in threads.

    Counts in two halves (the window before is weighed by how much of it still lies in
    the last *seconds*), so that a key costs two numbers.
    """

    def __init__(self, number: int, seconds: float) -> None:
        self._number = number
        self._seconds = seconds
        self._counts: OrderedDict[str, tuple[int, int, int]] = OrderedDict()  # window, now, before
        self._lock = threading.Lock()

    def admits(self, key: str, now: float) -> bool:
        """Count one more of *key* at *now* (seconds); False where that is too many."""
        window = int(now // self._seconds)
        share = 1 - (now / self._seconds - window)
        with self._lock:
            last, count, before = self._counts.pop(key, (window, 0, 0))
            if last != window:
                count, before = 0, count if last == window - 1 else 0
            is_admitted = count + before * share < self._number
            self._counts[key] = (window, count + is_admitted, before)
            if len(self._counts) > _MAX_KEYS:
                self._counts.popitem(last=False)
        return is_admitted


def client_of(request: Request) -> str | None:
    """The address that asks; None where it is none, as a proxy may say that passes on anything."""
    address = None if request.client is None else _address(request.client.host)
    return None if address is None else str(address)


def network_of(client: str | None) -> str:
    """The address that limits count: of IPv6 the /64, which is what one customer has.

    Anything that is no address is one key: who hides is not worth more than one who does not.
    """
    address = _address(client)
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    # A zone ("fe80::1%eth0") may be any text, and says nothing beyond the machine.
    return None if getattr(address, "scope_id", None) else address
