"""Many clients at once before a real server, with as little work of their own as can be: they share its cores."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Check = Callable[[dict[str, Any]], str | None]  # an answer → what is wrong with it


@dataclass
class Seen:
    """What the clients saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # of the requests that were admitted: 200
    wrong: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Of the seconds of those admitted."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: Any
) -> tuple[int, dict[str, str], bytes]:
    """One request over a connection that stays open: status, headers, body."""
    raw = json.dumps(body).encode()
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n".encode()
        + raw
    )
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def clients(port: int, count: int, seconds: float, questions: Sequence[str], check: Check | None = None) -> Seen:
    """`count` clients that ask one question after another; who gets 503 comes back when it was told to."""
    seen, until = Seen(), time.monotonic() + seconds

    async def client(n: int) -> None:
        choice = random.Random(n)
        await asyncio.sleep(choice.random())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                status, headers, body = await post(reader, writer, "/api/ask", {"question": choice.choice(questions)})
            except (OSError, asyncio.IncompleteReadError):  # an idle connection may be closed
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                continue
            seen.statuses[status] += 1
            if status == 200:
                seen.seconds.append(time.monotonic() - began)
                if check is not None and (wrong := check(json.loads(body))):
                    seen.wrong.append(wrong)
            else:
                await asyncio.sleep(float(headers.get("retry-after", "0")) * (0.5 + choice.random()))
        writer.close()

    await asyncio.gather(*(client(n) for n in range(count)))
    return seen
