"""Runs one function over many worlds in processes of their own; one that breaks is not the end."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from threading import Thread
from typing import TypeAlias, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
Outcome: TypeAlias = T | Exception


def over_worlds(
    work: Callable[[str], T], worlds: Iterable[str], jobs: int
) -> Iterator[tuple[str, Outcome[T]]]:
    """Each world with what `work` made of it, or the error that ended it, as they are done."""
    waiting = deque(worlds)
    while waiting:
        with _workers(jobs) as pool:
            yield from _until_broken(pool, work, waiting, jobs)


@contextmanager
def _workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: a worker must not inherit the threads and sockets of this process.
    spawned = get_context("spawn")
    pool = ProcessPoolExecutor(max_workers=jobs, mp_context=spawned, initializer=_end_together)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _end_together() -> None:
    """Make this worker end when whoever started it was killed: it would wait for work for ever."""
    if parent := parent_process():
        Thread(
            target=lambda: (connection.wait([parent.sentinel]), os._exit(1)), daemon=True
        ).start()


def _until_broken(
    pool: ProcessPoolExecutor, work: Callable[[str], T], waiting: deque[str], jobs: int
) -> Iterator[tuple[str, Outcome[T]]]:
    """Worlds off `waiting` until there are none, or a worker dies and takes the pool with it."""
    running: dict[Future[T], str] = {}
    broken = False
    while running or (waiting and not broken):
        # No more are handed out than run at once: whoever interrupts waits for these alone.
        while waiting and len(running) < jobs and not broken:
            world = waiting.popleft()
            running[pool.submit(work, world)] = world
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            outcome = _outcome(future)
            broken = broken or isinstance(outcome, BrokenProcessPool)
            yield running.pop(future), outcome


def _outcome(future: Future[T]) -> Outcome[T]:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - one world's bug must not end a run over hundreds
        return error


def shown(rows: Iterator[T], total: int, console: Console) -> Iterator[T]:
    """The same rows behind a progress bar."""
    columns = (TextColumn("worlds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield from progress.track(rows, total=total)
