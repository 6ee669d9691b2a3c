"""The cluster's DNS is restarted with a misspelt configuration, and does not come up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases import lifecycle
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.clinic_objects import COREFILE
from eval.cases.system import System, stamp

TOLD = Told(
    "HighErrorRate",
    "booking-api: 5xx ratio above 10%",
    {"job": "booking-api"},
    "More than 10% of requests to booking-api fail since 5 minutes",
    minutes=8,
)


def build() -> System:
    """The clinic twelve minutes after the restart."""
    clinic = healthy_clinic("nightjar", datetime(2026, 11, 19, 16, 36, 10, tzinfo=UTC))
    noise.usual(clinic)
    edited, restarted = clinic.ago(minutes=25), clinic.ago(minutes=12)
    corefile = COREFILE.replace("forward . /etc", "forwrad . /etc")
    troubles.configure(
        clinic, "ConfigMap", "coredns", {"Corefile": corefile}, edited, "kube-system"
    )
    reloading = "![ERROR] Restart failed: /etc/coredns/Corefile:12 - Error during parsing: Unknown directive 'forwrad'"
    troubles.lines(clinic, clinic.pods_of("coredns"), edited, 45, reloading)
    revision = troubles.revise(clinic, "coredns", restarted)
    revision.pod_annotations = {"kubectl.kubernetes.io/restartedAt": stamp(restarted)}
    words = ("!/etc/coredns/Corefile:12 - Error during parsing: Unknown directive 'forwrad'",)
    for number, old in enumerate(clinic.pods_of("coredns")):
        moment = restarted + timedelta(seconds=2 + number)
        pod = lifecycle.place(clinic, clinic.workloads["coredns"], revision, moment)
        lifecycle.delete(clinic, old, moment + timedelta(seconds=20))
        troubles.crashes(clinic, pod, troubles.Crash(1, 1, words))
    for pair, why in {
        "booking-api->slot-api": "System.Net.Http.HttpRequestException: Name or service not known (slot-api:9000)",
        "booking-api->patient-api": "System.Net.Http.HttpRequestException: Name or service not known (patient-api:5000)",
        "patient-api->records-db": 'psycopg2.OperationalError: could not translate host name "records-db" to address: Temporary failure in name resolution',
        "slot-api->redis": "dial tcp: lookup redis on 10.96.0.10:53: read udp 10.244.1.9:40112->10.96.0.10:53: read: connection refused",
        "web->slot-api": "Error: getaddrinfo EAI_AGAIN slot-api.clinic.svc.cluster.local",
        "letter-worker->api.postmill.example": "socket.gaierror: [Errno -3] Temporary failure in name resolution",
    }.items():
        troubles.broken_calls(clinic, pair, 0.7, restarted, why)
    noise.innocent_release(clinic, "patient-api", "3.11.5", clinic.ago(minutes=41))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "nightjar",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "coredns_misconfigured",
        clinic_entity("ConfigMap", "coredns", "kube-system"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "patient-api"),
                "released half an hour before; it fails like all others",
            ),
        ),
        as_right=tuple(
            Answer(kind, clinic_entity(sort, "coredns", "kube-system"))
            for kind in ("coredns_unavailable", "coredns_misconfigured")
            for sort in ("Deployment", "Component", "ConfigMap", "Service")
        ),
    ),
)
