"""Redaction in both directions: a planted secret never survives, ordinary text is untouched."""

from __future__ import annotations

import json
import string
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcp_servers.guard.redaction import Redactor

OWN = "configured-value-71"
CLEAN = Redactor([OWN])

SECRETS = {
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nXYZ\n-----END RSA PRIVATE KEY-----",
    "cut private key": "-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "aws key": "AKIAIOSFODNN7EXAMPLE",
    "gcp key": "AIzaSyA-1234567890abcdefghijklmnopqrstu",
    "gcp token": "ya29.a0AfH6SMBx1234567890abcdef",
    "github": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github fine": "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
    "gitlab": "glpat-abcdefghijklmnopqrst",
    "slack": "xoxb-123456789012-abcdefABCDEF",
    "slack hook": "https://hooks.slack.com/services/T00000000/B00000000/XXXXYYYYZZZZ",
    "stripe": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "openai": "sk-proj-abcdefghijklmnopqrstuvwxyz",
    "vault": "hvs.CAESIabcdefghijklmnopqrstuvwx",
    "url": "postgres://app:zanzibar@db.internal:5432/orders",
    "url with at": "amqp://app:zan@zibar@mq:5672/",
    "url without user": "redis://:zanzibar@cache:6379/0",
    "bearer": "Authorization: Bearer zanzibar.token-123456",
    "basic": "Authorization: Basic emFuemliYXI6emFuemliYXI=",
    "lone basic": "basic emFuemliYXI6emFuemliYXI=",
    "azure": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=zanzibarzanzibar==;X=y",
    "azure sas": "https://a.blob.core.windows.net/c?sv=1&sig=zanzibarzanzibar%2Bzanz&se=2",
    "dsn": "Server=db;User Id=sa;Password=zanzibar;Encrypt=true",
    "pair": "password=zanzibar",
    "pair in sentence": "login failed with password=zanzibar for user app",
    "yaml": "  db_password: zanzibar",
    "yaml token": "apiVersion: v1\ntoken: zanzibar\n",
    "properties": "spring.datasource.password=zanzibar",
    "json": '{"password": "zanzibar"}',
    "json with quote": '{"password": "zan\\"zibar"}',
    "json in log": 'level=info body={"apiKey":"zanzibar"} took=3ms',
    "escaped json": '{\\"client_secret\\":\\"zanzibar\\"}',
    "nested json": json.dumps({"spec": json.dumps({"env": [{"name": "PASSWORD", "value": "zanzibar"}]})}),
    "yaml env": "env:\n- name: DB_PASSWORD\n  value: zanzibar\n- name: B\n  value: c",
    "flag": "run --password zanzibar --port 80",
    "flag with sign": "run --db-password=zanzibar",
    "header": "curl -H 'X-Api-Key: zanzibar' https://x",
    "env": "PGPASSWORD=zanzibar psql",
    "quoted": "password='zanzibar zanzibar'",
    "cookie": "Set-Cookie: session=zanzibar; Path=/",
    "hidden": "pass\u200bword=zanzibar",
    "email": "ann.smith@example.com",
    "card": "4111 1111 1111 1111",
    "amex": "378282246310005",
    "own": OWN,
}  # fmt: skip
TELLTALES = (
    "zanzibar", "zibar", "MIIEow", "eyJ", "AKIA", "AIza", "ya29", "ghp_", "github_pat", "glpat", "xoxb",
    "XXXXYYYY", "sk_live", "sk-proj", "hvs.", "emFuemliYXI", "ann.smith", "4111", "378282", OWN,
)  # fmt: skip

