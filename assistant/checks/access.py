"""What accounts may not do: the verb that a Role lacks, and tokens that were never mounted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import anyio

from assistant.checks.case import Case
from assistant.checks.reading.logs.hearing import lines
from assistant.checks.reading.logs.log_reading import read
from assistant.incident import Citation, Entity, Evidence, Finding
from assistant.snapshot import Object, Snapshot, dig, listing, mapping, moment

_FORBIDDEN = re.compile(
    r'User \\*"(?P<user>[^"\\]+)\\*" cannot (?P<verb>\w+) resource \\*"(?P<resource>[\w./-]+)\\*"'
    r' in API group \\*"(?P<group>[^"\\]*)\\*"(?: in the namespace \\*"(?P<namespace>[^"\\]+)\\*")?'
)
_ACCOUNT = re.compile(r"^system:serviceaccount:(?P<namespace>[^:]+):(?P<name>[^:]+)$")
_NO_TOKEN = re.compile(
    r"serviceaccount/token: no such file|unable to load in-cluster configuration"
    r"|service host/port is not set",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Denial:
    """What an account asked for and was refused."""

    user: str
    verb: str
    resource: str
    group: str
    namespace: str
    citation: Citation
    at: str

    @property
    def account(self) -> Entity | None:
        """The ServiceAccount; None for a user of another kind."""
        found = _ACCOUNT.match(self.user)
        if not found:
            return None
        return Entity(kind="ServiceAccount", name=found["name"], namespace=found["namespace"])

    @property
    def wanted(self) -> str:
        """`list pods in shop`, `get nodes in the whole cluster`."""
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {resource} in {self.namespace or 'the whole cluster'}"


async def check(case: Case) -> list[Finding]:
    """Denials of the API server, each with the Role that nearly fits, and pods without a token."""
    logs = await read(case)
    found = [finding for owner, rows in logs.items() for finding in _tokenless(case, owner, rows)]
    denials = [(owner, d) for owner, rows in logs.items() for d in _denials(rows)]
    denials += list(_of_events(case))
    told: dict[tuple[Entity, str], Finding] = {}
    for owner, denial in denials:
        if (owner, denial.wanted) not in told:
            roles = await _roles(case, denial)
            told[owner, denial.wanted] = _finding(owner, denial, roles)
    return [*found, *told.values()]


def _denials(logs: list[Evidence]) -> Iterator[Denial]:
    for log, at, text in lines(logs, lambda text: " cannot " in text and "user" in text):
        match = _FORBIDDEN.search(text)
        if match:
            yield _denial(match, log.cite(text), at)


def _of_events(case: Case) -> Iterator[tuple[Entity, Denial]]:
    for event in case.snapshot.events:
        match = _FORBIDDEN.search(event.message)
        if match and case.in_window(event.last):
            about = Entity(kind=event.kind, name=event.name, namespace=event.namespace)
            seen = case.snapshot.find(about)
            at = event.first.isoformat() if event.first else ""
            yield (
                case.snapshot.owner(seen).entity if seen else about,
                _denial(match, event.cite(), at),
            )


def _denial(match: re.Match[str], citation: Citation, at: str) -> Denial:
    return Denial(
        user=match["user"],
        verb=match["verb"],
        resource=match["resource"],
        group=match["group"],
        namespace=match["namespace"] or "",
        citation=citation,
        at=at,
    )


async def _roles(case: Case, denial: Denial) -> Snapshot:
    """The roles and bindings that could grant it; empty where they may not be read."""
    kinds = ["ClusterRole", "ClusterRoleBinding"]
    answers: list[Evidence] = []
    places = [(kind, "") for kind in kinds]
    if denial.namespace:
        places += [(kind, denial.namespace) for kind in ("Role", "RoleBinding")]

    async def one(kind: str, namespace: str) -> None:
        arguments = {"kind": kind, "namespace": namespace, "view": "full", "limit": 500}
        answers.append(
            await case.ask("kubernetes.list_resources", arguments, f"who may {denial.wanted}")
        )

    if denial.account:
        async with anyio.create_task_group() as group:
            for kind, namespace in places:
                group.start_soon(one, kind, namespace)
    return Snapshot.made_of(sorted(answers, key=lambda row: row.id))


def _finding(owner: Entity, denial: Denial, roles: Snapshot) -> Finding:
    nearly, cited = _nearly(denial, roles)
    who = str(denial.account or denial.user)
    account = (denial.account,) if denial.account else ()
    return Finding(
        kind="rbac_denied",
        entity=owner,
        statement=f"{owner}: {who} may not {denial.wanted}{nearly}"[:400],
        citations=(denial.citation, *cited),
        began=moment(denial.at),
        strength=0.9,
        details={
            "verb": denial.verb,
            "resource": denial.resource,
            "group": denial.group,
            "account": who,
            "namespace": denial.namespace,
        },
        about=account,
    )


def _nearly(denial: Denial, roles: Snapshot) -> tuple[str, tuple[Citation, ...]]:
    """What is there of a grant: a Role short of the verb, one that nobody bound, a binding to nothing."""
    bound = [row for row in _bindings(roles) if _binds(row, denial)]
    for binding in bound:
        role = _role_of(binding, roles)
        if role is None and roles.listed(
            str(dig(binding.raw, "roleRef", "kind")), binding.namespace
        ):
            name = str(dig(binding.raw, "roleRef", "name"))
            return f"; {binding.entity} binds it to {name}, which does not exist", binding.cite(
                name
            )
        verbs = _verbs(role, denial) if role else []
        if role and verbs:
            return f"; {role.entity} lets it only {', '.join(verbs)}", role.cite(
                role.name, verbs[0]
            )
    for role in [*roles.of("Role"), *roles.of("ClusterRole")]:
        if role.name.startswith("system:") or role.name in (
            "admin",
            "edit",
            "cluster-admin",
            "view",
        ):
            continue
        if {denial.verb, "*"} & set(_verbs(role, denial)):
            return f"; {role.entity} would allow it and is not bound to it", role.cite()
    return ("; nothing is bound to it" if not bound and _bindings(roles) else ""), ()


def _bindings(roles: Snapshot) -> list[Object]:
    return [*roles.of("RoleBinding"), *roles.of("ClusterRoleBinding")]


def _binds(binding: Object, denial: Denial) -> bool:
    account = denial.account
    return account is not None and any(
        (dig(row, "kind"), dig(row, "name"), dig(row, "namespace") or binding.namespace)
        == ("ServiceAccount", account.name, account.namespace)
        for row in listing(binding.raw, "subjects")
    )


def _role_of(binding: Object, roles: Snapshot) -> Object | None:
    kind = str(dig(binding.raw, "roleRef", "kind"))
    place = binding.namespace if kind == "Role" else ""
    return roles.get(kind, place, str(dig(binding.raw, "roleRef", "name")))


def _verbs(role: Object | None, denial: Denial) -> list[str]:
    """What a role allows on the resource that was asked for."""
    rows: list[Mapping[str, object]] = (
        [mapping(row) for row in listing(role.raw, "rules")] if role else []
    )
    return [
        str(verb)
        for row in rows
        if {denial.group, "*"} & set(listing(row, "apiGroups"))
        and {denial.resource, "*"} & set(listing(row, "resources"))
        for verb in listing(row, "verbs")
    ]


def _tokenless(case: Case, owner: Entity, logs: list[Evidence]) -> Iterator[Finding]:
    """A program that looks for its account's token and has none."""
    said = next(lines(logs, lambda text: bool(_NO_TOKEN.search(text))), None)
    workload = case.snapshot.find(owner)
    if not said or not workload:
        return
    log, at, text = said
    off = _not_mounted(case, workload)
    yield Finding(
        kind="service_account_token_missing",
        entity=owner,
        statement=f"{owner} has no token of its ServiceAccount{off}: {text[:200]}",
        citations=(log.cite(text), *workload.cite()),
        began=moment(at),
        strength=0.95 if off else 0.8,
    )


def _not_mounted(case: Case, workload: Object) -> str:
    """Whether its pods, or its account, say that none is to be mounted."""
    if workload.template.get("automountServiceAccountToken") is False:
        return ", its pods have automountServiceAccountToken: false"
    name = str(workload.template.get("serviceAccountName") or "default")
    account = case.snapshot.get("ServiceAccount", workload.namespace, name)
    unset = "automountServiceAccountToken" not in workload.template
    if account and unset and account.raw.get("automountServiceAccountToken") is False:
        return f", ServiceAccount {name} has automountServiceAccountToken: false"
    return ""
