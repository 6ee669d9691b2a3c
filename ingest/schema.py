"""The tables of a catalogue, and its file. `ingest.catalogue` writes them, `ingest.lookup` reads them.

Text that no ranking needs stands last in its row: what stands behind a long text is slow to reach.
"""

from __future__ import annotations

from ingest.stems import TOKENIZER

FILE = "catalogue.sqlite"
SCHEMA_VERSION = "3"
SCHEMA = f"""
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE runbooks (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, path TEXT NOT NULL UNIQUE,
    tail TEXT NOT NULL, sha256 TEXT NOT NULL, title TEXT NOT NULL, services TEXT NOT NULL,
    alerts TEXT NOT NULL, environments TEXT NOT NULL, owner TEXT NOT NULL,
    last_reviewed TEXT NOT NULL, severity TEXT NOT NULL, url TEXT NOT NULL,
    inferred TEXT NOT NULL, converted INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX runbooks_by_tail ON runbooks (tail);
CREATE INDEX runbooks_by_url ON runbooks (url);
CREATE TABLE triples (runbook INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
CREATE TABLE topics (
    number INTEGER PRIMARY KEY, runbook INTEGER NOT NULL, title TEXT NOT NULL,
    title_words TEXT NOT NULL, length INTEGER NOT NULL);
CREATE INDEX topics_by_runbook ON topics (runbook);
CREATE TABLE alerts (name TEXT NOT NULL, topic INTEGER NOT NULL);
CREATE INDEX alerts_by_name ON alerts (name);
CREATE INDEX alerts_by_topic ON alerts (topic);
CREATE TABLE sections (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, runbook INTEGER NOT NULL,
    topic INTEGER NOT NULL, position INTEGER NOT NULL, heading_path TEXT NOT NULL,
    first_line INTEGER NOT NULL, last_line INTEGER NOT NULL, has_steps INTEGER NOT NULL,
    warnings TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX sections_by_runbook ON sections (runbook, position);
CREATE INDEX sections_by_topic ON sections (topic, has_steps DESC, first_line);
CREATE TABLE headings (key TEXT NOT NULL, section INTEGER NOT NULL);
CREATE INDEX headings_by_key ON headings (key);
CREATE INDEX headings_by_section ON headings (section);
CREATE VIRTUAL TABLE section_words USING fts5 (title, headings, body, tokenize = '{TOKENIZER}');
CREATE VIRTUAL TABLE topic_words USING fts5 (title, headings, body, tokenize = '{TOKENIZER}');
CREATE TABLE words (stem TEXT PRIMARY KEY, topics INTEGER NOT NULL) WITHOUT ROWID;
"""
