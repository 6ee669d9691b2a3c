"""The file of a database is there in one step, private, and in the mode that many may open at once."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from assistant.store import new_file


def mode(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA journal_mode").fetchone()[0]


def test_it_is_the_users_alone_and_need_not_be_changed_by_those_who_open_it(tmp_path):
    path = tmp_path / "state" / "incidents.db"
    new_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert mode(path) == "wal"
    assert [one.name for one in path.parent.iterdir()] == ["incidents.db"]


def test_a_file_that_is_there_keeps_its_content(tmp_path):
    path = tmp_path / "incidents.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE kept (word TEXT)")
    before = path.read_bytes()
    new_file(path)
    assert path.read_bytes() == before


def test_many_who_begin_at_once_find_one_file_and_none_is_locked_out(tmp_path):
    def begin(path):
        new_file(path)
        with closing(sqlite3.connect(path, timeout=20)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("CREATE TABLE IF NOT EXISTS one (word TEXT)")
            database.execute("INSERT INTO one VALUES ('here')")
            database.commit()

    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            path = tmp_path / f"{number}.db"
            assert [*pool.map(begin, [path] * 8)] == [None] * 8
            with closing(sqlite3.connect(path)) as database:
                assert database.execute("SELECT count(*) FROM one").fetchone() == (8,)
