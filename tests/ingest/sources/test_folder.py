"""What of a folder is a document, and that nothing of it is lost or strayed from."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.errors import IngestError
from ingest.sources.endings import MAX_BYTES
from ingest.sources.folder import Folder

pytestmark = pytest.mark.anyio


async def paths(root, **options):
    return [item.path for item in (await Folder("docs", root, **options).list()).items]


async def test_documents_of_every_supported_ending_are_listed_by_path(tmp_path):
    names = ["a.md", "b.Markdown", "c.adoc", "d.asciidoc", "e.html", "f.HTM", "g.rst", "h.txt"]
    for name in [*names, "i.pdf", "j.png", "k", "l.md.bak", "LICENSE.txt"]:
        (tmp_path / name).write_text("x")
    assert await paths(tmp_path) == [*names, "i.pdf"]


async def test_an_item_tells_its_kind_its_address_and_its_bytes(tmp_path):
    (tmp_path / "etcd down").mkdir()
    (tmp_path / "etcd down" / "a.md").write_bytes(b"# A\n")
    listing = await Folder("docs", tmp_path, "https://wiki.example.com/{path}?x").list()
    (item,) = listing.items
    assert item.media_type == "text/markdown"
    assert item.url == "https://wiki.example.com/etcd%20down/a.md?x"
    assert await item.read() == b"# A\n"
    assert listing.whole


async def test_hidden_files_and_folders_and_links_that_lead_outside_are_left_out(tmp_path):
    outside = tmp_path / "secret.md"
    outside.write_text("secret")
    root = tmp_path / "root"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "a.md").write_text("x")
    (root / ".hidden.md").write_text("x")
    (root / "b.md").write_text("x")
    (root / "link.md").symlink_to(outside)
    (root / "folder").symlink_to(tmp_path)
    assert await paths(root) == ["b.md"]


async def test_the_links_of_a_mounted_config_map_are_followed(tmp_path):
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "a.md").write_text("x")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "a.md").symlink_to("..data/a.md")
    assert await paths(tmp_path) == ["a.md"]


async def test_a_fingerprint_follows_the_content_and_nothing_else(tmp_path):
    file = tmp_path / "a.md"
    file.write_text("one")
    before = (await Folder("", tmp_path).list()).items[0].fingerprint
    file.touch()
    assert (await Folder("", tmp_path).list()).items[0].fingerprint == before
    file.write_text("two")
    assert (await Folder("", tmp_path).list()).items[0].fingerprint != before


async def test_what_is_too_large_or_gone_is_listed_and_refused_when_read(tmp_path):
    (tmp_path / "a.md").write_bytes(b"x" * (MAX_BYTES + 1))
    (tmp_path / "b.md").symlink_to("absent.md")
    (tmp_path / "c.md").symlink_to("c.md")
    listing = await Folder("", tmp_path).list()
    with pytest.raises(IngestError, match=r"a\.md: 2000001 bytes; larger than 2000000, split it"):
        await listing.items[0].read()
    with pytest.raises(IngestError, match=r"b\.md: cannot be read: No such file"):
        await listing.items[1].read()
    with pytest.raises(IngestError, match=r"c\.md: cannot be read: Too many levels"):
        await listing.items[2].read()


async def test_a_name_that_is_no_text_is_left_out(tmp_path):
    (tmp_path / "a.md").write_text("x")
    (tmp_path / "b\udcff.md").write_text("x")
    assert await paths(tmp_path) == ["a.md"]


async def test_since_leaves_out_what_is_older_and_says_so(tmp_path):
    (tmp_path / "a.md").write_text("x")
    now = datetime.now(UTC)
    listing = await Folder("", tmp_path).list(now + timedelta(days=1))
    assert (listing.items, listing.whole) == ((), False)
    listing = await Folder("", tmp_path).list(now - timedelta(days=1))
    assert [item.path for item in listing.items] == ["a.md"]


async def test_a_folder_that_is_absent_or_holds_no_document_is_an_error(tmp_path):
    with pytest.raises(IngestError, match="is not a folder"):
        await paths(tmp_path / "absent")
    with pytest.raises(IngestError, match="holds no document"):
        await paths(tmp_path)


async def test_where_nothing_may_be_there_yet_nothing_is_listed(tmp_path):
    assert await paths(tmp_path / "absent", may_be_empty=True) == []
    assert await paths(tmp_path, may_be_empty=True) == []
