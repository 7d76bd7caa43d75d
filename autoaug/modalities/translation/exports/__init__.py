"""The parts of exported code for pairs of texts: none yet."""

from __future__ import annotations

from collections.abc import Mapping

from autoaug.modalities.runtime import Runtime

EXPORTS: Mapping[str, Runtime] = {}
