"""From tables of texts to a verdict, exported code and a report; and the parts that look at texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import autoaug
from autoaug import api
from autoaug.errors import AutoaugError
from autoaug.modalities.registry import get_modality
from autoaug.modalities.text import features, models, pictures
from autoaug.modalities.text.examples import examples as texts
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Adversarial
from autoaug.search.probes import density
from autoaug.search.sampling import Given, sample_shaped
from autoaug.search.space import load_space
from autoaug.search.strategies.portfolio import portfolio
from tests.modalities.text.writing import learned, tokens, write_texts


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["auto", "density", "matching"])
def test_a_search_on_tables_ends_in_a_report(strategy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(density, "_CANDIDATES", 15)  # how good they are is not looked at
    data, run = write_texts(tmp_path / "texts"), tmp_path / "run"
    result = autoaug.search(
        data, strategy=strategy, trials=3, epochs=3, seeds=2, workers=1, finalists=1, executor="inline", out=str(run)
    )
    assert result.data.modality == "text"
    assert {candidate.name for candidate in result.candidates} >= {"none", "eda"}
    assert (run / "report.html").is_file()
    assert {path.name for path in run.glob("policy_*.py")} == {"policy_python.py", "policy_nlpaug.py"}
    robust = api.robustness(data, str(run), samples=8)
    assert "keyboard" in str(robust)
    assert "misspellings" in str(robust)


def test_no_strategy_follows_gradients_that_texts_do_not_have(tmp_path: Path) -> None:
    with pytest.raises(AutoaugError, match=r"'gradient' follows the gradients of .*'text' do not have; auto"):
        autoaug.search(write_texts(tmp_path / "texts"), strategy="gradient", trials=3, out=tmp_path / "run")


@pytest.mark.parametrize("name", ["standard", "text-light"])
def test_the_spaces_and_their_portfolios_are_of_texts(name: str) -> None:
    space = load_space(name, "text")
    assert space.modality.name == "text"
    assert load_space("standard").modality.name == "image"
    for shape in portfolio(space):
        policy = sample_shaped(space, Given(shape)).with_learned(learned())
        made, _ = policy.transform(seed=0, num_classes=4)(tokens(), torch.arange(8) % 4)
        assert made.shape == tokens().shape
    for baseline in get_modality("text").baselines:
        load_policy(baseline)


@pytest.mark.parametrize("name", ["textcnn", "text-transformer"])
def test_networks_learn_repeat_with_their_seed_and_take_any_text(name: str) -> None:
    given, zero = tokens(), torch.zeros(64)
    given = torch.cat([given, torch.zeros_like(given[:1])])  # and an empty one
    first, again = (models.build(name, (64, 3), 5, zero, zero, seed=1).eval()(given) for _ in range(2))
    assert first.shape == (9, 5)
    assert first.isfinite().all()
    assert torch.equal(first, again)
    network = models.build(name, (64, 3), 9, zero, zero, seed=1)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(given), torch.arange(9)).backward()
        optimizer.step()
    assert (network.eval()(given).argmax(1) == torch.arange(9)).sum() >= 8


def own_network(length: int, classes: int) -> torch.nn.Module:
    """As a user would write it."""

    class Bag(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.EmbeddingBag(500, classes, padding_idx=0)

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return self.embedding(models.word_ids(given, 500))

    return Bag()


def test_the_users_network_is_built_and_other_names_are_refused() -> None:
    zero = torch.zeros(64)
    network = models.build(f"{__name__}:own_network", (64, 3), 4, zero, zero, seed=0)
    assert network(tokens()).shape == (8, 4)
    with pytest.raises(AutoaugError, match="textcnn"):
        models.check("textcn")
    with pytest.raises(AutoaugError, match="random weights"):
        models.check("auto", "weights.safetensors")


def test_a_picture_marks_what_was_made_and_escapes_it() -> None:
    eda = load_policy("aeda").transform(seed=0)
    made = pictures.html(eda(texts()[:1])[0], '"<b>words</b>"')
    assert "<mark>" in made
    assert "<b>" not in made
    assert "<script>" not in pictures.html(eda.policy.transform(seed=1)(tokens())[0].numpy(), "x")
    with pytest.raises(ValueError, match="a text must be int64"):
        pictures.html(np.zeros((3, 8, 8), np.uint8), "an image")


def test_features_tell_words_and_order_apart() -> None:
    given = tokens(80)
    blocks = features.features(given)
    assert all(len(block) == 80 and block.isfinite().all() for block in blocks)
    swapped = parse_policy(
        "layers: [{sub_policies: [{operations: [{operator: WordSwap, magnitude: 1.0}]}]}]"
    ).transform(seed=0)(given)
    same, moved, _ = zip(blocks, features.features(swapped), strict=True)
    torch.testing.assert_close(*same)
    assert (moved[0] - moved[1]).abs().max() > 0.01
    vectors = features.copy_vectors(np.concatenate([texts(), swapped[:1].numpy()[:, :32]]))
    assert np.linalg.norm(vectors[0] - vectors[1]) > 0.1


def test_the_attack_raises_the_loss_and_leaves_what_it_cannot_worsen() -> None:
    given = tokens()
    attack = get_modality("text").attacks["worst-of"]
    how = Adversarial(kind="worst-of", epsilon=0.3, steps=5)

    def long_words(values: torch.Tensor) -> torch.Tensor:
        return -(values.view(torch.uint8).reshape(len(values), -1) > 0).sum(1).float()

    moved = attack(long_words, given, how, torch.Generator().manual_seed(0))
    assert bool((long_words(moved) >= long_words(given)).all())
    assert not torch.equal(moved, given)
    still = attack(lambda values: torch.zeros(len(values)), given, how, torch.Generator().manual_seed(0))
    assert torch.equal(still, given)
    assert "worst of 5" in attack.words(how)


def test_corruptions_grow_with_severity() -> None:
    given = tokens()
    for name, corrupt in get_modality("text").corruptions.items():
        changed = [int((corrupt(given, severity) != given).any(2).sum()) for severity in (1, 3, 5)]
        assert changed[-1] > 0, name
        assert changed[0] <= changed[-1], name
