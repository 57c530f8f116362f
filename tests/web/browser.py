"""A real browser before a real server: what the browser tests share."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests.web.fake_service import FakeService
from web.app import create_app
from web.service import Service

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NEEDS_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(
        "CI" not in os.environ and not CHROMIUM.exists(), reason=f"no {CHROMIUM}; apt-get install chromium"
    ),
]


class Site:
    """A service behind a real server."""

    def __init__(self, service: Service | None = None, **options: Any) -> None:
        """`options`: of create_app."""
        self.service: Any = service or FakeService()
        config = uvicorn.Config(
            create_app(self.service, **options),
            host="127.0.0.1",
            port=0,
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=10)


class Tab:
    """Opens pages and remembers whatever the console complained about, and every request that left the site."""

    def __init__(self, browser: Any, site: Site, **options: Any) -> None:
        if isinstance(site.service, FakeService):
            site.service.asked.clear()
        self.site = site
        self.context = browser.new_context(base_url=site.url, **options)
        self.context.set_default_timeout(30_000)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda r: None if r.url.startswith((site.url, "data:")) else self._left(r.url))

    def _left(self, url: str) -> None:
        self.complaints.append(f"asks {url}")

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()

    def ask(self, question: str) -> Any:
        """Types the question, presses Enter, waits for the answer's article."""
        turns = self.page.locator(".turn[data-asked]").count()
        self.page.fill("#q", question)
        self.page.press("#q", "Enter")
        turn = self.page.locator(".turn[data-asked]").nth(turns)
        turn.wait_for()
        return turn
