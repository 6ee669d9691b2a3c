"""What a run builds on: the generation before it, and the model. Reads; writes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest import catalogue
from ingest.changes import Known, Ledger
from ingest.embedding import DEFAULT_MODEL, NO_MODEL
from ingest.errors import IngestError, ModelMismatch, ModelUnavailable
from ingest.export import Chosen, choose_model
from ingest.generations import Generations
from ingest.schema import SCHEMA_VERSION
from ingest.settings import IngestSettings


@dataclass(frozen=True, slots=True)
class Basis:
    """The generation to build on (None: anew), what the index holds, and the model (None: words alone)."""

    base: Path | None
    ledger: Ledger
    model: Chosen | None
    notes: tuple[str, ...]

    @property
    def known(self) -> Known:
        """What the sources are held against."""
        return Known(self.ledger, anew=self.base is None)


def basis(settings: IngestSettings, generations: Generations) -> Basis:
    """What this run builds on. Raises `ModelMismatch` with the command that rebuilds and switches."""
    current = generations.current()
    told, ledger = _held(current, settings) if current else ({}, {})
    kept = {} if settings.rebuild else told
    model, notes = _model(settings, generations, kept)
    reason = _reason_to_begin_anew(kept, model, settings) if current and kept else ""
    base = current if kept and not reason else None
    return Basis(base, ledger, model, (*notes, reason) if reason else notes)


def _held(current: Path, settings: IngestSettings) -> tuple[dict[str, str], Ledger]:
    """The facts and the ledger of a generation; a damaged one can only be rebuilt."""
    try:
        return catalogue.facts(current), catalogue.ledger(current)
    except sqlite3.DatabaseError as error:
        if settings.rebuild:
            return {}, {}
        raise IngestError(
            f"the catalogue in {str(current)!r} cannot be read ({error}); {_rebuild(settings)}"
        ) from error


def _model(
    settings: IngestSettings, generations: Generations, told: Mapping[str, str]
) -> tuple[Chosen | None, tuple[str, ...]]:
    """The model (None for a lexical index), and what to tell about it."""
    name = settings.embedding or DEFAULT_MODEL
    chosen: Chosen | None = None
    notes: tuple[str, ...] = ()
    if name != NO_MODEL:
        try:
            chosen = choose_model(name, settings.model_folder, generations.models)
        except ModelUnavailable as error:
            if settings.embedding or told.get("model", NO_MODEL) != NO_MODEL:
                raise
            notes = (f"lexical only: {error}",)
    _refuse_other_model(told, chosen, settings)
    return chosen, notes


def _refuse_other_model(
    told: Mapping[str, str], chosen: Chosen | None, settings: IngestSettings
) -> None:
    """Vectors of two models do not compare; an index without vectors may gain them."""
    held = told.get("model", NO_MODEL)
    wanted = chosen.label if chosen else NO_MODEL
    if held not in (NO_MODEL, wanted):
        raise ModelMismatch(
            f"the index {str(settings.index)!r} was made with {held}, this run has {wanted}; "
            f"{_rebuild(settings)}"
        )


def _rebuild(settings: IngestSettings) -> str:
    """The way out, in words with the command."""
    of = f" --source {settings.source}" if settings.source else ""
    command = settings.command or f"python -m ingest{of} --index {settings.index}"
    return f"`{command} --rebuild` makes it anew beside the old one and switches"


def _reason_to_begin_anew(
    told: Mapping[str, str], model: Chosen | None, settings: IngestSettings
) -> str:
    """Why what was ingested before cannot be built on; "" where it can."""
    if told.get("schema") != SCHEMA_VERSION:
        return "the index was written by another version: made anew"
    if told.get("chroma") != ("server" if settings.chroma_url else "folder"):
        return "the vectors move to another place: made anew there"
    if told.get("model") == NO_MODEL and model:
        return "the index had no vectors: made anew with them"
    return ""
