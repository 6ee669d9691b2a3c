"""Systems of plain noise: over hundreds of them nobody is accused."""

import random

import numpy as np
import pytest

from assistant.checks import signals
from assistant.incident import Entity
from mcp_servers.prometheus.measured import Sampled
from mcp_servers.prometheus.services import ServiceSignals, _judged
from tests.assistant.checks.cluster import NOW, case, evidence

pytestmark = pytest.mark.anyio
SYSTEMS = 200
SERVICES = 12
EVERY = 60.0
PAST, WINDOW = 240, 60
ALERTED = "s0"


def sampled(draw, service):
    """Latency and failures of a service that lives an ordinary life, each in its own way."""
    times = NOW.timestamp() - EVERY * np.arange(PAST + WINDOW)[::-1]
    level, spread = 10 ** draw.uniform(-3, 0), draw.uniform(0.02, 0.6)
    latency = level * draw.lognormal(0, spread, len(times))
    share = draw.uniform(0, 0.02)
    errors = draw.binomial(400, share, len(times)) / 400
    common = {"service": service, "client": "", "namespace": "", "source": "recorded"}
    yield Sampled(signal="latency", statistic="mean", unit="s", metric="latency", times=times,
                  values=latency, **common)  # fmt: skip
    yield Sampled(signal="errors", statistic="", unit="ratio", metric="errors", times=times,
                  values=errors, **common)  # fmt: skip


def system(seed):
    """A case of a dozen services that call each other at random, none of them ill."""
    draw, choose = np.random.default_rng(seed), random.Random(seed)  # noqa: S311 - no secret
    names = [f"s{number}" for number in range(SERVICES)]
    judged = _judged([one for name in names for one in sampled(draw, name)], NOW.timestamp() - 3600)
    calls = {(names[choose.randrange(at)], name) for at, name in enumerate(names) if at}
    answer = ServiceSignals._answer(_Nowhere(), judged, calls, [], ALERTED)
    data = answer.data.model_dump()
    return case(
        more=[evidence("prometheus.list_services", {"namespace": ""}, data)],
        entities=(Entity(kind="Service", name=ALERTED),),
    )


class _Nowhere:
    class prometheus:  # noqa: N801 - stands in for an attribute
        source = "test"


async def test_of_two_hundred_systems_of_noise_none_has_a_culprit():
    accused = []
    for seed in range(SYSTEMS):
        found = await signals.check(system(seed))
        accused += [(seed, f.kind, f.entity.name) for f in found if f.kind != "dependency_steady"]
    assert accused == []
