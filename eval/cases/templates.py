"""Pod templates as they print: services of our own, the stores, and the parts of the cluster."""

from __future__ import annotations

from dataclasses import dataclass, field

from eval.cases.system import Json


@dataclass(frozen=True)
class ServiceSpec:
    """What a service of our own is made of. `config` and `secrets` map an object to the keys read."""

    namespace: str
    name: str
    version: str
    replicas: int = 2
    calls: dict[str, float] = field(default_factory=dict)
    entry_rate: float = 0.0
    queue: str = ""
    latency: float = 0.02
    cpu: str = "300m"
    memory: str = "256Mi"
    used_mib: float = 110
    speaks: str = "go"
    routes: tuple[str, ...] = ()
    route_for: dict[str, str] = field(default_factory=dict)
    config: dict[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    max_unavailable: str = "25%"


def service_template(spec: ServiceSpec, addresses: dict[str, str]) -> Json:
    """The pod template of a service that listens on 8080 and is asked for `/healthz`."""
    request = {"cpu": _half(spec.cpu, "m"), "memory": _half(spec.memory, "Mi")}
    container = {
        "env": [*_plain(spec, addresses), *_references(spec)],
        "image": "",
        "imagePullPolicy": "IfNotPresent",
        "livenessProbe": http_probe("/healthz", period=10, delay=20),
        "name": spec.name,
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "readinessProbe": http_probe("/readyz", period=5, delay=5),
        "resources": {"limits": {"cpu": spec.cpu, "memory": spec.memory}, "requests": request},
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    return pod_spec(container, account=spec.name)


def pod_spec(container: Json, account: str, **more: object) -> Json:
    """A pod spec with the defaults that the API server fills in."""
    return {
        "containers": [container],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": account,
        "serviceAccountName": account,
        "terminationGracePeriodSeconds": 30,
        **more,
    }


def _half(quantity: str, unit: str) -> str:
    return f"{int(quantity.removesuffix(unit)) // 2}{unit}"


def _plain(spec: ServiceSpec, addresses: dict[str, str]) -> list[Json]:
    named = {name: address for name, address in addresses.items() if name in spec.calls}
    known = {_variable(name, "ADDR"): address for name, address in named.items()}
    return [
        {"name": k, "value": v} for k, v in {"PORT": "8080", **known, **spec.environment}.items()
    ]


def _references(spec: ServiceSpec) -> list[Json]:
    sources = (("configMapKeyRef", spec.config), ("secretKeyRef", spec.secrets))
    return [
        {"name": _variable(key, prefix=name if kind == "secretKeyRef" else ""),
         "valueFrom": {kind: {"key": key, "name": name}}}
        for kind, objects in sources
        for name, keys in objects.items()
        for key in keys
    ]  # fmt: skip


def _variable(name: str, ending: str = "", prefix: str = "") -> str:
    first = prefix.rpartition("-")[2]
    return "_".join(part for part in (first, name, ending) if part).replace("-", "_").upper()


def http_probe(path: str, *, period: int, delay: int, port: str | int = "http") -> Json:
    """A probe over HTTP with the defaults that the API server fills in."""
    return {
        "failureThreshold": 3,
        "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "initialDelaySeconds": delay,
        "periodSeconds": period,
        "successThreshold": 1,
        "timeoutSeconds": 1,
    }


def _command_probe(*command: str) -> Json:
    return {
        "exec": {"command": list(command)},
        "failureThreshold": 3,
        "periodSeconds": 10,
        "successThreshold": 1,
        "timeoutSeconds": 5,
    }


def store_template(name: str, image: str, port: int) -> Json:
    """The pod template of a store: its data on a claim called `data`."""
    ask = {"orders-db": ("pg_isready", "-U", "postgres"), "cache": ("redis-cli", "ping")}
    memory = "2Gi" if name == "orders-db" else "1Gi"
    container: Json = {
        "env": _store_environment(name),
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "name": name,
        "ports": [{"containerPort": port, "name": "main", "protocol": "TCP"}],
        "readinessProbe": _command_probe(*ask.get(name, ("rabbitmq-diagnostics", "ping"))),
        "resources": {
            "limits": {"cpu": "2", "memory": memory},
            "requests": {"cpu": "250m", "memory": memory},
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [{"mountPath": "/data", "name": "data"}],
    }
    return pod_spec(container, account="default")


def _store_environment(name: str) -> list[Json]:
    if name != "orders-db":
        return []
    source = {"secretKeyRef": {"key": "superuser-password", "name": "orders-db-superuser"}}
    return [
        {"name": "PGDATA", "value": "/data/pgdata"},
        {"name": "POSTGRES_PASSWORD", "valueFrom": source},
    ]


def cluster_template(name: str, image: str, ports: dict[str, int]) -> Json:
    """The pod template of a part of the cluster itself (DNS, proxy, ingress)."""
    container: Json = {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "name": name,
        "ports": [{"containerPort": p, "name": n, "protocol": "TCP"} for n, p in ports.items()],
        "resources": {
            "limits": {"memory": "512Mi"},
            "requests": {"cpu": "100m", "memory": "128Mi"},
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    more: Json = {"hostNetwork": True} if name == "kube-proxy" else {}
    return pod_spec(container, account=name, priorityClassName="system-cluster-critical", **more)
