"""Export the trained model of a run: weights, a script that loads them, and a model card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from autoaug.errors import RunError, first_line, resume_command
from autoaug.evaluation.statistics import FEWEST_SEEDS
from autoaug.modalities.registry import get_modality
from autoaug.policy.words import in_words
from autoaug.report.frame import environment
from autoaug.results import SearchResult
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.utils.files import replacing, write_atomically
from autoaug.version import __version__

#: A folder with weights and without the facts is of another program.
_WEIGHTS, _FACTS = "model.safetensors", "model.json"


def export_model(folder: RunFolder, out: Path) -> list[Path]:
    """Write ``model.safetensors``, ``model.json``, ``README.md`` (a model card) and, if the modality has one, the
    script ``inference.py`` to the folder `out`; return their paths. The weights are those of the returned policy's
    first confirmation seed, so that no seed is picked.

    Raises:
        RunError: the run is not complete, it kept no weights, or `out` is not a folder, or one with other files.
    """
    result, (_, config) = SearchResult.load(folder.root), RunFolder.open(folder.root, goes_on=False)
    _check_weights(folder, config)
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} exists and is not a folder; choose another with --out")
    there = {path.name for path in out.iterdir() if not path.name.startswith(".")} if out.is_dir() else set()
    if there and _FACTS not in there:
        raise RunError(f"{out} is not empty, and holds no exported model; choose another folder with --out")
    with replacing(out / _WEIGHTS) as unfinished:
        shutil.copyfile(folder.model, unfinished)
    modality = get_modality(result.data.modality)
    script, network = modality.inference, modality.models.resolve(config.model, result.data.shape)[0]
    about = {
        "modality": result.data.modality,
        "network": network,
        "start": asdict(config.start.without_weights()) if config.start is not None else None,
        "size": config.size,
        "resize": config.resize,
        "shape": result.data.shape,
        "scale": result.data.scale,
        "classes": result.data.classes,
        "task": result.data.task,
        "means": result.data.means,
        "deviations": result.data.deviations,
        "data_fingerprint": result.data.fingerprint,
        "folds": result.data.folds,
    }
    card = (
        environment(autoescape=False)
        .get_template("model_card.md")
        .render(
            result=result,
            config=config,
            network=network,
            candidate=result.returned_candidate,
            in_words=in_words(result.returned_candidate.policy),
            has_interval=len(result.returned_candidate.seeds) >= FEWEST_SEEDS,
            metric=result.metric,
            version=__version__,
            has_script=script is not None,
            module=network.partition(":")[0] if modality.models.is_own(network) else "",
        )
    )
    written = {_FACTS: json.dumps(about, indent=2), "README.md": card}
    if script is not None:
        written["inference.py"] = inference_script(script, about)
    for name, text in written.items():
        write_atomically(out / name, text)
    return [out / name for name in (_WEIGHTS, *written)]


def inference_script(template: Path, about: Mapping[str, Any]) -> str:
    """The script that loads the model that ``model.json`` is `about`; see `Modality.inference` for the template."""
    given = {name: repr(value) if name == "start" else json.dumps(value) for name, value in about.items()}
    outputs = len(about["classes"]) + (about["task"] in ("transcription", "translation"))  # the first is none of them
    given |= {"task": about["task"], "outputs": str(outputs)}
    return environment(autoescape=False).from_string(template.read_text(encoding="utf-8")).render(given)


def _check_weights(folder: RunFolder, config: RunConfig) -> None:
    """Raise `RunError` if the run has no weights, or damaged ones; the message tells how to train them again."""
    going_on = resume_command(folder.root, bool(config.named_code))
    cure = f"delete {folder.result} and train them again with: {going_on}"
    if not folder.model.is_file():
        raise RunError(f"{folder.root} has no weights; {cure}")
    try:
        with safe_open(folder.model, framework="numpy"):
            pass
    except (SafetensorError, OSError) as fault:
        raise RunError(f"{folder.model} is damaged ({first_line(fault)}); {cure}") from None
