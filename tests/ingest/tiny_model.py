"""A model of a few kilobytes in the exported form: a text's vector is the mean of its letters'."""

import json
import string
from pathlib import Path

NAME = "tiny"
SIZE = 8


def write_tiny_model(
    models: Path, name: str = NAME, revision: str = "1" * 64, seed: int = 1
) -> Path:
    """The model's folder in a cache of exported models."""
    import numpy as np  # noqa: PLC0415 - only with the extra `embeddings`
    import onnx  # noqa: PLC0415
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    folder = models / f"{name}-{revision[:12]}"
    folder.mkdir(parents=True)
    letters = ["[UNK]", *string.ascii_lowercase]
    table = np.random.default_rng(seed).normal(size=(len(letters), SIZE)).astype(np.float32)
    shape = ["batch", "length"]
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["letters"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
            helper.make_node("Mul", ["letters", "column"], ["masked"]),
            helper.make_node("ReduceSum", ["masked", "middle"], ["sum"], keepdims=0),
            helper.make_node("LpNormalization", ["sum"], ["sentence_embedding"], axis=1, p=2),
        ],
        "tiny",
        [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, shape),
        ],
        [helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", SIZE])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "middle"),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, str(folder / "model.onnx"))
    _write_tokenizer(folder, letters)
    described = {"name": name, "revision": revision, "dimensions": SIZE, "max_tokens": 256}
    described["inputs"] = ["input_ids", "attention_mask"]
    (folder / "model.json").write_text(json.dumps(described))
    return folder


def _write_tokenizer(folder, letters):
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers  # noqa: PLC0415

    vocabulary = {letter: number for number, letter in enumerate(letters)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.save(str(folder / "tokenizer.json"))
