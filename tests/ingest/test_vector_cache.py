"""Vectors that are made and not yet published: kept exactly, by model and text."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.vector_cache import TABLE, VectorCache, forget, opened


@given(
    st.dictionaries(
        st.text(), st.lists(st.floats(width=32, allow_nan=False), min_size=1), max_size=20
    )
)
def test_a_vector_comes_back_as_it_was(vectors):
    connection = sqlite3.connect(":memory:")
    connection.execute(TABLE)
    cache = VectorCache(connection, "model@1")
    cache.keep(vectors)
    assert cache.known([*vectors, "\0 not there"]) == vectors
    assert len(cache) == len(vectors)
    connection.close()


def test_vectors_of_another_model_are_not_given(tmp_path):
    file = tmp_path / "embedded.sqlite"
    with opened(file, "model@1") as cache:
        cache.keep({"text": [1.0]})
    with opened(file, "model@2") as cache:
        assert cache.known(["text"]) == {}
    with opened(file, "model@1") as cache:
        assert cache.known(["text"]) == {"text": [1.0]}


@pytest.mark.parametrize(
    "content", [b"", b"not a database, but long enough to be taken for one" * 9]
)
def test_a_cache_that_cannot_be_read_is_begun_anew(tmp_path, content):
    file = tmp_path / "embedded.sqlite"
    file.write_bytes(content)
    with opened(file, "model@1") as cache:
        cache.keep({"text": [1.0]})
        assert cache.known(["text"]) == {"text": [1.0]}


def test_a_published_cache_is_gone_and_may_be_forgotten_twice(tmp_path):
    file = tmp_path / "embedded.sqlite"
    with opened(file, "model@1") as cache:
        cache.keep({"text": [1.0]})
    forget(file)
    forget(file)
    assert list(tmp_path.iterdir()) == []
