"""Reads a provider's catalogue of faults: `catalogue.yaml` in its package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml

from erp_pipelines.domain.catalogue import FaultCatalogue

NAME = "catalogue.yaml"


def has_catalogue(provider: str) -> bool:
    return files("erp_pipelines.connectors").joinpath(provider, NAME).is_file()


@cache
def catalogue(provider: str) -> FaultCatalogue:
    """The catalogue that the package of this provider holds. Raises ValidationError for one that contradicts itself."""
    text = files("erp_pipelines.connectors").joinpath(provider, NAME).read_text(encoding="utf-8")
    return FaultCatalogue.model_validate(yaml.safe_load(text))
