"""What a line of a log means: a table of stems that programs of all kinds use. Pure.

It knows neither the cluster nor where a line came from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Stem:
    """How a kind of trouble is worded."""

    hints: tuple[str, ...]
    """One of these stands (in lower case) in every such line: looked for first, since it costs
    little and nearly every line of a log means nothing."""
    pattern: re.Pattern[str]


def _stem(hints: str, *patterns: str) -> Stem:
    return Stem(tuple(hints.split("|")), re.compile("|".join(patterns), re.IGNORECASE))


MEANINGS: tuple[tuple[str, Stem], ...] = (
    ("feature_flag_fault", _stem(
        "feature flag|feature_flag|featureflag",
        r"feature.?flag\b.{0,60}\b(enabled|failure|fault)\b",
        r"\b(failure|fault)\b.{0,40}\bfeature.?flag",
    )),
    ("port_conflict", _stem(
        "in use|eaddrinuse|addressinuse|allocated",
        r"address (is )?already in use|EADDRINUSE|AddressInUse",
        r"port \d+ (was|is) already (in use|allocated)",
    )),
    ("shm_full", _stem(
        "shm|shared memory",
        r"could not (resize|open) shared memory segment.*(space|memory)",
        r"no space left.*(/dev/shm|shared memory)|/dev/shm.*no space left",
    )),
    ("volume_full", _stem(
        "space|enospc|quota|full|watermark|extend file",
        r"no space left on device|ENOSPC|disk quota exceeded|not enough space on the disk",
        r"\bdisk (is )?full\b|the table '\S+' is full|flood stage disk watermark|could not extend file",
    )),
    ("disk_error", _stem(
        "input/output|eio|i/o error|blk_update|ext4|xfs",
        r"input/output error|\bEIO\b|\bi/o error,? (on )?(dev|device)|blk_update_request",
        r"EXT4-fs error|\bXFS \S+: .*(corrupt|error)",
    )),
    ("db_read_only", _stem(
        "read-only|read only|readonly|notwritableprimary|slaveok",
        r"read[- ]only (transaction|mode|replica|database)|--(super-)?read-only option|READONLY You",
        r"NotWritablePrimary|not (master|primary) and slaveOk|readonly database|database is (in )?read[- ]only",
    )),
    ("volume_mount_permission_denied", _stem(
        "permission denied|eacces|not writable|read-only file|erofs",
        r"(permission denied|EACCES|not writable).*['\"/ ]/\w|['\"/ ]/\w\S*.*permission denied",
        r"(can't|cannot|failed to|could not) (open|create|write)\b.*permission denied|read-only file system|EROFS",
    )),
    ("db_connection_exhaustion", _stem(
        "too many|slots|max number of clients|limit exceeded|ora-|con_count",
        r"too many (open )?(connections|clients)|remaining connection slots|max number of clients reached",
        r"connection limit exceeded|ORA-(00020|12519)|ER_CON_COUNT",
    )),
    ("credentials_refused", _stem(
        "denied for|authentication|wrongpass|noauth|username-password|role |ora-01017|access_refused|login failed|pg_hba"
        "|invalidaccesskey|signaturedoesnotmatch|clienttoken|expiredtoken|unrecognizedclient|bad credentials|invalid_client"
        "|invalid_grant|authfailure|security token|api key|not authorized|accessdenied|command denied|noperm|permission denied for"
        "|authorizationexception|authorizationfailed|does not have",
        r"access denied for user|\bauthentication failed|WRONGPASS|NOAUTH|invalid username-password",
        r"\brole \S+ does not exist|ORA-01017|SASL authentication|SaslAuthenticationException",
        r"ACCESS_REFUSED|login failed for user|no pg_hba\.conf entry|permission denied for (user|database|schema)",
        r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|\bExpiredToken|UnrecognizedClientException|\bAuthFailure\b",
        r"security token included in the request is (invalid|expired)|\b(invalid|expired|incorrect|revoked) api key\b",
        r"\bnot authorized (on \S+ )?to (execute|perform|access)\b|\bAccessDenied(Exception)?\b|\bcommand denied to user\b",
        r"\bNOPERM\b|permission denied for (table|relation|schema|database|sequence|function)|\w+AuthorizationException\b",
        r"\bAuthorizationFailed\b|does not have \S+ (access|permission)",
        r"\bbad credentials\b|\b(error|code)\b.{0,12}\binvalid_(client|grant)\b",
    )),
    ("cache_memory_full", _stem("maxmemory|oom command", r"OOM command not allowed|used memory > 'maxmemory'")),
    ("out_of_memory_in_process", _stem(
        "memory|bad_alloc",
        r"\bOutOfMemoryE(rror|xception)\b|heap out of memory|\bMemoryError\b|cannot allocate memory|std::bad_alloc",
        r"runtime: out of memory|allowed memory size of \d+ bytes exhausted",
    )),
    ("gc_thrash", _stem(
        "gc overhead|jvmgcmonitor|collecting|jvm pause",
        r"gc overhead limit exceeded|JvmGcMonitor.*overhead|spent \[?\d+(\.\d+)?m?s\]? collecting in the last",
        r"jvm pause of approximately \d{4,}",
    )),
    ("pool_exhausted", _stem(
        "pool|idle object|acquire|obtain|checkout|check out",
        r"\bpool (is |was |has been )?exhausted|timeout waiting for (idle object|connection from pool)",
        r"(unable|failed) to (acquire|obtain|check ?out) (a )?(database |jdbc )?connection",
        r"HikariPool.*request timed out|QueuePool limit|prior to obtaining a connection from the pool|\bPoolTimeout",
        r"connection pool timeout|could not get a resource from the pool|no available connections? in (the )?pool",
    )),
    ("certificate_name_mismatch", _stem(
        "certificate|altname|alternative name",
        r"certificate is (not )?valid for .*\bnot\b|subject alternative names?\b.*(match|found)|ERR_TLS_CERT_ALTNAME",
        r"certificate.*host ?name mismatch|host ?name.* does not match (the )?(server )?certificate|RemoteCertificateNameMismatch",
        r"does not match certificate's altnames",
    )),
    ("certificate_expired", _stem(
        "certificate|cert_has|cert_not|nottimevalid",
        r"certificate (has |is )?expired|certificate is not yet valid|CERT_(HAS_EXPIRED|NOT_YET_VALID)|CertificateExpired",
        r"expired certificate|\bNotTimeValid\b|CertificateNotYetValid",
    )),
    ("certificate_untrusted", _stem(
        "authority|self-signed|self signed|issuer|pkix|leaf|verify failed|unknown ca|x509|chainerrors",
        r"unknown authority|self[- ]signed certificate|unable to get (local )?issuer|PKIX path|UNABLE_TO_VERIFY_LEAF",
        r"certificate verify failed|unknown ca\b|x509: |RemoteCertificateChainErrors",
    )),
    ("rbac_denied", _stem(
        "forbidden",
        r"is forbidden: User|forbidden: .* cannot (get|list|watch|create|update|patch|delete)",
    )),
    ("missing_env", _stem(
        "required|not set|missing|undefined|must be set|keyerror|key not found|placeholder|unbound",
        r"(environment variable|env var|config(uration)? (key|value)|setting|property)\W+\S+\W+"
        r"(is )?(required|not set|missing|undefined|must be set)",
        r"missing required (environment|config|env|setting)|(?-i:KeyError: ['\"][A-Z][A-Z0-9_]{2,}|key not found: \"[A-Z][A-Z0-9_]{2,})",
        r"could not resolve placeholder|: unbound variable|required key \S+ missing value",
        r"(?-i:\b[A-Z][A-Z0-9]*_[A-Z0-9_]+)['\"]? (environment variable )?(is )?(not set|required|undefined|must be set|missing)\b",
    )),
    ("image_wrong_arch", _stem("exec format", r"exec format error")),
    ("bad_command", _stem(
        "executable|no such file|command not found|main class|jarfile|module|can't open file|shared libraries",
        r"exec:? .*: (no such file or directory|executable file not found)|: command not found",
        r"could not find or load main class|unable to access jarfile|cannot find module '|ModuleNotFoundError",
        r"can't open file '\S+'|error while loading shared libraries",
    )),
    ("incompatible_version", _stem(
        "support|compatible|initialized by|rdb format|upgrade|downgrade|glibc",
        r"(unsupported|not supported) (protocol |database |schema |file |redo log )?(version|format)\b|incompatible (with|version|data)\b",
        r"UnsupportedClassVersion|UNSUPPORTED_VERSION|database files are incompatible|(data|database) (files|directory) .*not compatible",
        r"was initialized by \S+ version|can't handle RDB format|invalid \S+ server upgrade|cannot (downgrade|upgrade) (from|data)",
        r"featureCompatibilityVersion|GLIBC_\S+ not found",
    )),
    ("bad_config", _stem(
        "config|unknown|unrecogni|flag provided|emerg|yaml|failed to bind",
        r"invalid config(uration)?\b|(failed|unable|error) (to )?(pars|load|read)(e|ing)?( the)? config",
        r"unknown (directive|flag|config(uration)? (key|option))|unknown variable '",
        r"unrecogni[sz]ed (option|argument|flag|setting)|flag provided but not defined|yaml: (line \d|unmarshal)",
        r"\[emerg\](?!.*(host not found|address|connect))",
        r"FATAL CONFIG FILE ERROR|failed to bind properties",
    )),
    ("schema_missing", _stem(
        "relation|column|table|ora-009|object name|migration|dirty|schema-validation",
        r"relation \S+ does not exist|unknown column|table \S+ doesn't exist|no such (table|column)\b|column \S+ does not exist",
        r"invalid (object|column) name|ORA-009(42|04)|Undefined(Table|Column)|pending migrations?\b|dirty database version",
        r"schema-validation: missing|migration .{0,60}\bfailed",
    )),
    ("lock_contention", _stem(
        "deadlock|lock wait|lock timeout|the lock|obtain lock|acquire lock|is locked|ora-00060|serialize",
        r"deadlock (found|detected)|lock wait timeout|due to lock timeout|could not (obtain|acquire) (the )?lock",
        r"database is locked|ORA-00060|could not serialize access",
    )),
    ("slow_query", _stem(
        "slow|collscan|table scan|statement|duration:",
        r"slow (query|sql|statement|command)\b.{0,80}\d|COLLSCAN|full table scan|due to statement timeout",
        r"maximum statement execution time|duration: \d{5,}(\.\d+)? ms",
    )),
    ("broker_trouble", _stem(
        "leader|replicas|topic|no queue|no exchange|precondition|alarm|commitfailed|poll.interval|offsetoutofrange|broker",
        r"NOT_LEADER|LEADER_NOT_AVAILABLE|NotEnoughReplicas|UNKNOWN_TOPIC|\bno (queue|exchange) '|PRECONDITION_FAILED",
        r"resource limit alarm|CommitFailed|max\.poll\.interval|OffsetOutOfRange|NoBrokersAvailable|broker transport failure",
    )),
    ("leader_lost", _stem(
        "leader|lease",
        r"leader ?election lost|failed to renew lease|stopped leading|\blost (the )?leader",
    )),
    ("name_not_resolved", _stem(
        "no such host|unknownhost|enotfound|eai_again|not known|resolution|host name|misbehaving|nodename|host not found",
        r"no such host|UnknownHost|ENOTFOUND|EAI_AGAIN|name or service not known|failure in name resolution",
        r"could not translate host name|server misbehaving|nodename nor servname|host not found",
    )),
    ("dependency_refused", _stem(
        "refused|link failure|503|upstream|unavailable|connect to",
        r"connection refused|actively refused|ECONNREFUSED|communications link failure|503 service unavailable",
        r"upstream connect error|no healthy upstream|code = Unavailable",
        r"(can't|could not|couldn't|cannot|unable to) connect to \S",
    )),
    ("dependency_timeout", _stem(
        "deadline|timed out|timeout|504|no route|serverselection|timedout",
        r"deadline exceeded|timed out|(connect|read|request|query|i/o) timeout\b(?!\W{0,3}\d| \()|ETIMEDOUT|DeadlineExceeded",
        r"SocketTimeout|504 gateway|no route to host|ServerSelectionTimeout",
    )),
    ("rate_limited", _stem(
        "429|too many requests|rate",
        r"(status|code|HTTP|answered)\W{0,4}429\b|\b429 Too Many|too many requests|\brate.?limit(ed|ing)?\b",
    )),
)  # fmt: skip
"""Tried in order: the more specific a stem, the earlier it stands."""

RANK = {kind: place for place, (kind, _) in enumerate(MEANINGS)}

_UNSAID = re.compile(
    r"^\s*at [\w.$<]+[\w$>]+\("  # a frame of a stack
    r"|^\++ \S"  # a shell that traces its commands
    r"|(?:^|\s)-(?:XX:|Xm[sxn])\S+.*\s-(?:XX:|Xm[sxn]|D)"  # flags that a program was started with
    r"|\blevel\W{1,4}(?:debug|trace)\b|^\s*(?:DEBUG|TRACE)\b|\s(?:DEBUG|TRACE)\s+\d* ?-",
    re.IGNORECASE,
)
"""Lines in which a word of trouble is said of nothing that happened."""


_HINTS = tuple((hint, place) for place, (_, stem) in enumerate(MEANINGS) for hint in stem.hints)


def meaning(text: str) -> str:
    """The kind that an error line means, or an empty text."""
    lowered = text.lower()
    likely = sorted({place for hint, place in _HINTS if hint in lowered})
    rows = (MEANINGS[place] for place in likely)
    kind = next((kind for kind, stem in rows if stem.pattern.search(text)), "")
    return "" if kind and _UNSAID.search(text) else kind
