"""Classifiers of the library transformers, from folders on disk: ``transformers:FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from autoaug.errors import OptionError
from autoaug.modalities.networks import Start
from autoaug.modalities.text.pretrained import FROM_DISK, check_there, opening
from autoaug.modalities.text.tokens import text_of
from autoaug.utils.files import content_digest

PREFIX = "transformers:"
PRETRAINED = "pretrained"
#: The most pieces of a text that are read, even if the model could take more.
_MOST = 512


class Classifier(nn.Module):
    """A model of the library with its own tokenizer, which takes tokens ``[n, L, 3]`` of texts and returns logits.

    Args:
        folder: has the configuration and the tokenizer, as ``save_pretrained`` writes them.
        outputs: the number of logits.
        has_weights: whether the weights in the folder are loaded, as safetensors, with a new head if its size differs;
            else all are random.

    Raises:
        OptionError: transformers is not installed, or has no such classifier.
    """

    def __init__(self, folder: str, outputs: int, has_weights: bool) -> None:
        super().__init__()
        with opening(folder, "a classifier", OptionError) as transformers:
            kind = transformers.AutoModelForSequenceClassification
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **FROM_DISK)
            config = transformers.AutoConfig.from_pretrained(folder, num_labels=outputs, **FROM_DISK)
            how = {**FROM_DISK, "config": config, "use_safetensors": True, "ignore_mismatched_sizes": True}
            self.model = kind.from_pretrained(folder, **how) if has_weights else kind.from_config(config)
        if self.tokenizer.pad_token is None:
            raise OptionError(f"--model {PREFIX}{folder}: its tokenizer has no token to pad texts with")
        most = min(self.tokenizer.model_max_length, getattr(config, "max_position_embeddings", None) or _MOST, _MOST)
        self._how: dict[str, Any] = {"return_tensors": "pt", "padding": True, "truncation": True, "max_length": most}

    def get_input_embeddings(self) -> nn.Module:
        """The layer whose vectors are mixed or attacked."""
        layer: nn.Module = self.model.get_input_embeddings()
        return layer

    def forward(self, tokens: Tensor) -> Tensor:
        texts = [text_of(row) for row in tokens.cpu().numpy()]
        pieces = self.tokenizer(texts, **self._how)
        given = {name: pieces[name].to(tokens.device) for name in ("input_ids", "attention_mask")}
        logits: Tensor = self.model(**given).logits
        return logits


def folder_of(name: str) -> str | None:
    """The folder that a name names; None if it is of another kind."""
    folder = name.removeprefix(PREFIX)
    return folder if folder != name and folder else None


def built(name: str, folder: str, outputs: int, seed: int, start: Start | None) -> nn.Module:
    """The classifier, new or with the weights of `start`; the same `seed` gives the same random weights."""
    has_weights = start is not None and bool(start.weights)
    if start is not None and has_weights and _digest(folder) != start.digest:
        raise OptionError(f"--model {name} has changed since the run began; restore it")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs, too
        return Classifier(folder, outputs, has_weights)


def started(name: str, folder: str, weights: str, outputs: int) -> tuple[Start, str]:
    """What trainings of the classifier begin from, and what the user should know of it."""
    if weights != PRETRAINED:
        raise OptionError(f"--weights {weights}: {name} has its weights in its folder; pass --weights {PRETRAINED}")
    digest = _digest(folder)
    return Start(weights, digest), f"{name} starts from the weights in its folder ({digest}), with {outputs} outputs"


def _digest(folder: str) -> str:
    check_there(folder, OptionError)
    return content_digest(Path(folder), OptionError)
