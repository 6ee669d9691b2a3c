"""The table of sources: what it takes, what it refuses and says, and what it makes."""

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import IngestError
from ingest.sources.confluence import Confluence
from ingest.sources.folder import Folder
from ingest.sources.git import Git
from ingest.sources.pagerduty import PagerDuty
from ingest.sources.settings import AnySettings
from ingest.sources.table import read_table, sources
from ingest.sources.web import Web

pytestmark = pytest.mark.anyio
EXAMPLE = Path(__file__).parents[3] / "deploy" / "runbook-sources.toml"
KINDS = get_args(get_args(AnySettings)[0])
GIT = '[[sources]]\nkind = "git"\nurl = "https://git.example.com/a.git"\n'
FOLDER = '[[sources]]\nkind = "folder"\npath = "runbooks"\n'


def read(tmp_path, text):
    file = tmp_path / "sources.toml"
    file.write_text(text, encoding="utf-8")
    return read_table(file)


def refusal(tmp_path, text):
    with pytest.raises(IngestError) as raised:
        read(tmp_path, text)
    return str(raised.value)


def test_the_example_makes_a_source_of_every_kind(tmp_path):
    made = sources(read_table(EXAMPLE), tmp_path, {})
    assert {type(one) for one in made} == {Folder, Git, Confluence, Web, PagerDuty}
    assert {one.kind for one in read_table(EXAMPLE).sources} == {
        get_args(kind.model_fields["kind"].annotation)[0] for kind in KINDS
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_example_shows_every_setting(kind):
    shown = {
        name
        for one in read_table(EXAMPLE).sources
        if type(one) is kind
        for name in one.model_fields_set
    }
    assert shown == set(kind.model_fields)


def test_several_of_a_kind_differ_by_name(tmp_path):
    text = FOLDER + 'name = "a"\n' + FOLDER + 'name = "b"\n'
    assert [one.name for one in sources(read(tmp_path, text), tmp_path, {})] == ["a", "b"]
    assert "two sources have the name 'a'" in refusal(tmp_path, (FOLDER + 'name = "a"\n') * 2)
    assert "a source has no name" in refusal(tmp_path, FOLDER + 'name = "a"\n' + GIT)


def test_a_single_source_needs_no_name(tmp_path):
    (source,) = sources(read(tmp_path, FOLDER), tmp_path, {})
    assert (source.name, source.root) == ("", tmp_path / "runbooks")


def test_a_path_of_a_repository_is_relative_to_the_table_and_an_address_is_left(tmp_path):
    (here,) = read(tmp_path, GIT.replace("https://git.example.com/", "")).sources
    (there,) = read(
        tmp_path, GIT.replace("https://git.example.com/", "git@git.example.com:")
    ).sources
    assert (here.url, there.url) == (str(tmp_path / "a.git"), "git@git.example.com:a.git")


def test_an_unknown_key_is_named_with_its_place(tmp_path):
    words = refusal(tmp_path, GIT + 'brnach = "main"\n')
    assert "sources.toml: sources.0.git.brnach: is no key that is known here" in words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "sources: Field required"),
        ("sources = []", "at least 1 item"),
        ("a = [", "not TOML"),
        ('[[sources]]\nkind = "ftp"\n', "'folder', 'git', 'confluence', 'web', 'pagerduty'"),
        (FOLDER + 'name = "a/b"\n', "sources.0.folder.name"),
        (GIT + 'branch = "a:b"\n', "sources.0.git.branch"),
        (GIT + 'branch = "--x"\n', "sources.0.git.branch"),
        (GIT.replace("https://", "--upload-pack="), "sources.0.git.url"),
        (GIT.replace("https://", "https://me:s3cr3t@"), "the url holds a password"),
        (GIT + 'token_env = "not a name"\n', "sources.0.git.token_env"),
        (
            '[[sources]]\nkind = "confluence"\nedition = "cloud"\nurl = "https://x.atlassian.net"\n'
            'spaces = ["SRE"]\n',
            "the url of Confluence Cloud ends with /wiki",
        ),
        ('[[sources]]\nkind = "web"\n', "names neither pages nor a sitemap"),
        ('[[sources]]\nkind = "web"\npages = ["file:///etc/passwd"]\n', "sources.0.web.pages.0"),
        ('[[sources]]\nkind = "pagerduty"\ndays = 400\n', "less than or equal to 180"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words_without_secrets(tmp_path, text, said):
    words = refusal(tmp_path, text)
    assert said in words
    assert "s3cr3t" not in words


def test_a_table_that_is_absent_is_named(tmp_path):
    with pytest.raises(IngestError, match=r"absent\.toml: cannot be read: No such file"):
        read_table(tmp_path / "absent.toml")


@given(text=st.text(max_size=80))
def test_any_text_is_a_table_or_a_refusal(text, tmp_path_factory):
    file = tmp_path_factory.mktemp("table") / "sources.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(IngestError, match=r"sources\.toml"):
        read_table(file)


async def test_a_secret_that_is_not_set_fails_its_own_source_alone(tmp_path):
    text = FOLDER + 'name = "a"\n' + GIT + 'name = "b"\ntoken_env = "FORGE"\n'
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "a.md").write_text("x")
    folder, git = sources(read(tmp_path, text), tmp_path / "cache", {})
    assert len((await folder.list()).items) == 1
    with pytest.raises(IngestError, match="variable FORGE is not set"):
        await git.list()


async def test_confirmed_incidents_are_read_from_the_home_once_there_are_any(tmp_path):
    text = f'[[sources]]\nkind = "incidents"\nhome = "{tmp_path}"\n'
    (source,) = sources(read(tmp_path, text), tmp_path, {})
    assert (await source.list()).items == ()
    (tmp_path / "confirmed").mkdir()
    (tmp_path / "confirmed" / "P1.md").write_text("---\ntitle: Disk full\n---\n")
    assert [item.path for item in (await source.list()).items] == ["P1.md"]
