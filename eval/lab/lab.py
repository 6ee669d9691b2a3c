"""The lab: one world over the real protocols on loopback, for as long as a context lasts."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import anyio
from starlette.types import ASGIApp

from eval.lab import pagerduty, prometheus
from eval.lab.front import MISBEHAVIOURS, ErrorBody, Front, Misbehaviour
from eval.lab.kubernetes import api as kubernetes
from eval.lab.kubernetes.kubeconfig import write_kubeconfig
from eval.lab.listener import Listener, listening
from eval.lab.world import BACKENDS, Backend, Denial, World, load_world
from eval.lab.worlds import default_cache

__all__ = ["BACKENDS", "Backend", "Lab", "serve"]


class Lab:
    """A world that is being served.

    `environment` holds the variables under which the servers find it; `requests` counts what
    reached each backend.
    """

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.requests: Counter[str] = Counter()
        self.environment: dict[str, str] = {}
        self.folder = folder
        self._began = time.monotonic()
        self._fronts: dict[str, Front] = {}
        self._listeners: dict[str, Listener] = {}
        self._kubernetes: kubernetes.KubernetesApi | None = None

    def clock(self) -> datetime:
        """The world's now: its `as_of` and the time since it came up."""
        return self.world.as_of + timedelta(seconds=time.monotonic() - self._began)

    def start_clock(self) -> None:
        """The world's now is `as_of` at this moment: all of it is up."""
        self._began = time.monotonic()

    @property
    def urls(self) -> Mapping[str, str]:
        """Where each backend listens."""
        return {name: listener.url for name, listener in self._listeners.items()}

    async def misbehave(
        self,
        backend: Backend,
        how: Misbehaviour,
        *,
        slow_seconds: float = 30.0,
        html_status: int = 200,
    ) -> None:
        """Make a backend answer wrongly until told "ok".

        "down" refuses connections, "slow" waits before it answers, the numbers are HTTP errors,
        "html" is some gateway's page, "nonsense" is broken JSON.
        """
        if how not in MISBEHAVIOURS:
            raise ValueError(f"no misbehaviour {how!r}; known: {', '.join(MISBEHAVIOURS)}")
        front, listener = self._fronts[backend], self._listeners[backend]
        front.how, front.slow_seconds, front.html_status = how, slow_seconds, html_status
        if how == "down":
            await listener.stop()
        else:
            await listener.start()

    def deny(self, verb: str = "*", resource: str = "*", namespace: str = "*") -> None:
        """From now on the cluster answers 403 to this; `pods/log` is a resource of its own."""
        if self._kubernetes:
            self._kubernetes.access.denied.append(Denial(verb, resource, namespace))

    def expire_pages(self) -> None:
        """From now on the cluster answers 410 to the continue tokens that it gave out before."""
        if self._kubernetes:
            self._kubernetes.store.compact()

    @contextlib.asynccontextmanager
    async def _open(self, name: Backend, app: ASGIApp, error: ErrorBody) -> AsyncIterator[str]:
        """The backend behind its front; yields its address."""
        front = Front(name, app, error, self.requests)
        async with listening(front) as listener:
            self._fronts[name], self._listeners[name] = front, listener
            try:
                yield listener.url
            finally:
                front.closing.set()

    @contextlib.asynccontextmanager
    async def open_kubernetes(self) -> AsyncIterator[None]:
        """The Kubernetes API, and a kubeconfig for it."""
        token, path = secrets.token_urlsafe(16), self.folder / "kubeconfig"
        cluster = kubernetes.KubernetesApi(self.world, token, self.clock)
        async with self._open("kubernetes", cluster.app, kubernetes.error_response) as url:
            self._kubernetes = cluster
            write_kubeconfig(path, self.world.cluster, url, token)
            self.environment["KUBECONFIG"] = str(path)
            self.environment["KUBERNETES_CONTEXT"] = self.world.cluster
            yield

    @contextlib.asynccontextmanager
    async def open_prometheus(self, cache: Path) -> AsyncIterator[None]:
        """The real Prometheus behind its proxy."""
        token, scratch = secrets.token_urlsafe(16), self.folder / "prometheus"
        scratch.mkdir()
        async with prometheus.running(scratch, self.world.metrics, cache) as upstream:
            proxy = prometheus.PrometheusProxy(upstream, token, self.clock)
            async with (
                contextlib.aclosing(proxy),
                self._open("prometheus", proxy, prometheus.error_response) as url,
            ):
                self.environment["PROMETHEUS_URL"] = url
                self.environment["PROMETHEUS_TOKEN"] = token
                yield

    @contextlib.asynccontextmanager
    async def open_pagerduty(self) -> AsyncIterator[None]:
        """PagerDuty's REST API."""
        token = secrets.token_urlsafe(16)
        app = pagerduty.PagerDutyApi(self.world, token, self.clock)
        async with self._open("pagerduty", app, pagerduty.error_response) as url:
            self.environment["PAGERDUTY_API_URL"] = url
            self.environment["PAGERDUTY_TOKEN"] = token
            yield


@contextlib.asynccontextmanager
async def serve(
    world: Path | World,
    *,
    cache: Path | None = None,
    backends: tuple[Backend, ...] = BACKENDS,
    now: Callable[[], datetime] | None = None,
) -> AsyncIterator[Lab]:
    """Serve a world (or the world in a folder) until the context ends.

    `cache` keeps what is dear to make; `backends` leaves some out; `now` gives the present to a
    world whose `as_of` is "now". Raises NotFound, BrokenWorld or ToolUnavailable.
    """
    if isinstance(world, Path):
        moment = now() if now else None
        world = await anyio.to_thread.run_sync(load_world, world, moment)
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as folder:
        lab = Lab(world, Path(folder))
        async with contextlib.AsyncExitStack() as stack:
            if "kubernetes" in backends:
                await stack.enter_async_context(lab.open_kubernetes())
            if "pagerduty" in backends:
                await stack.enter_async_context(lab.open_pagerduty())
            if "prometheus" in backends:
                await stack.enter_async_context(lab.open_prometheus(cache or default_cache()))
            for name in set(world.down).intersection(backends):
                await lab.misbehave(name, "down")
            lab.start_clock()
            yield lab
