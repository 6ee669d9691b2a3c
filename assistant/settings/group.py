"""What every group of settings shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

Location = Annotated[Path, AfterValidator(Path.expanduser)]


class Group(BaseModel):
    """Settings that belong together: frozen, and an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
