"""Real processes on one file: one is killed in the middle of a storm, two share the work of another."""

import os
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import httpx
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from assistant.duty.queue import Queue
from assistant.duty.webhooks import ALERTMANAGER_PATH
from tests.assistant.duty.replica import TERMS, TOKEN, clock
from tests.assistant.duty.told import notification

pytestmark = pytest.mark.anyio
SECONDS = 60


@dataclass
class Replica:
    process: anyio.abc.Process
    lines: BufferedByteReceiveStream
    url: str = ""

    async def hears(self, *begin):
        """The next line that begins with one of these, as its words."""
        with anyio.fail_after(SECONDS):
            while True:
                words = (await self.lines.receive_until(b"\n", 10_000)).decode().split()
                if words[0] in begin:
                    return words

    async def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        with anyio.fail_after(SECONDS):
            await self.process.wait()


@asynccontextmanager
async def replica(path, how):
    command = [sys.executable, "-m", "tests.assistant.duty.replica", str(path), how]
    async with await anyio.open_process(command, stderr=None) as process:
        one = Replica(process, BufferedByteReceiveStream(process.stdout))
        try:
            one.url = (await one.hears("listens"))[1]
            yield one
        finally:
            if process.returncode is None:
                process.kill()


def storm(faults, alerts):
    """Alerts of some faults, each fault at a service of its own, all firing now."""
    began = clock().isoformat()
    return [
        {"status": "firing", "startsAt": began, "fingerprint": f"{n:016x}",
         "labels": {"alertname": f"Rule{n}", "namespace": f"n{n % faults}", "service": f"s{n % faults}"}}
        for n in range(alerts)
    ]  # fmt: skip


async def deliver(url, rows):
    """Post as Alertmanager does, and say whether it was acknowledged."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=SECONDS) as client:
        try:
            answer = await client.post(ALERTMANAGER_PATH, json=notification(*rows))
        except httpx.HTTPError:
            return False
    return answer.status_code == 200


async def test_a_replica_killed_in_a_storm_loses_and_doubles_nothing(tmp_path):
    path, rows = tmp_path / "duty.db", storm(2, 60)
    batches = [rows[at : at + 5] for at in range(0, 60, 5)]
    async with replica(path, "hang") as first:
        for batch in batches[:6]:
            assert await deliver(first.url, batch)
        begun = [(await first.hears("began"))[1] for _ in range(2)]
        refused = []
        async with anyio.create_task_group() as tasks:

            async def late(batch):
                if not await deliver(first.url, batch):
                    refused.append(batch)

            for batch in batches[6:]:
                tasks.start_soon(late, batch)
            await first.kill()
    async with replica(path, "work") as second:
        for batch in refused:
            assert await deliver(second.url, batch)
        again, reports = [], set()
        while len(reports) < 2:  # one may be told before the other is begun
            what, name, *said = await second.hears("began", "told")
            if what == "began":
                again.append(name)
            else:
                reports |= {said[0]} - {"-"}
    assert sorted(again) == sorted(begun)
    assert reports == {f"t-{one}" for one in begun}
    with Queue.open(path, TERMS) as queue:
        queue.gather(clock().replace(year=clock().year + 1))
        counted, incidents = queue.counts(), queue.incidents()
    assert counted["grouped"] == 60
    assert sorted(one.alerts for one in incidents) == [30, 30]
    assert {one.report for one in incidents} == reports
    assert counted["triages"] == 4  # two that were killed, and two that were not


async def test_two_replicas_on_one_file_triage_each_incident_once(tmp_path):
    path, rows = tmp_path / "duty.db", storm(12, 48)
    async with replica(path, "work") as one, replica(path, "work") as other:
        urls = [one.url, other.url]
        async with anyio.create_task_group() as tasks:
            for place in range(0, 48, 4):
                for url in urls:  # both are told of every alert, as by two Alertmanagers
                    tasks.start_soon(deliver, url, rows[place : place + 4])
        begun, reported = [], []

        async def listen(here):
            while True:
                words = await here.hears("began", "told")
                if words[0] == "began":
                    begun.append(words[1])
                elif words[2] != "-":
                    reported.append(words[1])
                if len(set(reported)) == 12:
                    listeners.cancel_scope.cancel()

        async with anyio.create_task_group() as listeners:
            listeners.start_soon(listen, one)
            listeners.start_soon(listen, other)
    assert len(begun) == len(set(begun)) == 12
    assert len(reported) == len(set(reported)) == 12
    with Queue.open(path, TERMS) as queue:
        counted = queue.counts()
    assert (counted["grouped"], counted["incidents"], counted["triages"]) == (48, 12, 12)
