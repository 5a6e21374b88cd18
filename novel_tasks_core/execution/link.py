"""A child's end of the line to its worker: one thread that listens, and messages sent by whoever has some.

Progress is coalesced here: the first of a burst leaves at once, then one every 50 ms, and always the last.
"""

from __future__ import annotations

import os
import queue
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError

from novel_tasks_core.execution.jobs import Job
from novel_tasks_core.execution.messages import (
    Acknowledge,
    Cancel,
    Checkpointed,
    FrameBuffer,
    FromChild,
    Hello,
    Message,
    Progressed,
    Run,
    encode,
)

_PROGRESS_SECONDS = 0.05
_READ_BYTES = 1 << 16
_STACK_BYTES = 256 << 10  # of the listening thread: the address space is limited


class WorkerLink:
    """The connection to the worker. `cancelled` is set once the worker asked the running job to stop."""

    def __init__(self, connection: socket.socket, *, on_lost: Callable[[], None] | None = None) -> None:
        self._socket = connection
        self._poller = select.poll()
        self._poller.register(connection, select.POLLIN)
        self._on_lost = on_lost or end_process_group
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._acknowledged = threading.Semaphore(0)
        self._sending = threading.Lock()
        self._held: Progressed | None = None
        self._progress_at = 0.0
        self._running = False
        self.cancelled = threading.Event()
        self._frames = FrameBuffer()
        self._early: list[Message] = []

    def receive_hello(self) -> Hello:
        """Wait for the first message. Raises: EOFError when the worker is gone."""
        while not self._early:
            data = self._socket.recv(_READ_BYTES)
            if not data:
                raise EOFError
            self._early.extend(self._frames.feed(data))
        hello = self._early.pop(0)
        if not isinstance(hello, Hello):
            raise TypeError(f"expected hello, not {hello.kind}")
        return hello

    def start(self) -> None:
        """Start listening in a thread of its own."""
        before = threading.stack_size(_STACK_BYTES)
        threading.Thread(target=self._listen, name="novel-tasks-link", daemon=True).start()
        threading.stack_size(before)

    def next_job(self) -> Job:
        """Wait for a job. Cancellations of earlier ones are forgotten."""
        return self._jobs.get()

    def send(self, message: FromChild) -> None:
        """Send a message, after any progress that is still held back."""
        with self._sending:
            self._release()
            self._socket.sendall(encode(message))

    def finish(self, message: FromChild) -> None:
        """Send the last message of a job."""
        self.send(message)
        self._running = False

    def progress(self, message: Progressed) -> None:
        """Send progress now, or within 50 ms if more comes by then; only the latest counts."""
        with self._sending:
            self._held = message
            if time.monotonic() - self._progress_at >= _PROGRESS_SECONDS:
                self._release()

    def _release(self) -> None:
        if self._held is not None:
            message, self._held = self._held, None
            self._progress_at = time.monotonic()
            self._socket.sendall(encode(message))

    def checkpoint(self, message: Checkpointed) -> None:
        """Send a checkpoint and wait until it is stored. Raises: CancelledError when cancelled meanwhile."""
        self.send(message)
        self._acknowledged.acquire()
        self.check()

    def check(self) -> None:
        """Raise CancelledError if the running job was asked to stop."""
        if self.cancelled.is_set():
            raise CancelledError

    def _listen(self) -> None:
        """Read messages until the worker is gone; then nothing here has a purpose any more."""
        try:
            for message in self._early:
                self._take(message)
            while data := self._receive():
                for message in self._frames.feed(data):
                    self._take(message)
        finally:
            self._on_lost()

    def _receive(self) -> bytes:
        """Wait for bytes; while a job runs, see to progress that was held back."""
        while not self._poller.poll(_PROGRESS_SECONDS * 1000 if self._running else None):
            if self._sending.acquire(blocking=False):  # whoever holds it sends what was held back along
                try:
                    self._release()
                finally:
                    self._sending.release()
        try:
            return self._socket.recv(_READ_BYTES)
        except ConnectionError:
            return b""

    def _take(self, message: Message) -> None:
        match message:
            case Run(job):
                self.cancelled.clear()
                self._acknowledged = threading.Semaphore(0)
                self._running = True
                self._jobs.put(job)
            case Cancel():
                self.cancelled.set()
                self._acknowledged.release()
            case Acknowledge():
                self._acknowledged.release()
            case _:
                raise TypeError(f"a worker does not send {message.kind}")


def end_process_group() -> None:
    """End this process and those that the processor started: nobody would hear what they make."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
