"""Identifiers whole and in parts; pager lines taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.words import alert_and_words, alert_in, key, pairs, terms


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("KubePodCrashLooping", ["kubepodcrashlooping", "kube", "pod", "crash", "looping"]),
        ("etcdGRPCRequestsSlow", ["etcdgrpcrequestsslow", "etcd", "grpc", "requests", "slow"]),
        ("the pod is down", ["pod", "down"]),
        ("payments/checkout-api-6f9c7d5b8-x2k4q is at 93.1%", ["payments"]),
    ],
)
def test_words_worth_searching(text, words):
    assert terms(text) == words


def test_a_pager_line_gives_its_alert_and_the_labels_that_tell_something():
    alert, text, labels = alert_and_words(
        '[FIRING:1] KubePodNotReady cluster="eu1" service="checkout" pod="x-1"'
    )
    assert alert == "KubePodNotReady"
    assert set(terms(text)) == {"kubepodnotready", "kube", "pod", "not", "ready", "checkout"}
    assert labels["cluster"] == "eu1"


@pytest.mark.parametrize(
    ("heading", "alert"),
    [
        ("KubePodNotReady", "KubePodNotReady"),
        ('Alert name: "KubePodNotReady"', "KubePodNotReady"),
        ("`etcdNoLeader`", "etcdNoLeader"),
        ("Diagnosis", ""),
        ("What KubePodNotReady means", ""),
    ],
)
def test_the_alert_a_heading_is(heading, alert):
    assert alert_in(heading) == alert


def test_pairs_of_words_keep_to_a_sentence_and_have_no_stop_words():
    text = "PVC usage crossed 85%. Free up the disk of checkout-api-6f9c7d5b8-x2k4q now"
    assert pairs(text) == ["pvc usage", "usage crossed", "crossed 85", "free up"]


def test_an_anchor_a_heading_and_an_alert_name_compare_alike():
    assert key("loki-request-errors") == key("Loki Request Errors") == key("LokiRequestErrors")


@given(st.text(max_size=300))
def test_any_text_has_words_that_are_distinct_and_lower_case(text):
    found = terms(alert_and_words(text)[1])
    assert len(found) == len(set(found))
    assert all(word == word.lower() for word in found)
