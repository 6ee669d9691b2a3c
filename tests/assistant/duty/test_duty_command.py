"""`assistant duty`, as a process: an alert comes in over HTTP and goes out as a report."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest

from assistant.cli.duty import known_alert, senders_of
from assistant.duty.queue import Queue
from assistant.duty.webhooks import ALERTMANAGER_PATH
from assistant.errors import SettingsError
from assistant.settings import DutySettings
from eval.lab.world import load_world
from eval.lab.worlds import find_world
from tests.assistant.duty.told import alert, at, notification

pytestmark = pytest.mark.anyio
COMMAND = (sys.executable, "-c", "from assistant.cli.duty import app; app()")
ASSISTANT = (sys.executable, "-m", "assistant")
TOKEN = "token-of-the-test"
SECONDS = 100


@pytest.fixture
def environment(tmp_path, cache_home, index):
    """A home of its own, and one sender's token in a file."""
    (tmp_path / "tokens").write_text(f"{TOKEN}\n", encoding="utf-8")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "ASSISTANT_HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(cache_home),
        "XDG_CONFIG_HOME": str(tmp_path),
        "RUNBOOKS_INDEX": str(index),
        "ALERTMANAGER_WEBHOOK_TOKEN_FILE": str(tmp_path / "tokens"),
        "PYTHONPATH": os.getcwd(),  # noqa: PTH109 - the checkout under test
        "COLUMNS": "200",
    }


def ran(environment, *arguments, command=COMMAND):
    return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True,
                          timeout=SECONDS, check=False)  # fmt: skip


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


async def delivered(url, body):
    """Post until the server is up, within bounds."""
    with anyio.fail_after(SECONDS):
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
            while True:
                try:
                    return await client.post(url, json=body)
                except httpx.ConnectError:
                    await anyio.sleep(0.1)


async def test_an_alert_of_alertmanager_becomes_a_report(environment):
    port = free_port()
    arguments = ["run", "--lab", "cedar", "--listen", f"127.0.0.1:{port}", "--settle", "0.2"]
    process = await anyio.open_process([*COMMAND, *arguments], env=environment, stderr=None)
    lines = anyio.streams.text.TextReceiveStream(process.stdout)
    try:
        said = alert("PortalErrors", namespace="storefront", service="quotes")
        row = {"status": "firing", "labels": said.labels, "annotations": {"summary": "503"},
               "startsAt": (await lab_now(environment)).isoformat(), "fingerprint": "f1"}  # fmt: skip
        answer = await delivered(f"http://127.0.0.1:{port}{ALERTMANAGER_PATH}", notification(row))
        assert answer.json()["new"] == 1
        heard = ""
        with anyio.fail_after(SECONDS):
            while "assistant show" not in heard:
                heard += await lines.receive()
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()
    assert "opened: 1 alert" in heard
    report = heard.split("`assistant show ")[1].split("`")[0]
    listed = ran(environment, "list", "--lab")
    assert report in listed.stdout
    shown = ran(environment, "show", report, "--lab", "--plain", command=ASSISTANT)
    assert "PortalErrors: 503" in shown.stdout
    assert "storefront" in shown.stdout


async def lab_now(environment):
    """The time of the lab's world, in which its alert fires."""
    cache = Path(environment["XDG_CACHE_HOME"]) / "incident-assistant" / "lab"
    return load_world(await anyio.to_thread.run_sync(find_world, "cedar", cache)).as_of


def test_incidents_are_listed_shown_and_split_with_their_reasons(environment, tmp_path):
    (tmp_path / "home").mkdir()
    members = [alert("a", service="checkout"), alert("b", 60, service="checkout")]
    with Queue.open(tmp_path / "home" / "duty.db") as queue:
        queue.take(members, at())
        (name,) = queue.gather(at(60))
    assert "same service checkout; 2 alerts within" in ran(environment, "list").stdout
    assert members[1].id in ran(environment, "show", name).stdout
    done = ran(environment, "split", name, members[1].id, "--why", "another team's")
    assert done.returncode == 0, done.stderr
    listed = ran(environment, "list").stdout
    assert done.stdout.strip() in listed


def test_an_alert_that_only_duty_knows_is_found_by_its_id(tmp_path):
    one = alert("a", service="checkout")
    assert known_alert(tmp_path, one.alert_id) is None
    with Queue.open(tmp_path / "duty.db") as queue:
        queue.take([one], at())
    assert known_alert(tmp_path, one.alert_id).labels["service"] == "checkout"
    assert known_alert(tmp_path, "PT4KHLK") is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "needs a way in"),
        (["run", "--listen", "9095"], "HOST:PORT"),
        (["run", "--poll", "5", "--window", "-1"], "window_seconds"),
        (["show", "i404"], "no incident 'i404'"),
    ],
)
def test_wrong_usage_is_one_line_that_says_what_to_do(environment, arguments, said):
    done = ran(environment, *arguments)
    assert done.returncode == 1
    assert said in done.stderr


def test_where_duty_is_told_in_slack_it_is_not_printed_here_as_well(environment):
    environment["ASSISTANT_DUTY_SLACK_CHANNEL"] = "C0INCIDENTS"
    done = ran(environment, "run", "--poll", "5")
    assert done.returncode == 1
    assert "run `assistant slack`" in done.stderr


def test_an_address_that_is_taken_is_named(environment):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        done = ran(environment, "run", "--listen", place, command=(*ASSISTANT, "duty"))
    assert done.returncode == 1
    assert f"assistant: cannot listen on {place}" in done.stderr


def test_secrets_are_read_from_the_files_that_the_settings_name(tmp_path):
    (tmp_path / "secrets").write_text("one\n\ntwo\n", encoding="utf-8")
    duty = DutySettings(pagerduty_secret_file=tmp_path / "secrets")
    assert senders_of({}, duty).pagerduty_secrets == ("one", "two")
    assert senders_of({"PAGERDUTY_WEBHOOK_SECRET": "three"}, duty).pagerduty_secrets == ("three",)
    absent = DutySettings(alertmanager_login_file=tmp_path / "absent")
    with pytest.raises(SettingsError, match=r"duty\.alertmanager_login_file names"):
        senders_of({}, absent)


def test_to_listen_without_a_secret_is_refused(environment):
    del environment["ALERTMANAGER_WEBHOOK_TOKEN_FILE"]
    done = ran(environment, "run", "--listen", "127.0.0.1:9095")
    assert "PAGERDUTY_WEBHOOK_SECRET_FILE" in done.stderr
