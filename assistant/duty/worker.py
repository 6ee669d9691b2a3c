"""Works the queue off: groups what has settled, triages each incident once, and announces it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from assistant.duty.leasing import Lease
from assistant.duty.queue import Queue
from assistant.duty.rows import Incident
from assistant.duty.telling import News
from assistant.errors import AssistantError, NotFound

PAUSE_SECONDS = 1.0
_LOG = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class Triaging(Protocol):
    """Makes one triage."""

    async def __call__(self, alert_id: str) -> str:
        """The id of the stored report on this alert. Goes on with one that was cut off.

        Raises NotFound where there is no such alert, another AssistantError for what may pass.
        """
        ...


class Announcing(Protocol):
    """Tells people of an incident, in the one thread that the incident has."""

    async def __call__(self, incident: Incident, report: str) -> None:
        """Tell `incident.news`; `report` is the id of the latest report, empty before the first.

        Where it raises, the same is told again later. After a crash the same may come twice.
        """
        ...


@dataclass(frozen=True)
class Worker:
    """One replica. `owner` names it, for people; nothing rests on its being unique."""

    queue: Queue
    triage: Triaging
    announce: Announcing
    clock: Callable[[], datetime]
    owner: str
    _woken: list[anyio.Event] = field(default_factory=list, compare=False, repr=False)

    def wake(self) -> None:
        """Look at the queue now rather than in a moment."""
        while self._woken:
            self._woken.pop().set()

    async def run(self) -> None:
        """Work until cancelled. A triage that is then running is given back at once."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._again_and_again, self.tell)
            slots = anyio.Semaphore(self.queue.terms.at_once)
            await self._again_and_again(lambda: self.begin(tasks, slots))

    async def drain(self) -> None:
        """Do all that can be done now, and return when nothing is left."""
        slots = anyio.Semaphore(self.queue.terms.at_once)
        busy = True
        while busy:
            async with anyio.create_task_group() as tasks:
                busy = await self.begin(tasks, slots)
            busy = await self.tell() or busy

    async def begin(self, tasks: TaskGroup, slots: anyio.Semaphore) -> bool:
        """Group what has settled and start the triages that may start. Returns whether any did."""
        queue, busy = self.queue, bool(await self._ask(self.queue.gather))
        while _free(slots):
            held = await self._ask(lambda now: queue.lease(now, self.owner))
            if held is None:
                slots.release()
                break
            tasks.start_soon(self._hold, held, slots)
            busy = True
        return busy

    async def tell(self) -> bool:
        """Announce what is new, one incident after the other. Returns whether anything was."""
        any_told = False
        while (news := await self._ask(self.queue.news)) is not None:
            await self._announce(news)
            any_told = True
        return any_told

    async def _announce(self, news: News) -> None:
        queue = self.queue
        try:
            with anyio.fail_after(queue.terms.lease_seconds):
                await self.announce(news.incident, news.incident.report)
        except Exception as error:  # noqa: BLE001 - what a front end raises must not end the duty
            _LOG.error("incident %s was not announced: %s", news.incident.id, _where(error))
            await self._ask(lambda now: queue.untold(news, now))
        else:
            await self._ask(lambda now: queue.told(news, now))

    async def _hold(self, held: Lease, slots: anyio.Semaphore) -> None:
        """One triage from its lease to its report."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._renew, held, tasks)
                await self._triage(held)
                tasks.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await self._settle(lambda now: self.queue.release(held, now))
            raise
        finally:
            slots.release()
            self.wake()

    async def _triage(self, held: Lease) -> None:
        queue = self.queue
        try:
            report = await self.triage(held.alert.alert_id)
        except AssistantError as error:
            said, final = str(error), isinstance(error, NotFound)
            await self._settle(lambda now: queue.fail(held, said, now, final=final))
        except Exception as error:  # noqa: BLE001 - a bug in one triage must not end the duty
            _LOG.error("the triage of %s broke: %s", held.alert.alert_id, _where(error))
            said = f"the triage broke ({type(error).__name__})"
            await self._settle(lambda now: queue.fail(held, said, now))
        else:
            await self._settle(lambda now: queue.finish(held, report, now))

    async def _renew(self, held: Lease, tasks: TaskGroup) -> None:
        """Keep the lease while the triage runs; stop it where another has it."""
        while True:
            await anyio.sleep(self.queue.terms.lease_seconds / 3)
            if not await self._settle(lambda now: self.queue.renew(held, now)):
                tasks.cancel_scope.cancel()
                return

    async def _settle(self, work: Callable[[datetime], bool]) -> bool:
        """Write what became of a lease. Where that fails, the lease ends by itself, and it is said."""
        try:
            ours = await self._ask(work)
        except AssistantError as error:
            _LOG.error("%s", error)
            return True
        if not ours:
            _LOG.warning("a triage was given up: another replica has taken it over")
        return ours

    async def _again_and_again(self, work: Callable[[], Awaitable[bool]]) -> None:
        while True:
            try:
                await work()
            except AssistantError as error:
                # The disk may be full for a minute; the alerts wait where they are.
                _LOG.error("duty goes on: %s", error)
            await self._pause()

    async def _ask(self, work: Callable[[datetime], _Result]) -> _Result:
        """Something of the queue, in a thread, as of now."""
        return await anyio.to_thread.run_sync(work, self.clock())

    async def _pause(self) -> None:
        woken = anyio.Event()
        self._woken.append(woken)
        with anyio.move_on_after(PAUSE_SECONDS):
            await woken.wait()


def _free(slots: anyio.Semaphore) -> bool:
    """Whether a slot was free; it is taken then."""
    try:
        slots.acquire_nowait()
    except anyio.WouldBlock:
        return False
    return True


def _where(error: BaseException) -> str:
    """What kind of error, and where. Its words are left out: they may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    places = " < ".join(
        f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(frames)
    )
    return f"{type(error).__name__} in {places}"
