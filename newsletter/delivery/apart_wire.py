"""What the sender and its transport in another process say to each other, and how.

Messages are MessagePack, each behind its length, over a pair of sockets. Deliveries are
named by their places in the journal, which both see.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any, cast

import msgspec

from newsletter.delivery.model import Delivery, Outcome

_LENGTH = struct.Struct(">I")


class Batch(msgspec.Struct, tag=True, array_like=True, gc=False):
    """To the transport: deliveries to hand over."""

    deliveries: list[Delivery]


class Over(msgspec.Struct, tag=True, array_like=True):
    """To the transport: there is no more; finish what is under way."""


class Stop(msgspec.Struct, tag=True, array_like=True):
    """To the transport: start nothing new, and finish within seconds."""


class Want(msgspec.Struct, tag=True, array_like=True):
    """To the sender: so many deliveries could be taken."""

    number: int


class Told(msgspec.Struct, tag=True, array_like=True, gc=False):
    """To the sender: what became of deliveries, by place; each stands in one of the lists."""

    accepted: list[tuple[int, str]]  # with the provider's id
    reports: list[tuple[int, Outcome, str, float | None]]  # reply, and when to try again
    returned: list[int]


class Ended(msgspec.Struct, tag=True, array_like=True):
    """To the sender: the transport has ended, and said all that it had to say."""

    problem: str = ""
    hint: str | None = None
    is_mistake: bool = False  # of ours; *problem* is the traceback


ToTransport = Batch | Over | Stop
ToSender = Want | Told | Ended


class Wire(asyncio.Protocol):
    """One end. *on_message* gets each message, *on_end* is called when the other side is gone."""

    def __init__(
        self, kind: Any, on_message: Callable[[Any], object], on_end: Callable[[], object]
    ) -> None:
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._on_message, self._on_end = on_message, on_end
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass

    def connection_lost(self, error: Exception | None) -> None:
        self._on_end()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at, size = 0, _LENGTH.size
        while len(buffer) - at >= size:
            (length,) = _LENGTH.unpack_from(buffer, at)
            if len(buffer) - at - size < length:
                break
            message = bytes(memoryview(buffer)[at + size : at + size + length])
            at += size + length
            self._on_message(self._decode(message))
        del buffer[:at]

    def send(self, message: ToTransport | ToSender) -> None:
        data = self._encode(message)
        self._transport.write(_LENGTH.pack(len(data)) + data)

    def close(self) -> None:
        self._transport.close()
