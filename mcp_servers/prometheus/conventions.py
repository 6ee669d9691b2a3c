"""How exporters name the golden signals: one table per kind of signal. Pure data.

A convention that is missing here is added as a row, not as code.
"""

from __future__ import annotations

from dataclasses import dataclass

WORKLOAD_LABELS = (
    "service",
    "service_name",
    "exported_service",
    "app",
    "app_kubernetes_io_name",
    "application",
    "workload",
    "deployment",
    "container",
    "exported_job",
    "job",
)
"""Labels that may name a service, the surest first."""

CLIENT_LABELS = ("client", "caller", "source_workload", "source_canonical_service")
"""Labels that name who asked."""

FAILED_HTTP = (
    ("code", "5.."),
    ("status", "5.."),
    ("status_code", "5.."),
    ("http_response_status_code", "5.."),
    ("http_status_code", "5.."),
    ("response_code", "5.."),
    ("outcome", "SERVER_ERROR"),
    ("status_class", "5xx"),
)
FAILED_GRPC = (
    (
        "grpc_code",
        "Unknown|DeadlineExceeded|ResourceExhausted|Aborted|Internal|Unavailable|DataLoss",
    ),
)


FAILED_SPANS = (("status_code", "STATUS_CODE_ERROR"),)
FAILED_CALLS = (("error_type", ".+"), *FAILED_HTTP)


@dataclass(frozen=True, slots=True)
class Requests:
    """One exporter's way to count and time requests."""

    convention: str
    requests: str
    """Counter of requests."""
    latency: str = ""
    """Histogram of durations, without `_bucket`."""
    seconds: float = 1.0
    """What one unit of the histogram is, in seconds."""
    services: tuple[str, ...] = WORKLOAD_LABELS
    errors: tuple[tuple[str, str], ...] = FAILED_HTTP
    """(label, pattern of values that mean failure), the surest first."""
    failed: str = ""
    """Counter of failed requests, where the exporter keeps one."""
    only: str = ""
    """Further matchers."""
    namespace: str = "namespace"
    """The label that holds the service's own namespace."""
    clients: tuple[str, ...] = CLIENT_LABELS
    """Labels that name who asked, where the convention tells."""


REQUESTS = (
    Requests(
        "OpenTelemetry HTTP server",
        "http_server_request_duration_seconds_count",
        "http_server_request_duration_seconds",
    ),
    Requests(
        "OpenTelemetry HTTP server (old names)",
        "http_server_duration_milliseconds_count",
        "http_server_duration_milliseconds",
        0.001,
    ),
    Requests(
        "Spring Boot (Micrometer)",
        "http_server_requests_seconds_count",
        "http_server_requests_seconds",
    ),
    Requests("HTTP requests", "http_requests_total", "http_request_duration_seconds"),
    Requests(
        "HTTP request durations",
        "http_request_duration_seconds_count",
        "http_request_duration_seconds",
    ),
    Requests(
        "gRPC server",
        "grpc_server_handled_total",
        "grpc_server_handling_seconds",
        errors=FAILED_GRPC,
    ),
    Requests(
        "Istio",
        "istio_requests_total",
        "istio_request_duration_milliseconds",
        0.001,
        ("destination_service_name", "destination_workload", "destination_canonical_service"),
        only='reporter="destination"',
        namespace="destination_workload_namespace",
    ),
    Requests(
        "Linkerd",
        "response_total",
        "response_latency_ms",
        0.001,
        ("deployment", "statefulset", "daemonset", "service"),
        (("classification", "failure"),),
        only='direction="inbound"',
    ),
    Requests(
        "NGINX ingress",
        "nginx_ingress_controller_requests",
        "nginx_ingress_controller_request_duration_seconds",
        services=("exported_service", "service", "ingress"),
        namespace="exported_namespace",
    ),
    Requests(
        "span metrics",
        "traces_span_metrics_calls_total",
        "traces_span_metrics_duration_milliseconds",
        0.001,
        ("service_name", "service"),
        FAILED_SPANS,
        only='span_kind="SPAN_KIND_SERVER"',
    ),
    Requests(
        "span metrics (Tempo)",
        "traces_spanmetrics_calls_total",
        "traces_spanmetrics_latency",
        services=("service", "service_name"),
        errors=FAILED_SPANS,
        only='span_kind="SPAN_KIND_SERVER"',
    ),
    Requests(
        "service graph",
        "traces_service_graph_request_total",
        "traces_service_graph_request_server_seconds",
        services=("server",),
        errors=(),
        failed="traces_service_graph_request_failed_total",
        namespace="server_namespace",
    ),
)


_CALLED = ("server_address", "peer_service", "net_peer_name", "server", "http_host")

