"""What a line means: the words of many programs, and the lines that only sound like trouble."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.checks.reading.logs.log_meanings import MEANINGS, RANK, meaning
from assistant.engines import engine
from assistant.log_calls import address

LINES = [
    ("listen tcp :8080: bind: address already in use", "port_conflict"),
    ("Error: listen EADDRINUSE: address already in use :::3000", "port_conflict"),
    ("Web server failed to start. Port 8080 was already in use.", "port_conflict"),
    ("Access denied for user 'shop'@'10.0.0.3' (using password: YES)", "credentials_refused"),
    ('FATAL:  password authentication failed for user "shop"', "credentials_refused"),
    ("MongoServerError: Authentication failed.", "credentials_refused"),
    ("WRONGPASS invalid username-password pair or user is disabled.", "credentials_refused"),
    ("org.apache.kafka.common.errors.SaslAuthenticationException: bad", "credentials_refused"),
    ("AMQPLAIN login was refused: 403 ACCESS_REFUSED", "credentials_refused"),
    ("ERROR 1040 (HY000): Too many connections", "db_connection_exhaustion"),
    ("FATAL: remaining connection slots are reserved for superusers", "db_connection_exhaustion"),
    ("ERR max number of clients reached", "db_connection_exhaustion"),
    ("HikariPool-1 - Connection is not available, request timed out after 30000ms.", "pool_exhausted"),
    ("sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached", "pool_exhausted"),
    ("redis: connection pool timeout", "pool_exhausted"),
    ("NpgsqlException: The connection pool has been exhausted, either raise 'Max Pool Size'", "pool_exhausted"),
    ("An error occurred (SignatureDoesNotMatch) when calling the PutObject operation", "credentials_refused"),
    ("oauth2: error code: invalid_client, check the secret", "credentials_refused"),
    ("invalid because of errors in the certificate chain: NotTimeValid", "certificate_expired"),
    ("ERROR 1290 (HY000): running with the --read-only option", "db_read_only"),
    ("ERROR: cannot execute INSERT in a read-only transaction", "db_read_only"),
    ("READONLY You can't write against a read only replica.", "db_read_only"),
    ("write /var/lib/data/wal: no space left on device", "volume_full"),
    ('could not resize shared memory segment "/PostgreSQL.1" to 8 bytes: No space left on device', "shm_full"),
    ("read /data/0001.sst: input/output error", "disk_error"),
    ("open /data/cache: permission denied", "volume_mount_permission_denied"),
    ("mkdir: cannot create directory '/data/x': Read-only file system", "volume_mount_permission_denied"),
    ("x509: certificate has expired or is not yet valid", "certificate_expired"),
    ("x509: certificate is valid for a.example, not b.example", "certificate_name_mismatch"),
    ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "certificate_untrusted"),
    ("PKIX path building failed: unable to find valid certification path", "certificate_untrusted"),
    ('pods is forbidden: User "system:serviceaccount:shop:web" cannot list resource', "rbac_denied"),
    ("environment variable STRIPE_KEY is required", "missing_env"),
    ("KeyError: 'DATABASE_URL'", "missing_env"),
    ("Could not resolve placeholder 'orders.url' in value \"${orders.url}\"", "missing_env"),
    ("/entrypoint.sh: line 3: DB_HOST: unbound variable", "missing_env"),
    ("panic: DATABASE_URL is not set", "missing_env"),
    ('nginx: [emerg] unknown directive "prox_pass" in /etc/nginx/nginx.conf:7', "bad_config"),
    ("Error: unknown flag: --tls-crt", "bad_config"),
    ('nginx: [emerg] host not found in upstream "web" in /etc/nginx/nginx.conf:7', "name_not_resolved"),
    ("FATAL: database files are incompatible with server", "incompatible_version"),
    ("Can't handle RDB format version 11", "incompatible_version"),
    ("exec /usr/bin/server: exec format error", "image_wrong_arch"),
    ("sh: runserver: command not found", "bad_command"),
    ("Error: Cannot find module '/app/server.js'", "bad_command"),
    ("java.lang.OutOfMemoryError: Java heap space", "out_of_memory_in_process"),
    ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "out_of_memory_in_process"),
    ("OOM command not allowed when used memory > 'maxmemory'.", "cache_memory_full"),
    ("[gc][old] overhead, spent [21s] collecting in the last [21.7s]", "gc_thrash"),
    ('ERROR: relation "orders" does not exist at character 15', "schema_missing"),
    ("Unknown column 'o.total' in 'field list'", "schema_missing"),
    ("Deadlock found when trying to get lock; try restarting transaction", "lock_contention"),
    ("Lock wait timeout exceeded; try restarting transaction", "lock_contention"),
    ("LOG:  duration: 15230.114 ms  statement: SELECT * FROM orders", "slow_query"),
    ("Slow query: 2300 ms planSummary: COLLSCAN", "slow_query"),
    ("error from broker: NOT_LEADER_OR_FOLLOWER", "broker_trouble"),
    ("memory resource limit alarm set on node rabbit@rabbit-0", "broker_trouble"),
    ("leaderelection lost for kube-system/controller", "leader_lost"),
    ("getaddrinfo ENOTFOUND orders-db", "name_not_resolved"),
    ("java.net.UnknownHostException: orders-db", "name_not_resolved"),
    ("[Errno -3] Temporary failure in name resolution", "name_not_resolved"),
    ("connect ECONNREFUSED 10.0.0.4:3306", "dependency_refused"),
    ("Communications link failure", "dependency_refused"),
    ("No connection could be made because the target machine actively refused it.", "dependency_refused"),
    ("context deadline exceeded", "dependency_timeout"),
    ("429 Too Many Requests", "rate_limited"),
    ("Product Catalog Fail Feature Flag Enabled", "feature_flag_fault"),
]  # fmt: skip

CALM = [
    "GET /healthz 200 3ms",
    "connected to orders-db:5432 as shop",
    "password for user shop was read from /run/secrets/db",
    "processed 429 orders in 3 s",
    "request took 504 ms",
    "loaded settings; timeout=30s retries=3",
    "server listening, read timeout 5s, idle timeout 60s",
    "+ JAVA_OPT=' -server -Xms1g -XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/tmp/x'",
    "java -Xmx1g -XX:+ExitOnOutOfMemoryError -XX:+UseG1GC -jar app.jar",
    "\tat com.mysql.cj.exceptions.ConnectionRefusedException.of(Driver.java:12)",
    '{"level":"debug","msg":"connection refused, will try the next one"}',
    "DEBUG pool exhausted? no",
]


@pytest.mark.parametrize(("text", "kind"), LINES)
def test_a_line_means_what_programs_mean_by_it(text, kind):
    assert meaning(text) == kind


@pytest.mark.parametrize("text", CALM)
def test_a_line_that_only_sounds_like_trouble_means_nothing(text):
    assert meaning(text) == ""


def test_each_kind_stands_once_and_has_a_line_here():
    assert len(RANK) == len(MEANINGS)
    assert {kind for _, kind in LINES} == set(RANK)


def test_the_hints_of_a_stem_are_in_lower_case_or_they_would_never_be_found():
    assert all(hint == hint.lower() for _, stem in MEANINGS for hint in stem.hints)


@pytest.mark.parametrize(("text", "kind"), LINES)
def test_a_hint_never_hides_a_line_that_the_pattern_knows(text, kind):
    assert any(hint in text.lower() for hint in dict(MEANINGS)[kind].hints)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("dial tcp: lookup orders-db on 10.96.0.10:53: no such host", ("orders-db", "")),
        ("dial tcp 10.1.2.3:5432: connect: connection refused", ("10.1.2.3", "5432")),
        ("connect ECONNREFUSED 10.0.0.4:3306", ("10.0.0.4", "3306")),
        ("jdbc:mysql://orders-db:3306/shop: Communications link failure", ("orders-db", "3306")),
        ("getaddrinfo ENOTFOUND cache.shop.svc", ("cache.shop.svc", "")),
        ("it timed out", ("", "")),
        ("ERROR 1040 (HY000): Too many connections", ("", "")),
        ("connection refused", ("", "")),
        ("lost connection to server", ("", "")),
        ("Driver.connect(NonRegisteringDriver.java:188)", ("", "")),
    ],
)
def test_the_address_of_an_error_is_the_one_that_was_called(text, where):
    assert address(text) == where


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("com.mysql.cj.jdbc.exceptions.CommunicationsException", "mysql"),
        ("pq: sorry, too many clients already", "postgres"),
        ("WRONGPASS invalid username-password pair", "redis"),
        ("ORDERS_MONGO_URL", "mongo"),
        ("the shop is open", ""),
    ],
)
def test_a_database_is_known_by_its_own_words(text, name):
    assert engine(text) == name


@given(st.text(max_size=400))
def test_no_line_of_a_log_breaks_its_reading(text):
    assert isinstance(meaning(text), str)
    assert len(address(text)) == 2
