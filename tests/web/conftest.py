"""One browser for the tests of a module."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.web.browser import ARGUMENTS, CHROMIUM


@pytest.fixture(scope="module")  # while it is open no other event loop can run in this thread
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()
