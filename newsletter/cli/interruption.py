"""Ctrl-C that waits for a good moment, so that what is reported is what was done."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_interruption() -> Iterator[Callable[[], None]]:
    """Hold the first Ctrl-C back until the yielded function is called; the second acts at once.

    That function raises KeyboardInterrupt if Ctrl-C was pressed since.
    """
    is_pressed = False

    def hold(number: int, frame: FrameType | None) -> None:
        nonlocal is_pressed
        is_pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def let_through() -> None:
        if is_pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield let_through
    finally:
        signal.signal(signal.SIGINT, before)
