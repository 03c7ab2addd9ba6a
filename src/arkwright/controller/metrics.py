"""Figures about the controller, and its health, over HTTP. Labels are bounded: kinds, verbs and reasons, never names."""

import asyncio
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from arkwright.model.text import plain

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """All figures of one controller."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.plans = Counter("arkwright_plans", "Keys planned", ["kind", "result"], registry=self.registry)
        self.writes = Counter("arkwright_api_writes", "Writes to the API", ["kind", "verb"], registry=self.registry)
        self.calls = Counter(
            "arkwright_agent_calls", "Calls to agents that ended", ["command", "verdict"], registry=self.registry
        )
        self.call_seconds = Histogram(
            "arkwright_agent_call_seconds", "How long they took", ["command"], buckets=SECONDS, registry=self.registry
        )
        self.failures = Counter(
            "arkwright_module_failures", "Failed tries for Modules", ["reason"], registry=self.registry
        )
        self.unread = Counter("arkwright_unread_objects", "Objects not understood", ["kind"], registry=self.registry)
        self.loop_failures = Counter(
            "arkwright_loop_failures", "Loops of this process that were begun anew", ["loop"], registry=self.registry
        )
        self.waiting = Gauge("arkwright_queue_length", "Keys ready to be planned", registry=self.registry)
        self.tasks = Gauge("arkwright_tasks", "Tasks of this process: loops, workers, calls", registry=self.registry)
        self.leading = Gauge("arkwright_is_leader", "1 while this controller acts", registry=self.registry)
        self.owned = Gauge(
            "arkwright_owned_namespaces",
            "1 for each namespace that this controller acts on, where several share them out",
            ["namespace"],
            registry=self.registry,
        )


def health_routes(metrics: Metrics, is_ready: Callable[[], bool], troubles: Callable[[], list[str]]) -> list[Route]:
    """`/healthz`: it answers; `/readyz`: the cache is filled, and what is needed runs; lines about what does not; `/metrics`: Prometheus text."""

    def said(truth: bool, lines: Iterable[str] = ()) -> Response:
        words = "".join(f"{one}\n" for one in ("ok" if truth else "not yet", *map(plain, lines)))
        return PlainTextResponse(words, 200 if truth else 503)

    async def healthz(_: Request) -> Response:
        return said(True)

    async def readyz(_: Request) -> Response:
        return said(is_ready(), troubles())

    async def figures(_: Request) -> Response:
        metrics.tasks.set(len(asyncio.all_tasks()))
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", figures)]
