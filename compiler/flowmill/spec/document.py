"""What every document of the language is: strict and frozen."""

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """Strict and frozen: unknown keys are errors, nothing is converted silently. Built when first used."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, defer_build=True)
