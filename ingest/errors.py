"""What can go wrong in ingestion and search, as one small tree.

IngestError             expected: one line, exit 1
  IndexMissing          there is no index here yet (the text has the command that builds it)
  IndexBusy             another ingestion is running on this index
  ModelUnavailable      the embedding model is not on this machine; nothing is ever downloaded
  ModelMismatch         the index was made with another model
  VectorsUnavailable    Chroma does not answer, or does not know this collection
"""


class IngestError(Exception):
    """An expected failure; its text says what failed, with which input, and what to do next."""


class IndexMissing(IngestError):  # noqa: N818 - names what is there to find
    """There is no index in this folder."""


class IndexBusy(IngestError):  # noqa: N818 - names the state of the index
    """Another ingestion holds the index."""


class ModelUnavailable(IngestError):  # noqa: N818 - names the state of the model
    """The embedding model is not on this machine."""


class ModelMismatch(IngestError):  # noqa: N818 - names what was found
    """The index was made with another embedding model."""


class VectorsUnavailable(IngestError):  # noqa: N818 - names the state of Chroma
    """Chroma does not answer, or does not hold this index's collection."""