CALLS = (
    Requests(
        "OpenTelemetry HTTP client",
        "http_client_request_duration_seconds_count",
        "http_client_request_duration_seconds",
        services=_CALLED,
        clients=WORKLOAD_LABELS,
        errors=FAILED_CALLS,
    ),
    Requests(
        "OpenTelemetry HTTP client (old names)",
        "http_client_duration_milliseconds_count",
        "http_client_duration_milliseconds",
        0.001,
        _CALLED,
        FAILED_CALLS,
        clients=WORKLOAD_LABELS,
    ),
    Requests(
        "OpenTelemetry RPC client",
        "rpc_client_duration_milliseconds_count",
        "rpc_client_duration_milliseconds",
        0.001,
        (*_CALLED, "rpc_service"),
        (("rpc_grpc_status_code", "2|4|8|10|13|14|15"),),
        clients=WORKLOAD_LABELS,
    ),
    Requests(
        "OpenTelemetry database client",
        "db_client_operation_duration_seconds_count",
        "db_client_operation_duration_seconds",
        services=(*_CALLED, "db_namespace", "db_name"),
        clients=WORKLOAD_LABELS,
        errors=(("error_type", ".+"),),
    ),
    Requests(
        "Spring Boot client (Micrometer)",
        "http_client_requests_seconds_count",
        "http_client_requests_seconds",
        services=("client_name", "clientName"),
        clients=WORKLOAD_LABELS,
        errors=(("outcome", "SERVER_ERROR|UNKNOWN"),),
    ),
    Requests(
        "Linkerd, as clients see it",
        "response_total",
        "response_latency_ms",
        0.001,
        ("dst_deployment", "dst_statefulset", "dst_service"),
        (("classification", "failure"),),
        clients=("deployment", "statefulset", "daemonset"),
        only='direction="outbound"',
    ),
)
"""What callers count and time: of databases and outside services often the only word there is."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A signal that stands ready under its own name, labelled by service."""

    name: str
    metric: str
    unit: str = ""
    by: tuple[str, ...] = ("statistic", "quantile")
    limit: str = ""


GAUGES = (
    Gauge("latency", "latency"),
    Gauge("availability", "availability"),
    Gauge("requests", "requests"),
    Gauge("errors", "errors"),
    Gauge("error_ratio", "error_rate"),
    Gauge(
        "replicas_available",
        "kube_deployment_status_replicas_available",
        "replicas",
        (),
        "kube_deployment_spec_replicas",
    ),
)


@dataclass(frozen=True, slots=True)
class Saturation:
    """What containers use of what they may. `{pods}` and `{rate}` are filled in per question."""

    name: str
    unit: str
    convention: str
    metric: str
    query: str
    limits: tuple[tuple[str, str], ...] = ()
    """(metric, expression): the first whose metric is there is the limit."""
    requests: tuple[tuple[str, str], ...] = ()
    total: bool = False
    """Summed over pods; otherwise the pod that uses most."""


SATURATION = (
    Saturation(
        "cpu_usage",
        "cores",
        "cAdvisor",
        "container_cpu_usage_seconds_total",
        "rate(container_cpu_usage_seconds_total{{pods}}[{rate}])",
        (
            (
                "kube_pod_container_resource_limits",
                'kube_pod_container_resource_limits{{pods},resource="cpu"}',
            ),
            (
                "container_spec_cpu_quota",
                "container_spec_cpu_quota{{pods}} / container_spec_cpu_period{{pods}}",
            ),
            ("kube_pod_resource_limit", 'kube_pod_resource_limit{{pods},resource="cpu"}'),
        ),
        (
            (
                "kube_pod_container_resource_requests",
                'kube_pod_container_resource_requests{{pods},resource="cpu"}',
            ),
            ("kube_pod_resource_request", 'kube_pod_resource_request{{pods},resource="cpu"}'),
        ),
    ),
    Saturation(
        "cpu_throttling",
        "ratio",
        "cAdvisor",
        "container_cpu_cfs_throttled_periods_total",
        "rate(container_cpu_cfs_throttled_periods_total{{pods}}[{rate}])"
        " / rate(container_cpu_cfs_periods_total{{pods}}[{rate}])",
    ),
    Saturation(
        "memory_usage",
        "bytes",
        "cAdvisor",
        "container_memory_working_set_bytes",
        "container_memory_working_set_bytes{{pods}}",
        (
            (
                "kube_pod_container_resource_limits",
                'kube_pod_container_resource_limits{{pods},resource="memory"}',
            ),
            ("container_spec_memory_limit_bytes", "container_spec_memory_limit_bytes{{pods}} > 0"),
            ("kube_pod_resource_limit", 'kube_pod_resource_limit{{pods},resource="memory"}'),
        ),
        (
            (
                "kube_pod_container_resource_requests",
                'kube_pod_container_resource_requests{{pods},resource="memory"}',
            ),
            ("kube_pod_resource_request", 'kube_pod_resource_request{{pods},resource="memory"}'),
        ),
    ),
    Saturation(
        "restarts",
        "restarts",
        "kube-state-metrics",
        "kube_pod_container_status_restarts_total",
        "kube_pod_container_status_restarts_total{{pods}}",
        total=True,
    ),
)


def known_metrics() -> frozenset[str]:
    """Every metric name that some row asks for."""
    names = {gauge.metric for gauge in GAUGES} | {gauge.limit for gauge in GAUGES}
    for row in REQUESTS:
        names |= {row.requests, row.failed}
        if row.latency:
            names |= {f"{row.latency}{end}" for end in ("_bucket", "_sum", "_count")}
    for signal in SATURATION:
        names |= {signal.metric, *(metric for metric, _ in (*signal.limits, *signal.requests))}
    return frozenset(names - {""})