ORDINARY = (
    "Access denied for user 'app'@'10.0.0.1' (using password: YES)",
    'secret "checkout-token" not found',
    "couldn't find key API_KEY in Secret payments/checkout-token",
    'MountVolume.SetUp failed for volume "kube-api-access-token" : failed to fetch token: '
    'serviceaccounts "checkout" not found',
    'secrets "db" is forbidden: User "system:serviceaccount:payments:checkout" cannot get resource',
    "ghcr.io/acme/token-service:1.4.2",
    "ghcr.io/acme/token:v1.2.3",
    "ghcr.io/acme/checkout@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "6fa459ea-ee8a-3ca4-894e-db77e160355e",
    "5d41402abc4b2a76b9719d911017c592ab12cd34",
    "2026-11-21T00:00:00.123456789Z",
    "1700000000000000000 1700000000000",
    "checkout-5d8f7c9b6d-x2k4z",
    "pod-template-hash=5d8f7c9b6d",
    "secretName: checkout-tls",
    "imagePullSecrets: regcred",
    "password_file: /etc/app/password",
    "DB_PASSWORD=$(DB_PASSWORD)",
    "tokenExpirationSeconds: 3600",
    "Unauthorized: token expired",
    "invalid bearer token",
    "Basic authentication failed",
    "http://localhost:8080/a?b=c&d=e",
    'Failed to pull image "registry.local:5000/app:1.2": 401 Unauthorized',
    'sum(rate(http_requests_total{job="token"}[5m])) by (pod)',
    "kubelet@node-1.service: main process exited",
    "git@github.com:acme/runbooks.git",
    "orders@db-1.eu-west-1.rds.example.com_Database::SQL",
    "key: value",
    "monkey: banana, author: bob",
    "kubernetes.io/service-account-token",
)

ORDINARY_OBJECT: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {
        "name": "checkout-5d8f7c9b6d-x2k4z",
        "uid": "6fa459ea-ee8a-3ca4-894e-db77e160355e",
        "labels": {"pod-template-hash": "5d8f7c9b6d", "secret": "checkout-token"},
    },
    "spec": {
        "imagePullSecrets": [{"name": "regcred"}],
        "serviceAccountName": "checkout",
        "volumes": [
            {"name": "token", "secret": {"secretName": "checkout-token"}},
            {"name": "api", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        ],
        "containers": [
            {
                "name": "app",
                "image": "ghcr.io/acme/checkout@sha256:9f86d081884c7d659a2feaa0c55ad015",
                "args": ["--token-ttl", "30", "--port", "80"],
                "env": [
                    {
                        "name": "DB_PASSWORD",
                        "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}},
                    },
                    {"name": "TOKEN_TTL", "value": "30"},
                    {"name": "DB_PASSWORD_FILE", "value": "/run/secrets/db"},
                ],
            }
        ],
    },
}

NESTED = st.recursive(
    st.one_of(
        st.none(), st.integers(), st.text("mnop äß09:\n", max_size=20), st.sampled_from(ORDINARY)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text("mnop09", max_size=8), inner, max_size=3),
    ),
    max_leaves=8,
)


def leaks(value: Any) -> list[str]:
    text = json.dumps(value, ensure_ascii=False)
    return [telltale for telltale in TELLTALES if telltale in text]


@pytest.mark.parametrize("secret", SECRETS.values(), ids=list(SECRETS))
def test_a_secret_is_hidden_and_hiding_it_again_changes_nothing(secret: str) -> None:
    cleaned = CLEAN.text(secret)
    assert leaks(cleaned) == []
    assert "[redacted" in cleaned
    assert CLEAN.text(cleaned) == cleaned


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert CLEAN.text(text) == text


