"""Secrets by their variable's name."""

import pytest

from ingest.errors import IngestError
from ingest.sources.secret import Secret


def test_a_secret_is_what_its_variable_or_its_file_holds(tmp_path):
    file = tmp_path / "token"
    file.write_text("of the file\n")
    assert Secret("T", {"T": " of the variable "}).value() == "of the variable"
    assert Secret("T", {"T_FILE": str(file)}).value() == "of the file"
    assert Secret().value() == ""


def test_a_secret_that_is_not_there_is_named_and_never_shown(tmp_path):
    with pytest.raises(IngestError, match="variable T is not set, and T_FILE names no file"):
        Secret("T", {"OTHER": "s3cr3t"}).value()
    with pytest.raises(IngestError, match=r"T_FILE names .* which cannot be read"):
        Secret("T", {"T_FILE": str(tmp_path / "absent")}).value()


def test_a_secret_is_neither_in_its_description_nor_in_hidden_text():
    secret = Secret("T", {"T": "s3cr3t"})
    assert "s3cr3t" not in repr(secret)
    assert secret.hidden_in("a s3cr3t b") == "a *** b"
    assert Secret("T", {}).hidden_in("a b") == "a b"
