"""Pod templates of the clinic as they print."""

from __future__ import annotations

from eval.cases.clinic_services import Part
from eval.cases.system import Json
from eval.cases.templates import http_probe, pod_spec


def part_template(part: Part, account: str = "clinic-app") -> Json:
    """The pod template of a program: probes where it listens, configuration by the whole ConfigMap."""
    container: Json = {
        "env": [{"name": name, "value": value} for name, value in part.environment.items()],
        "image": "",
        "imagePullPolicy": "IfNotPresent",
        "name": "nginx" if part.name == "edge" else "app",
        "resources": _resources(part),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    if part.secret:
        container["env"] += [_from_secret(part.secret, key) for key in ("username", "password")]
    if part.config:
        container["envFrom"] = [{"configMapRef": {"name": part.config}}]
    if part.port:
        port = {"containerPort": part.port, "name": part.port_name, "protocol": "TCP"}
        container["ports"] = [port]
        container["readinessProbe"] = http_probe(
            part.health, period=10, delay=3, port=part.port_name
        )
        container["livenessProbe"] = http_probe("/live", period=15, delay=30, port=part.port_name)
    more: Json = {}
    if part.name == "edge":
        container["volumeMounts"] = [{"mountPath": "/etc/nginx/conf.d", "name": "routes"}]
        more["volumes"] = [
            {"name": "routes", "configMap": {"name": "edge-routes", "defaultMode": 420}}
        ]
    return pod_spec(container, account=account, **more)


def _resources(part: Part) -> Json:
    request = {"cpu": f"{int(part.cpu[:-1]) // 4}m", "memory": part.memory}
    return {"limits": {"cpu": part.cpu, "memory": part.memory}, "requests": request}


def _from_secret(name: str, key: str) -> Json:
    source = {"secretKeyRef": {"key": key, "name": name}}
    return {"name": f"DB_{key}".upper(), "valueFrom": source}


def store_template(name: str, image: str, port: int) -> Json:
    """The pod template of the database or of Redis."""
    probe = {"records-db": ["pg_isready", "-q"], "redis": ["redis-cli", "ping"]}[name]
    container: Json = {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "name": {"records-db": "postgresql", "redis": "redis"}[name],
        "ports": [{"containerPort": port, "name": "tcp", "protocol": "TCP"}],
        "readinessProbe": {
            "exec": {"command": probe},
            "failureThreshold": 3,
            "periodSeconds": 10,
            "successThreshold": 1,
            "timeoutSeconds": 3,
        },
        "resources": {
            "limits": {"cpu": "2", "memory": "2Gi"},
            "requests": {"cpu": "500m", "memory": "1Gi"},
        },
        "volumeMounts": [{"mountPath": "/var/lib/data", "name": "data"}],
    }
    return pod_spec(container, account="default")