def test_an_ordinary_object_is_left_alone() -> None:
    assert CLEAN.value(ORDINARY_OBJECT) == ORDINARY_OBJECT


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(SECRETS)),
    NESTED,
    st.sampled_from(("value", "key", "list", "deep", "line", "json", "escaped")),
    st.sampled_from(("", "\n", " ", "(", "see: ", "2026-11-21 ERROR ")),
)
@example("amex", None, "line", "")
def test_a_planted_secret_survives_in_no_position(
    kind: str, around: Any, position: str, before: str
) -> None:
    secret = before + SECRETS[kind]
    planted: dict[str, Any] = {
        "value": {"a": secret, "b": around},
        "key": {secret: around},
        "list": [around, secret, around],
        "deep": {"items": [{"spec": {"containers": [{"env": [around, secret]}]}}]},
        "line": {"text": f"first line\n{secret}\nlast line"},
        "json": {"annotation": json.dumps({"note": secret})},
        "escaped": {"text": f"body={json.dumps(secret, ensure_ascii=False)} x"},
    }
    cleaned = CLEAN.value(planted[position])
    assert leaks(cleaned) == []
    assert CLEAN.value(cleaned) == cleaned


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=80))
@example("\x00")
@example("İpassword=zanzibar")
def test_any_text_is_cleaned_without_error_and_only_once(text: str) -> None:
    cleaned = CLEAN.text(text)
    assert CLEAN.text(cleaned) == cleaned
    assert "zanzibar" not in cleaned


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(("password", "apiKey", "DB_PASSWORD", "client-secret", "auth_token", "pgpasswd")),
    st.text(string.ascii_letters + string.digits + "!#%*+/.<>?@^_|~-", min_size=8, max_size=24),
    st.sampled_from(('{{"{k}": "{v}"}}', "{k}={v}", "x {k}={v} y", "- {k}: {v}", "--{k}={v}")),
)  # fmt: skip
def test_any_value_of_a_secret_name_is_hidden(name: str, value: str, shape: str) -> None:
    secret = f"Z{value}9"
    assert secret not in CLEAN.text(shape.format(k=name, v=secret))
    assert secret not in json.dumps(CLEAN.value({name: secret}))
    assert secret not in json.dumps(CLEAN.value({"name": name, "value": secret}))
    assert secret not in json.dumps(CLEAN.value([f"--{name}", secret]))


def test_the_data_of_a_secret_shows_its_keys_only() -> None:
    secret = {"kind": "Secret", "data": {"ca.crt": "TUlJ"}, "stringData": {"a": "b"}}
    assert CLEAN.value(secret) == {
        "kind": "Secret",
        "data": {"ca.crt": "[redacted]"},
        "stringData": {"a": "[redacted]"},
    }


def test_a_secret_that_hides_behind_escapes_in_a_json_text_is_found() -> None:
    hidden = json.dumps({"note": "p\u200bass\u200bword=zanzibar"})
    assert "u200b" in hidden
    assert leaks(CLEAN.value({"annotation": f"\n{hidden}"})) == []


def test_the_items_of_a_list_of_secrets_show_their_keys_only() -> None:
    listed = {"kind": "Secret", "items": [{"metadata": {"name": "db"}, "data": {"a": "enphbg=="}}]}
    [item] = CLEAN.value(listed)["items"]
    assert item == {"metadata": {"name": "db"}, "data": {"a": "[redacted]"}}


def test_a_change_to_a_secret_variable_is_told_without_its_values() -> None:
    change = {"path": "containers[app].env[DB_PASSWORD].value", "before": "one", "after": "two"}
    assert CLEAN.value(change) == {**change, "before": "[redacted]", "after": "[redacted]"}
    image = {"path": "containers[token-service].image", "before": "a:1", "after": "a:2"}
    assert CLEAN.value(image) == image


def test_a_megabyte_of_pods_costs_little() -> None:
    """The bound is ten times what a quiet machine needs: it finds a quadratic search, no more."""
    pods = [
        {**ORDINARY_OBJECT, "status": {"message": f"pod {n} is fine", "ip": f"10.0.0.{n}"}}
        for n in range(1300)
    ]
    assert len(json.dumps(pods)) > 1_000_000
    before = time.process_time()
    CLEAN.value(pods)
    assert time.process_time() - before < 1.0


@pytest.mark.parametrize("text", ["a" * 300_000, "key" * 100_000, "=:" * 150_000, "\\" * 300_000])
def test_no_text_makes_the_search_explode(text: str) -> None:
    before = time.process_time()
    CLEAN.text(f"password{text}")
    assert time.process_time() - before < 2.0
