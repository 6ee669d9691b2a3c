"""Text into vectors with the ONNX form of a sentence-transformers model. Never imports torch.

The exported model lies in the index's model cache: `model.onnx` and its weights
`model.data`, `tokenizer.json`, `model.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.errors import ModelUnavailable

DEFAULT_MODEL = "all-MiniLM-L6-v2"
NO_MODEL = "none"
BATCH = 8
"""As fast as 32 on two cores, and padded less."""


@dataclass(frozen=True, slots=True)
class Model:
    """Which model made the vectors: its name, the hash of its weights, and what it takes and gives."""

    name: str
    revision: str
    dimensions: int
    max_tokens: int
    inputs: tuple[str, ...]

    @property
    def folder_name(self) -> str:
        """The model's folder in the cache, one per name and revision."""
        return folder_name(self.name, self.revision)


def folder_name(name: str, revision: str) -> str:
    """The folder of a model in the cache, one per name and revision."""
    return f"{name.replace('/', '--')}-{revision[:12]}"


def cached_model(cache: Path, name: str, revision: str = "") -> Path | None:
    """The folder of an exported model of this name (and revision, if given), newest first."""
    for described in sorted(cache.glob("*/model.json"), key=lambda f: -f.stat().st_mtime):
        model = read_model(described.parent)
        if model.name == name and model.revision.startswith(revision):
            return described.parent
    return None


def read_model(folder: Path) -> Model:
    """What stands in the folder's `model.json`."""
    try:
        found = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        return Model(**{**found, "inputs": tuple(found["inputs"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelUnavailable(
            f"the exported model in {str(folder)!r} cannot be read ({error}); "
            "remove that folder and run `python -m ingest` again, which exports it anew"
        ) from error


def import_runtime() -> None:
    """Imports what a model runs on: numpy breaks where two threads are the first to import it."""
    # A search that needs no vectors must not pay for these imports (0.2 s).
    import onnxruntime  # noqa: F401, PLC0415
    import tokenizers  # noqa: F401, PLC0415


class Embedder:
    """A loaded model. Blocking: call it in a thread. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime  # noqa: PLC0415 - see import_runtime
        from tokenizers import Tokenizer  # noqa: PLC0415

        self.model = read_model(folder)
        # The model's tokenizer.json pads every text to 128 tokens: 168 ms a query instead of 3.
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=self.model.max_tokens)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Threads that spin while they wait take half of all the time a search needs from whoever
        # else runs here, the search's own other half among them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def embed(self, text: str) -> list[float]:
        """The unit vector of one text."""
        return [float(value) for value in self._run([self._tokenizer.encode(text)])[0]]

    def embed_all(self, texts: Sequence[str]) -> list[list[float]]:
        """The unit vectors of many texts, in their order."""
        vectors: list[list[float]] = [[] for _ in texts]
        for batch in self.batches(texts):
            for place, vector in batch.items():
                vectors[place] = vector
        return vectors

    def batches(self, texts: Sequence[str]) -> Iterator[dict[int, list[float]]]:
        """Place in `texts` -> its unit vector, batch by batch; similar lengths are run together."""
        encoded = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(encoded)), key=lambda i: -len(encoded[i].ids))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            made = self._run([encoded[i] for i in chosen])
            yield {i: vector.tolist() for i, vector in zip(chosen, made, strict=True)}

    def _run(self, encoded: Sequence[Any]) -> Any:
        """One pass of the model over a batch, padded to its longest text."""
        import numpy as np  # noqa: PLC0415 - see __init__

        shape = (len(encoded), max(len(one.ids) for one in encoded))
        columns = {name: np.zeros(shape, dtype=np.int64) for name in self.model.inputs}
        rows = {
            "input_ids": "ids",
            "attention_mask": "attention_mask",
            "token_type_ids": "type_ids",
        }
        for name, column in columns.items():
            for row, one in enumerate(encoded):
                values = getattr(one, rows[name])
                column[row, : len(values)] = values
        return self._session.run(None, columns)[0]
