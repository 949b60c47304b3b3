"""One open SMTP connection that carries a campaign's messages, one round trip each.

A write carries a message, its final dot and the envelope of the next one (RFC 2920), where
the server advertises PIPELINING; else command follows reply. At most one message is
between its final dot and the answer, so a broken connection costs at most one certainty.

This is the hot path: no task, no future and no timer per message, and one look at the replies
of a round trip where all went well. What several connections have to say is written one after
the other, so that the other side is woken once, not for each. Refuses to guess: a reply that
answers nothing, or that cannot be the answer, ends the connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from newsletter.delivery.model import Delivery
from newsletter.delivery.transports.smtp_envelope import Prepared, prepared
from newsletter.delivery.transports.smtp_opening import QUIT_TIMEOUT, Opened
from newsletter.delivery.transports.smtp_replies import (
    ROUND_TRIP,
    ReplyError,
    ReplyReader,
    queue_id,
)
from newsletter.errors import RecipientRejected

if TYPE_CHECKING:
    from newsletter.delivery.transports.smtp_pool import Pool

# What the next reply answers; none is due while READY and while a MESSAGE is to be written.
_READY, _RSET, _MAIL, _RCPT, _DATA, _BODY, _EMPTY, _QUIT, _MESSAGE = range(9)
_COMMANDS = ("", "RSET", "MAIL", "RCPT", "DATA", "BODY", "", "QUIT", "")
_POSITIVE = ord("2")


class Courier(asyncio.Protocol):
    """Carry what the pool's feed gives over the connection *opened*, until `last` is set.

    Nothing is written before all is answered that was written, so what waits for a slow
    server is never more than one message.
    """

    def __init__(self, pool: Pool, opened: Opened) -> None:
        self.carried = 0  # messages that the server answered
        self.last = False  # take no more
        self._pool = pool
        self._feed = pool.feed
        self._time = pool.time
        self._transport = opened.transport
        self._capabilities = opened.capabilities
        self._pipelining = opened.capabilities.pipelining
        self._left = pool.messages_per_connection
        self._reader = ReplyReader()
        self._unread = 0  # replies that arrived together with the one being looked at
        self._stage = _READY
        self._since = self._time()  # the last write, or without work
        self._under_way: Delivery | None = None  # handed over, or about to be; not answered
        self._message = b""  # of a delivery that is about to be handed over, and what follows it
        self._next: Prepared | None = None  # its envelope is being talked about
        self._spare: Prepared | None = None  # made while an answer was awaited
        self._recipient_taken = False  # of the envelope, whatever else was refused
        self._needs_reset = False
        self._is_stopped = False
        self._is_gone = False
        opened.transport.set_protocol(self)

    @property
    def is_ready(self) -> bool:
        return self._stage == _READY and not self._is_gone

    def start(self, delivery: Delivery) -> None:
        """Carry *delivery*, then what the feed gives. For a connection without work."""
        try:
            self._send_envelope(self._announced(self._made(delivery)))
        except ReplyError as error:
            self.lose(str(error))

    def finish(self) -> None:
        """Take no more; take leave after what was taken."""
        self.last = True
        if self.is_ready:
            self._quit()

    def stop(self) -> None:
        """Hand over no more; stay only for the answer to what is under way."""
        if self.is_ready or self._stage == _QUIT:
            self.finish()
        elif self._under_way is None or self._stage == _MESSAGE:
            self.lose("sending was stopped")
        else:
            self.last = self._is_stopped = True
            upcoming, self._next = self._next, None
            if upcoming is not None:
                self._feed.returned(upcoming.delivery)
            self._return_spare()

    def check(self, now: float) -> None:
        """End what takes too long; *now* in the event loop's time."""
        waited = now - self._since
        server = self._pool.server
        if self._stage == _READY:
            if waited > server.idle:
                self.finish()
        elif self._stage == _QUIT:
            if waited > QUIT_TIMEOUT:
                self.lose("no answer to QUIT")
        elif waited > server.timeout:
            self.lose(f"no answer in {server.timeout:g} seconds")

    def lose(self, reason: str) -> None:
        """Drop the connection and report what it carries, without waiting for anything."""
        if self._is_gone:
            return
        self._is_gone = True
        self._transport.abort()
        under_way, self._under_way = self._under_way, None
        upcoming, self._next = self._next, None
        expected = self._stage in (_READY, _QUIT)
        try:
            if under_way is not None and self._stage == _MESSAGE:
                self._feed.returned(under_way)
            elif under_way is not None:
                self._feed.uncertain(under_way, reason)
            if upcoming is not None:
                self._feed.returned(upcoming.delivery)
            self._return_spare()
        except Exception as error:
            self._pool.stop(error)
        self._pool.gone(self, None if expected else reason)

    # ── what the event loop calls ───────────────────────────────────────────────────

    def data_received(self, data: bytes) -> None:
        if self._is_gone:
            return
        try:
            well = None
            if self._stage == _BODY and self._next is not None and not self._unread:
                well = ROUND_TRIP.fullmatch(data)
            if well is None:
                self._read(data)
            else:
                self._accepted(well[1])
                self._make_message()
        except Exception as error:
            self._fail(error)

    def hand_over(self) -> None:
        """Write the message that was made; called by the pool, soon after."""
        if self._is_gone:
            return
        try:
            self._check_may_write()
            assert self._under_way is not None
            self._feed.handing_over(self._under_way)
            self._stage = _BODY
            self._since = self._time()
            message, self._message = self._message, b""
            self._transport.write(message)
        except Exception as error:
            self._fail(error)

    def make_spare(self) -> None:
        """Make a message for later; called by the pool while the server is at work."""
        if self._is_gone or self.last or self._spare is not None or not self._pipelining:
            return
        try:
            self._spare = self._made(self._feed.take())
        except Exception as error:
            self._fail(error)

    def connection_lost(self, error: Exception | None) -> None:
        self.lose(f"the connection was lost: {error}" if error else "the connection was closed")

    def _fail(self, error: Exception) -> None:
        if isinstance(error, ReplyError):
            self.lose(str(error))
        else:
            # Of the feed or the mailing. It would end in the loop's log; `run` raises it.
            self._pool.stop(error)
            self.lose("sending was stopped")

    # ── the conversation ────────────────────────────────────────────────────────────

    def _read(self, data: bytes) -> None:
        replies = self._reader.read(data)
        unread = len(replies) + self._reader.is_within_reply
        for reply in replies:
            unread -= 1
            self._unread = unread
            self._answer(reply)
            if self._is_gone:
                return
        self._unread = unread

    def _answer(self, reply: bytes) -> None:
        stage = self._stage
        if stage == _BODY:
            self._body_answered(reply)
        elif stage == _QUIT:
            self._transport.close()
        elif reply.startswith(b"421"):
            self._closed(reply)
        elif stage == _MAIL:
            self._mail_answered(reply)
        elif stage == _RCPT:
            self._rcpt_answered(reply)
        elif stage == _DATA:
            self._data_answered(reply)
        elif stage == _RSET and reply[0] == _POSITIVE:
            self._stage = _MAIL
            if not self._pipelining:
                assert self._next is not None
                self._write(self._next.mail, _MAIL)
        elif stage == _EMPTY:
            self._go_on()
        else:
            raise ReplyError(f"unexpected: {self._pool.server.shown(reply)}")

    def _mail_answered(self, reply: bytes) -> None:
        taken = self._is_taken(reply)
        if self._pipelining:
            self._stage = _RCPT
        elif taken:
            assert self._next is not None
            self._write(self._next.rcpt, _RCPT)
        else:
            self._go_on()

    def _rcpt_answered(self, reply: bytes) -> None:
        taken = self._recipient_taken = self._is_taken(reply)
        if self._pipelining:
            self._stage = _DATA
        elif taken:
            self._write(b"DATA\r\n", _DATA)
        else:
            self._go_on()

    def _data_answered(self, reply: bytes) -> None:
        if not reply.startswith(b"354"):
            self._is_taken(reply)
            self._go_on()
        elif self._next is not None:
            self._check_may_write()
            self._make_message()
        elif self._recipient_taken:
            # Even an empty message would reach somebody. Without the final dot nothing does.
            self.lose("the server takes a message after it refused the sender")
        else:
            self._write(b".\r\n", _EMPTY)  # RFC 2920 §3.1

    def _is_taken(self, reply: bytes) -> bool:
        """Whether a command of the envelope succeeded; else report its delivery, once."""
        command = _COMMANDS[self._stage]
        if reply[0] == _POSITIVE and command != "DATA":
            return True
        if reply[0] not in b"45":
            raise ReplyError(f"unexpected: {self._pool.server.shown(reply)}")
        self._needs_reset = True
        upcoming, self._next = self._next, None
        if upcoming is not None:
            self._pool.refused(self, upcoming.delivery, command, reply)
        return False

    def _body_answered(self, reply: bytes) -> None:
        delivery = self._under_way
        assert delivery is not None
        if reply.startswith(b"250"):
            self._accepted(reply)
        elif reply[0] in b"45":
            self._under_way = None
            self.carried += 1
            self._pool.refused(self, delivery, "BODY", reply)
            if reply.startswith(b"421"):
                self._closed(reply)
                return
        else:
            raise ReplyError(f"unexpected: {self._pool.server.shown(reply)}")
        if self._is_stopped:
            self.lose("sending was stopped")
        elif self._next is not None:
            self._stage = _MAIL
        else:
            self._go_on()

    def _accepted(self, reply: bytes) -> None:
        delivery, self._under_way = self._under_way, None
        assert delivery is not None
        self.carried += 1
        self._pool.accepted += 1
        self._feed.accepted(delivery, queue_id(reply))

    def _closed(self, reply: bytes) -> None:
        """421: the server closes the connection. The refusal of a recipient counts all the same."""
        if self._stage in (_RCPT, _DATA):
            self._is_taken(reply)
        if self._stage != _READY:
            self._pool.closed_by_server(self, reply)
        self.lose(self._pool.server.shown(reply))

    def _go_on(self) -> None:
        self._send_envelope(self._announced(self._taken()))

    def _send_envelope(self, envelope: bytes) -> None:
        if envelope and self._needs_reset:
            self._needs_reset = False
            self._write(b"RSET\r\n" + envelope if self._pipelining else b"RSET\r\n", _RSET)
        elif envelope:
            self._write(envelope, _MAIL)
        elif self.last:
            self._quit()
        else:
            self._stage = _READY
            self._since = self._time()
            self._pool.ready(self)

    def _make_message(self) -> None:
        """Make ready the message, its final dot and the next envelope, and tell the pool."""
        message, self._next = self._next, None
        assert message is not None
        self._under_way = message.delivery
        self._stage = _MESSAGE
        envelope = self._announced(self._taken()) if self._pipelining else b""
        self._message = b"".join((*message.pieces, b".\r\n", envelope))
        self._pool.hand_over_soon(self)

    def _taken(self) -> Prepared | None:
        """The next message; None: the feed has none, or this connection takes no more."""
        if self.last:
            self._return_spare()
            return None
        spare, self._spare = self._spare, None
        return self._made(self._feed.take()) if spare is None else spare

    def _made(self, delivery: Delivery | None) -> Prepared | None:
        """The message of *delivery*, or of the next one that has one."""
        pool = self._pool
        while delivery is not None:
            try:
                return prepared(
                    pool.mailing,
                    delivery,
                    pool.server.envelope_from,
                    self._capabilities,
                    verp=pool.server.verp,
                )
            except RecipientRejected as error:
                self._feed.refused_for_good(delivery, error.message)
            except BaseException:
                self._feed.returned(delivery)
                raise
            delivery = None if self.last else self._feed.take()
        return None

    def _announced(self, upcoming: Prepared | None) -> bytes:
        """The envelope of *upcoming*, which is to be said now; nothing for None."""
        if upcoming is None:
            return b""
        self._next = upcoming
        self._left -= 1
        if self._left == 0:
            self.last = True
        return upcoming.mail + (upcoming.rcpt + b"DATA\r\n" if self._pipelining else b"")

    def _return_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            self._feed.returned(spare.delivery)

    def _quit(self) -> None:
        self._stage = _QUIT
        self._since = self._time()
        if self._transport.is_closing():
            return
        self._transport.write(b"QUIT\r\n")

    def _write(self, data: bytes, stage: int) -> None:
        self._check_may_write()
        self._stage = stage
        self._since = self._time()
        self._transport.write(data)

    def _check_may_write(self) -> None:
        if self._unread:
            raise ReplyError("the server answers what was not asked")
        if self._transport.is_closing():  # and we are about to hear of it
            raise ReplyError("the connection was closed")
