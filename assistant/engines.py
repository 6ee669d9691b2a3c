"""Databases and brokers by the words for them: in a log line, an image, the name of a setting. Pure."""

from __future__ import annotations

import re

from assistant.snapshot import Object, dig, listing, whole

ENGINES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("mysql", re.compile(r"mysql|mariadb|communications link failure|innodb", re.IGNORECASE)),
    (
        "postgres",
        re.compile(r"postgres|psycopg|\bpq:|\bpgx\b|pgbouncer|\bpghost|npgsql", re.IGNORECASE),
    ),
    ("mongo", re.compile(r"(?<![a-z])mongo", re.IGNORECASE)),
    ("redis", re.compile(r"redis|jedis|lettuce|WRONGPASS|NOAUTH|valkey", re.IGNORECASE)),
    ("amqp", re.compile(r"rabbit|amqp", re.IGNORECASE)),
    ("kafka", re.compile(r"kafka", re.IGNORECASE)),
    ("mssql", re.compile(r"sqlserver|sqlclient|mssql", re.IGNORECASE)),
    ("elasticsearch", re.compile(r"elasticsearch|opensearch", re.IGNORECASE)),
    ("cassandra", re.compile(r"cassandra|scylla", re.IGNORECASE)),
)
"""Words by which a text (a line, an image, a setting's name) speaks of a kind of database or broker."""


def engine(text: str) -> str:
    """The kind of database or broker that a text speaks of; empty where it names none."""
    return next((name for name, pattern in ENGINES if pattern.search(text)), "")


PORTS = {
    3306: "mysql", 5432: "postgres", 27017: "mongo", 6379: "redis", 5672: "amqp", 9092: "kafka",
    1433: "mssql", 9200: "elasticsearch", 9042: "cassandra",
}  # fmt: skip
"""The registered ports of databases and brokers."""

_FORKS = re.compile(r"percona|tidb|aurora", re.IGNORECASE)
_NOT_SERVERS = re.compile(
    r"exporter|client|admin|express|operator|backup|insight|commander|[-_]ui\b|webui|connect|console|migrat",
    re.IGNORECASE,
)
"""Programs that carry a database's name and keep none of its data."""


def served_engine(workload: Object) -> str:
    """The kind of database or broker that a workload is; empty for what is none."""
    for container in workload.containers():
        image = str(dig(container, "image") or "").rpartition("/")[2].partition("@")[0]
        if not _NOT_SERVERS.search(image):
            name = engine(image) or ("mysql" if _FORKS.search(image) else "")
            numbers = {whole(dig(port, "containerPort")) for port in listing(container, "ports")}
            by_port = {PORTS[number] for number in numbers if number in PORTS}
            if name and (not numbers or name in by_port):
                return name
    return ""
