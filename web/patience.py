"""How long a connection may take: to send a request's head, and to read what it is sent. Slow ones hold nobody up."""

import asyncio
import socket
from collections import Counter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from web.addresses import one_client

HEAD_S = 10.0  # from opening, or from the last answer, to the end of the next request's headers
READ_S = 30.0  # for reading at least READ_BYTES more of what we could not send yet
READ_BYTES = 16 * 1024
SEND_BYTES = 128 * 1024  # what the system may hold for one reader: beyond it we see whether somebody reads
A_CLIENT = 500  # connections of one address: half of all there are (CONNECTIONS in web/serving.py)

_open: Counter[str] = Counter()


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with time limits. What is slow after the head is the body: see web.guard.BodyLimit."""

    head_s = HEAD_S
    read_s = READ_S
    a_client = A_CLIENT

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # noqa: D102
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._limit: float | None = None
        self._unsent = 0
        if (sock := transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        self._who = one_client(self.client[0] if self.client else None)
        _open[self._who] += 1
        if _open[self._who] > self.a_client:
            transport.abort()
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        _open[self._who] -= 1
        if not _open[self._who]:
            del _open[self._who]
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:  # noqa: D102
        super().data_received(data)
        self._watch()  # what has come so far buys no more time

    def on_response_complete(self) -> None:  # noqa: D102
        super().on_response_complete()
        self._watch(anew=True)

    def pause_writing(self) -> None:  # noqa: D102
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:  # noqa: D102
        super().resume_writing()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Malformed bytes are answered, or, where the answer to their request is on its way already, cut off."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def _watch(self, *, anew: bool = False) -> None:
        """Starts the clock that fits what is waited for; one that runs already goes on, unless `anew`."""
        at_work = self.cycle is not None and not self.cycle.response_complete
        unread = self.flow.write_paused or (not at_work and self.transport.get_write_buffer_size())
        limit = self.read_s if unread else None if at_work or self.transport.is_closing() else self.head_s
        if limit == self._limit and not anew:
            return
        self._limit = limit
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if limit is not None:
            self._wait(limit)

    def _wait(self, seconds: float) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        self._timer = self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        """Goes on waiting for who reads, however long the answer is; drops everybody else."""
        unsent = self.transport.get_write_buffer_size()
        if unsent and self._unsent - unsent >= READ_BYTES:
            self._wait(self.read_s)
        else:
            self.transport.abort()


def patient(**limits: Any) -> type[PatientProtocol]:
    """The same with other limits."""
    return type("PatientProtocol", (PatientProtocol,), limits)
