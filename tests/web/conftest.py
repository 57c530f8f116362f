"""For the tests of the doors: one browser a module, and logging as it was."""

import logging
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


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Who starts a server sets up logging for the whole process; the next test's stderr is another one."""
    loggers = [logging.getLogger(name) for name in (None, "yuntu", "uvicorn", "uvicorn.access")]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate
