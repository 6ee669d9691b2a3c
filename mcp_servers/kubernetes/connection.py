"""Bytes from and to one API server with the official client: configuration, credentials, TLS.

Blocking, so it runs in threads. The only file that imports `kubernetes`; it is imported at the
first use of a cluster, since that import costs a third of a second. It never builds the client's
models: those refuse objects that newer servers and custom resources send.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import urllib3
import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException, OpenApiException
from kubernetes.config import ConfigException
from kubernetes.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_HOST_ENV_NAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as ConnectionTimeout

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.kubernetes.question import Question
from mcp_servers.spec import Environment

CHUNK_BYTES = 65_536
USER_AGENT = "incident-assistant"
CONNECT_SECONDS = 3.0
# What the loaders of the client raise at a malformed file, besides their own exception.
BROKEN_CONFIG = (
    ConfigException,
    yaml.YAMLError,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
)
FAILURES = (*BROKEN_CONFIG, OpenApiException, HTTPError)


class Reply:
    """An answered question: status and headers at once, the body as a bounded stream."""

    def __init__(
        self, question: Question, response: urllib3.BaseHTTPResponse, seconds: float
    ) -> None:
        self.question = question
        self.status = int(response.status)
        self.headers = response.headers
        self._response = response
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def chunks(self) -> Iterator[bytes]:
        """The body, bit by bit. Raises a ToolFailure of `timeout` where it takes too long."""
        try:
            for chunk in self._response.stream(CHUNK_BYTES):
                if time.monotonic() > self._deadline:
                    raise slow(self.question, self._seconds)
                yield chunk
        except (HTTPError, OSError) as error:
            raise broken(self.question, self._seconds, error) from error

    def read(self, cap_bytes: int) -> bytes:
        """The whole body; more than `cap_bytes` is a failure, not a cut."""
        parts: list[bytes] = []
        size = 0
        for chunk in self.chunks():
            size += len(chunk)
            if size > cap_bytes:
                raise ToolFailure(
                    Status.ERROR,
                    f"{self.question} answered with more than {cap_bytes:,} bytes",
                    ("ask for fewer objects at a time",),
                )
            parts.append(chunk)
        return b"".join(parts)

    def close(self) -> None:
        """Give the connection back where the body was read to its end, else drop it."""
        if self._response.closed:
            self._response.release_conn()
        else:
            self._response.close()


class Connection:
    """An open client for one cluster."""

    def __init__(self, configuration: Configuration, name: str) -> None:
        # A retry inside the client would double the time that a dead server costs.
        configuration.retries = False
        configuration.connection_pool_maxsize = 64  # urllib3 logs each one beyond that
        self.name = name
        self._client = ApiClient(configuration)
        self._client.user_agent = USER_AGENT

    def ask(self, question: Question, seconds: float) -> Reply:
        """The reply, whatever its HTTP status. Close it after use."""
        try:
            return self._send(question, seconds)
        except ProtocolError:
            # A kept-alive connection that the server had closed meanwhile; reading is repeatable.
            return self._send_again(question, seconds)
        except FAILURES as error:
            raise broken(question, seconds, error) from error

    def _send_again(self, question: Question, seconds: float) -> Reply:
        try:
            return self._send(question, seconds)
        except FAILURES as error:
            raise broken(question, seconds, error) from error

    def _send(self, question: Question, seconds: float) -> Reply:
        request = self._client.param_serialize(
            "GET" if question.body is None else "POST",
            question.path,
            query_params=list(question.query),
            header_params={"Accept": question.accept},
            body=question.body,
            auth_settings=["BearerToken"],
        )
        timeouts = (min(CONNECT_SECONDS, seconds), seconds)
        answer = self._client.call_api(*request, _request_timeout=timeouts)
        return Reply(question, answer.response, seconds)

    def close(self) -> None:
        """Close all pooled connections."""
        self._client.close()  # type: ignore[no-untyped-call]


def connect(environment: Environment) -> Connection:
    """Load KUBECONFIG (and KUBERNETES_CONTEXT), else ~/.kube/config, else the in-cluster account."""
    path = _kubeconfig(environment)
    configuration = Configuration()
    if path:
        name = _from_file(path, environment.get("KUBERNETES_CONTEXT", ""), configuration)
    else:
        name = _in_cluster(environment, configuration)
    return Connection(configuration, f"{name} ({configuration.host})")


def _kubeconfig(environment: Environment) -> str:
    if environment.get("KUBECONFIG"):
        return environment["KUBECONFIG"]
    home = environment.get("HOME", "")
    default = Path(home) / ".kube" / "config"
    return str(default) if home and default.is_file() else ""


def _from_file(path: str, context: str, configuration: Configuration) -> str:
    try:
        merged = KubeConfigMerger(path).config  # type: ignore[no-untyped-call]
        if merged is None:
            raise ConfigException("there is no such file")
        loader = KubeConfigLoader(config_dict=merged, active_context=context or None)  # type: ignore[no-untyped-call]
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
        return str(loader.current_context["name"])
    except BROKEN_CONFIG as error:
        wanted = f" with context {context!r}" if context else ""
        raise ToolFailure(
            Status.ERROR,
            f"kubeconfig {path!r}{wanted} cannot be used: {_words(error)}",
            (
                f"kubectl --kubeconfig {path} config view --minify",
                "set KUBECONFIG and KUBERNETES_CONTEXT to a file and a context that exist",
            ),
        ) from error


def _in_cluster(environment: Environment, configuration: Configuration) -> str:
    if not environment.get(SERVICE_HOST_ENV_NAME):
        raise ToolFailure(
            Status.ERROR,
            "no cluster is configured: KUBECONFIG is not set, there is no ~/.kube/config, "
            "and this is not a pod of a cluster",
            ("set KUBECONFIG to a kubeconfig file",),
        )
    loader = InClusterConfigLoader(  # type: ignore[no-untyped-call]
        token_filename=SERVICE_TOKEN_FILENAME,
        cert_filename=SERVICE_CERT_FILENAME,
        environ=environment,
    )
    try:
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise ToolFailure(
            Status.ERROR,
            f"the in-cluster account cannot be used: {_words(error)}",
            ("mount a ServiceAccount token (automountServiceAccountToken: true)",),
        ) from error
    return "in-cluster"


def slow(question: Question, seconds: float) -> ToolFailure:
    """The failure of a question that took too long."""
    return ToolFailure(
        Status.TIMEOUT,
        f"{question}: no complete answer within {seconds:g} s",
        ("narrow the question (one namespace, a label selector)", "kubectl get --raw /readyz"),
    )


def broken(question: Question, seconds: float, error: Exception) -> ToolFailure:
    """The failure of a question that never got an HTTP answer."""
    if isinstance(error, ConnectionTimeout) and not isinstance(error, NewConnectionError):
        return slow(question, seconds)
    if isinstance(error, ApiException) and "SSL" in str(error.reason):
        return ToolFailure(
            Status.ERROR,
            f"{question}: TLS with the API server failed: {_words(error)}",
            ("check certificate-authority-data and the server name in the kubeconfig",),
        )
    return ToolFailure(
        Status.ERROR,
        f"{question}: the API server cannot be reached: {_words(error)}",
        ("check that the cluster is up and its address right: kubectl cluster-info",),
    )


def _words(error: Exception) -> str:
    """What an exception says, on one line, bounded."""
    said = error.reason if isinstance(error, ApiException) else error
    text = " ".join(str(said).split()) or type(error).__name__
    return text[:400]
