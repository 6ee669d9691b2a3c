"""Records: a stack trace is one thing said, and its innermost cause tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.checks.reading.logs.complaints import complaints
from assistant.checks.reading.logs.log_records import level, readable, records
from assistant.checks.reading.logs.log_templates import templates
from assistant.incident import Entity
from tests.assistant.checks.cluster import ago, evidence, logs

WEB = Entity(kind="Deployment", name="web", namespace="shop")

JAVA = """2026-03-14 02:20:11.120 ERROR 1 --- [main] o.s.boot.SpringApplication : Application run failed
org.springframework.beans.factory.BeanCreationException: Error creating bean 'orders'
\tat org.springframework.beans.Factory.create(Factory.java:17)
Caused by: com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure

The last packet sent successfully to the server was 0 milliseconds ago.
\tat com.mysql.cj.jdbc.ConnectionImpl.connect(ConnectionImpl.java:825)
\t... 24 common frames omitted
Caused by: java.net.UnknownHostException: orders-db
\tat java.net.InetAddress.getAllByName(InetAddress.java:1281)"""

PYTHON = """Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    settings = os.environ["STRIPE_KEY"]
  File "<frozen os>", line 679, in __getitem__
KeyError: 'STRIPE_KEY'"""

GO = """panic: dial tcp 10.0.0.9:6379: connect: connection refused

goroutine 1 [running]:
main.main()
\t/src/main.go:14 +0x1d"""

DOTNET = """fail: Shop.Orders[0]
      System.InvalidOperationException: An exception has been raised
       ---> Npgsql.NpgsqlException: Exception while connecting
       ---> System.Net.Sockets.SocketException (111): Connection refused
         at Npgsql.Internal.Connect()"""

RUST = """thread 'main' panicked at src/main.rs:9:5:
   PoolTimeout
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace"""

RUBY = """/app/boot.rb:4:in `connect': could not translate host name "orders-db" to address (PG::ConnectionBad)
\tfrom /app/boot.rb:9:in `<main>'"""


def said(text):
    return records(evidence("kubernetes.get_pod_logs", {"pod": "p"}, logs(*text.splitlines())))


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        (JAVA, "name_not_resolved", "Caused by: java.net.UnknownHostException: orders-db"),
        (PYTHON, "missing_env", "KeyError: 'STRIPE_KEY'"),
        (GO, "dependency_refused", GO.splitlines()[0]),
        (DOTNET, "dependency_refused", DOTNET.splitlines()[3]),
        (RUST, "pool_exhausted", "   PoolTimeout"),
        (RUBY, "name_not_resolved", RUBY.splitlines()[0]),
    ],
)
def test_a_stack_is_one_record_and_one_line_of_it_tells(text, kind, line):
    (record,) = said(text)
    told, where = record.told
    assert (told, where.text) == (kind, line)


def test_two_tracebacks_are_two_records():
    assert len(said(f"{PYTHON}\n{PYTHON}")) == 2


def test_of_an_unknown_trace_the_line_that_names_the_exception_tells():
    text = PYTHON.replace("KeyError: 'STRIPE_KEY'", "shop.errors.BasketError: the basket is odd")
    (record,) = said(text)
    assert record.told[1].text == "shop.errors.BasketError: the basket is odd"


def test_the_engine_of_a_record_stands_in_any_of_its_lines():
    assert said(JAVA)[0].engine == "mysql"


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ('{"level":"error","ts":1.5,"msg":"no"}', "error"),
        ('{"level":50,"time":1700000000000,"msg":"no","pid":7}', "error"),
        ('{"@timestamp":"2026-03-14","log.level":"WARN","message":"hm"}', "warn"),
        ('time="2026-03-14T02:20:11Z" level=warning msg="slow"', "warn"),
        ("E0314 02:20:11.000000       1 reflector.go:138] failed", "error"),
        ("2026/03/14 02:20:11 [error] 29#29: *1 connect() failed", "error"),
        ("2026-03-14 02:20:11.120 ERROR 1 --- [main] o.s.Boot : failed", "error"),
        ("2026-03-14T02:20:11.1Z 585 [Warning] Too many connections", "warn"),
        ("2026-03-14 02:20:11 UTC [71] FATAL:  sorry", "error"),
        ("1:M 14 Mar 2026 02:20:11.000 # Warning: no persistence", "warn"),
        ("warn: Shop.Orders[0]", "warn"),
        ("INFO:root:fine", "info"),
        ("the shop is open", ""),
    ],
)
def test_the_level_of_a_line_is_what_its_program_calls_it(text, how):
    assert level(text) == how


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('{"level":"error","msg":"checkout failed","error":"timed out"}', "checkout failed: timed out"),
        ('{"err":{"message":"ECONNREFUSED","stack":"..."},"msg":"no"}', "no: ECONNREFUSED"),
        ('level=error msg="cannot sync" err="no route"', "cannot sync: no route"),
        ("  plain text ", "plain text"),
        ("{not json", "{not json"),
    ],
)  # fmt: skip
def test_a_structured_line_is_told_in_its_own_words(text, plain):
    assert readable(text) == plain


def test_a_complaint_counts_its_records_and_keeps_the_first():
    rows = [
        {"time": ago(minutes), "text": f"dial tcp: lookup orders-db on 10.0.0.{minutes}:53: no such host"}
        for minutes in (9, 5, 3)
    ]  # fmt: skip
    item = evidence("kubernetes.get_pod_logs", {"pod": "p"}, {**logs(), "lines": rows})
    (found,) = complaints(WEB, [item])
    assert (found.kind, found.host, len(found.records)) == ("name_not_resolved", "orders-db", 3)
    assert found.line.text == rows[0]["text"]


def test_lines_that_differ_in_numbers_and_ids_share_a_template():
    lines = [f"order {n} of 0a1b2c3d4e5f{n:04d} took {n}.5 s" for n in range(20)]
    (found,) = templates([*lines])
    assert found.text == "order <*> of <*> took <*> s"
    assert len(found.rows) == 20


def test_lines_of_other_words_have_templates_of_their_own():
    found = templates(
        ["printer gate one is slow", "printer gate two is slow", "the till is shut now"]
    )
    assert [template.text for template in found] == [
        "printer gate <*> is slow",
        "the till is shut now",
    ]


@given(st.lists(st.text(max_size=80), max_size=30))
def test_every_line_is_in_exactly_one_template_whatever_it_holds(lines):
    places = sorted(place for template in templates(lines) for place in template.rows)
    assert places == list(range(len(lines)))


@given(st.lists(st.text(max_size=120), max_size=20))
def test_no_log_breaks_the_records_and_no_line_with_words_is_lost(lines):
    rows = records(evidence("kubernetes.get_pod_logs", {"pod": "p"}, logs(*lines)))
    kept = [line.text for record in rows for line in record.lines]
    assert [text for text in kept if text.strip()] == [text for text in lines if text.strip()]
    assert all(isinstance(record.told[0], str) for record in rows)
