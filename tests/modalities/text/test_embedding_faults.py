"""Networks whose embedding cannot be mixed or attacked are told before a run, or do without."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import autoaug
from autoaug.errors import OptionError, SpaceError
from autoaug.modalities.text import models
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import CompareOptions, SearchOptions
from autoaug.pipeline.training_setup import setup_lines
from autoaug.search.space import load_space
from autoaug.training.adversarial import attack
from autoaug.training.embedding import NetworkInput, embedding_fault, outputs_of
from tests.modalities.text.test_embeddings import HOW, SWAPS, TASK, TEXT, Linear
from tests.modalities.text.writing import tokens, write_texts


class Unused(Linear):
    """A network that has an embedding for nothing."""

    def forward(self, given: Tensor) -> Tensor:
        return torch.zeros(len(given), 3)


class Twice(Linear):
    """A network that embeds twice, as encoders and decoders do."""

    def forward(self, given: Tensor) -> Tensor:
        return super().forward(given) + super().forward(given.flip(1))


class Silent(Linear):
    """A network that says that it has no embedding, as models of transformers do."""

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError


class Broken(Linear):
    """A network whose method fails."""

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.words


class Rounded(Linear):
    """A network whose outputs do not tell how its vectors should move."""

    def forward(self, given: Tensor) -> Tensor:
        return super().forward(given).detach().round()


REFUSED = {
    Unused: "the network does not use its embedding layer",
    Twice: "the network calls its embedding layer twice in a pass",
    Silent: "the network has no known embedding layer",
    Broken: "the network's method get_input_embeddings failed: AttributeError: 'Broken' object has no attribute",
    Rounded: "the network fails where vectors of its embedding are mixed and attacked: RuntimeError: element 0 of",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_makes_an_embedding_unusable_is_one_line_before_a_run(kind: type[Linear]) -> None:
    network = kind()
    fault = embedding_fault(network, tokens()[:2], TEXT)
    assert fault is not None
    assert fault.startswith(REFUSED[kind])
    assert "\n" not in fault
    assert not any(module._forward_hooks for module in network.modules())
    assert embedding_fault(Linear(), tokens()[:2], TEXT) is None


def twice(length: int, classes: int) -> nn.Module:
    network = Twice()
    network.head = nn.Linear(6, classes, bias=False)
    return network


def test_a_search_goes_without_what_an_embedding_cannot_and_a_comparison_is_refused(tmp_path: Path) -> None:
    data, mixed = write_texts(tmp_path / "texts", 24, 12), tmp_path / "mixed.yaml"
    mixed.write_text(f"{SWAPS}\nmixing: {{kind: mixup}}\n")
    with pytest.raises(OptionError, match="has mixup, but the network calls its embedding layer twice"):
        prepare(CompareOptions(data, [mixed, "none"], model=f"{__name__}:twice", workers=1))
    config, _, _ = prepare(SearchOptions(data, trials=2, model=f"{__name__}:twice", workers=1))
    assert config.space is not None
    assert config.space.mixing.kinds == ("none", "cutmix")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_of_half_precision_are_mixed_and_attacked(dtype: torch.dtype) -> None:
    network, own = Linear().to(dtype), tokens()[:6]
    targets, given = TASK.targets(torch.arange(6) % 3), NetworkInput(own, own.flip(0), torch.full((6,), 0.6))
    how = HOW.model_copy(update={"epsilon": 0.5})
    moved = attack(network, given, targets, how, torch.Generator().manual_seed(0), TASK, TEXT)
    before, after = (TASK.loss(outputs_of(network, some, TEXT).float(), targets) for some in (given, moved))
    assert bool((after > before).all())
    assert embedding_fault(network, own, TEXT) is None


def test_a_network_that_embeds_twice_in_a_pass_is_refused_and_keeps_no_hook() -> None:
    network, own = Twice(), tokens()
    with pytest.raises(OptionError, match="calls its embedding layer twice"):
        outputs_of(network, NetworkInput(own, own.flip(0), torch.full((8,), 0.5)), TEXT)
    assert not any(module._forward_hooks for module in network.modules())
    network(own)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Bart", "T5"])
def test_encoders_with_decoders_of_transformers_are_told_before_a_run(name: str) -> None:
    transformers = pytest.importorskip("transformers")
    sizes = {
        "Bart": {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
        | {"decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "eos_token_id": 2},
        "T5": {"d_model": 16, "num_layers": 1, "num_heads": 2, "d_kv": 8, "d_ff": 16, "eos_token_id": 2}
        | {"decoder_start_token_id": 0},
    }

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            config = getattr(transformers, f"{name}Config")(vocab_size=500, num_labels=3, **sizes[name])
            self.model = getattr(transformers, f"{name}ForSequenceClassification")(config)

        def forward(self, given: Tensor) -> Tensor:
            ids = torch.cat([models.word_ids(given, 490)[:, :20] + 9, torch.full((len(given), 1), 2)], 1)
            logits: Tensor = self.model(input_ids=ids).logits
            return logits

    fault = embedding_fault(Whole(), tokens()[:2], TEXT)
    assert fault is not None
    assert "embedding layer" in fault


def bag(length: int, classes: int) -> nn.Module:
    """A network whose words have no vectors of their own."""

    class Bag(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.EmbeddingBag(500, classes, padding_idx=0)

        def forward(self, given: Tensor) -> Tensor:
            made: Tensor = self.embedding(models.word_ids(given, 500))
            return made

    return Bag()


def test_a_network_without_embedding_has_a_space_without_it_and_no_such_policy(tmp_path: Path) -> None:
    data, mixed = write_texts(tmp_path / "texts"), tmp_path / "mixed.yaml"
    mixed.write_text(f"{SWAPS}\nmixing: {{kind: mixup}}\n")
    with pytest.raises(OptionError, match=r"has mixup, but the network has no known embedding layer"):
        autoaug.compare(data, policies=[mixed, "none"], model=f"{__name__}:bag", out=tmp_path / "run")
    options = CompareOptions(data, ["eda", "none"], model=f"{__name__}:bag", workers=1)
    lines = setup_lines(options, prepare(options)[1])
    assert any(line.startswith("mixup and fgm are left out: the network has no known embedding") for line in lines)
    space = load_space("standard", "text").without_kinds(TEXT.in_embedding)
    assert space.mixing.kinds == ("none", "cutmix")
    assert space.adversarial.kinds == ("none",)
    alone = tmp_path / "alone.yaml"
    alone.write_text("mixing: {kinds: [none, mixup]}\nadversarial: {kinds: [none, fgm]}\nbaselines: [none]\n")
    with pytest.raises(
        SpaceError, match=r"space 'alone' has only mixup, fgm, but the network has no known embedding layer"
    ):
        autoaug.search(data, space=alone, model=f"{__name__}:bag", out=tmp_path / "run")
