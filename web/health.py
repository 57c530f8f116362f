"""For whoever runs it: is it alive, is it ready, what does it measure, and look for a newer index now."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from web.metrics import CONTENT_TYPE, Metrics
from web.versions import Versions

CHECKED_FOR_S = 5.0  # a check of readiness is good for so long: it encodes, and may be asked for every second


def health_routes(versions: Versions, metrics: Metrics, reload: Callable[[], dict[str, Any]] | None) -> APIRouter:
    """`/healthz`, `/readyz`, `/metrics` and `POST /admin/reload`. `reload`: None where nothing can be reloaded."""
    routes = APIRouter(include_in_schema=False)
    lock = asyncio.Lock()
    good: dict[str, float] = {}  # version → until when

    @routes.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @routes.api_route("/readyz", methods=["GET", "HEAD"])
    async def readyz() -> dict[str, str]:
        service = versions.current
        version = service.version
        async with lock:
            if good.get(version, 0.0) < time.monotonic():
                await run_in_threadpool(service.check)
                good.clear()
                good[version] = time.monotonic() + CHECKED_FOR_S
        return {"status": "ready", "index_version": version}

    @routes.get("/metrics")
    def exposed() -> Response:
        service = versions.current
        metrics.index(versions.name, service.built_at, {"answers": service.remembered()})
        return Response(metrics.exposed(), media_type=CONTENT_TYPE)

    @routes.post("/admin/reload")
    def reload_now() -> dict[str, Any]:
        if reload is None:
            return {"status": "unchanged", "index_version": versions.current.version}
        return reload()

    return routes
