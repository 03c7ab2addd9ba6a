"""Figures about the controller, and its health, over HTTP. Labels are bounded: kinds, verbs and reasons, never names."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """All figures of one controller."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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
        self.waiting = Gauge("arkwright_queue_length", "Keys ready to be planned", registry=self.registry)
        self.leading = Gauge("arkwright_is_leader", "1 while this controller acts", registry=self.registry)


def health_routes(metrics: Metrics, is_alive: Callable[[], bool], is_ready: Callable[[], bool]) -> list[Route]:
    """`/healthz`: the loop works; `/readyz`: the cache is filled; `/metrics`: Prometheus text."""

    def said(truth: bool) -> Response:
        return PlainTextResponse("ok\n" if truth else "not yet\n", 200 if truth else 503)

    async def healthz(_: Request) -> Response:
        return said(is_alive())

    async def readyz(_: Request) -> Response:
        return said(is_ready())

    async def figures(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", figures)]
