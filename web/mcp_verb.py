"""`yuntu mcp`: the tools of web.mcp_server over stdin and stdout, for a client that starts us as its own process."""

import logging.config
import threading
from collections.abc import Callable

from index.cores import cores
from index.settings import Settings
from index.stores.store import store_of
from rag.assistant import Assistant
from web.admission import Admission
from web.app import SPARE
from web.asking import Asking
from web.logs import config_of
from web.mcp_server import build
from web.metrics import Metrics
from web.reload import Reload
from web.versions import Versions


def serve_stdio(settings: Settings, assistant_of: Callable[[Settings], Assistant]) -> None:
    """Serves until stdin ends, and follows the index meanwhile. Raises: what opening the index raises."""
    logging.config.dictConfig(dict(config_of(settings.log)))  # on stderr: stdout is the protocol's
    assistant = assistant_of(settings)
    over = assistant.over  # what follows must not hold the assistant itself: another one takes its place
    versions, metrics = Versions(assistant), Metrics()
    del assistant
    reload = Reload(store_of(settings), over, versions, metrics)
    for beside in (reload.settle, reload.watch, reload.probe):
        threading.Thread(target=beside, daemon=True).start()
    server = build(versions, Admission(cores() + SPARE, settings.queue), Asking(metrics, settings.deadline_s))
    try:
        server.run("stdio")
    finally:
        reload.stop()
