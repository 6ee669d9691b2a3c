"""What browsers are sent of others is what they published, unchanged."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from tests.test_project import ROOT

VENDOR = ROOT / "assistant/chat/web/page/vendor"


def test_htmx_is_the_published_one(modules: Path) -> None:
    published = modules / "htmx.org/dist/htmx.min.js"
    assert (VENDOR / "htmx.min.js").read_bytes() == published.read_bytes()


def test_mermaid_is_the_published_one(modules: Path) -> None:
    published = modules / "@mermaid-js/tiny/dist/mermaid.tiny.js"
    packed = (VENDOR / "mermaid.tiny.js.gz").read_bytes()
    assert gzip.decompress(packed) == published.read_bytes()


def test_both_mermaids_have_one_version() -> None:
    wanted = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    assert wanted["mermaid"] == wanted["@mermaid-js/tiny"]


def test_what_is_sent_comes_with_its_licence() -> None:
    assert {one.name for one in VENDOR.iterdir()} == {
        "htmx.min.js", "htmx.LICENSE", "mermaid.tiny.js.gz", "mermaid.LICENSE",
    }  # fmt: skip
