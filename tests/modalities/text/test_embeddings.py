"""MixUp and FGM on the vectors of words, against closed forms and gradients by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import Samples
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.errors import OptionError, PolicyError
from autoaug.exporters import export_policy
from autoaug.modalities.base import Batch
from autoaug.modalities.registry import get_modality
from autoaug.modalities.text import mixing, models
from autoaug.modalities.text.tokens import as_rows, tokenized
from autoaug.policy.loading import parse_policy
from autoaug.policy.models import Adversarial, Mixing, Policy
from autoaug.search.sampling import Given as GivenChoices
from autoaug.search.sampling import sample_policy, sample_shaped, usual_shape
from autoaug.search.space import load_space
from autoaug.search.strategies.neighbors import neighbors
from autoaug.search.strategies.portfolio import portfolio
from autoaug.training import chunks
from autoaug.training.adversarial import attack
from autoaug.training.chunks import augmented_chunks
from autoaug.training.embedding import NetworkInput, embedding_of, outputs_of, vectors_of
from autoaug.training.recipe import Recipe
from autoaug.training.setting import TrainingSetting
from autoaug.training.state import new_training
from autoaug.training.tasks import Classification
from autoaug.training.train import train_to_end
from tests.modalities.text.writing import tokens, written

TEXT, TASK = get_modality("text"), Classification(3)
PROXIES = ("textcnn", "text-transformer")
HOW = Adversarial(kind="fgm", epsilon=0.1)
SWAPS = "layers: [{sub_policies: [{operations: [{operator: WordSwap}]}]}]"
EITHER = Policy(mixing=Mixing(kind="mixup-or-cutmix"))


def built(name: str, length: int = 64) -> nn.Module:
    blank = torch.zeros(length)
    return models.build(name, (length, 3), 3, blank, blank, seed=0).eval()


class Linear(nn.Module):
    """The sum of the words' vectors, and one weight per class for each of its numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(500, 6, padding_idx=0)
        self.head = nn.Linear(6, 3, bias=False)

    def forward(self, given: Tensor) -> Tensor:
        made: Tensor = self.head(self.words(models.word_ids(given, 500)).sum(1))
        return made


def setting(length: int = 24, n: int = 96, model: str = "textcnn", **recipe: object) -> TrainingSetting:
    """Short texts of two classes."""
    texts, labels = zip(*written(n, seed=0), strict=True)
    rows = as_rows([tokenized(text) for text in texts], length)
    given = Samples(MemoryInputs(rows), np.array([label == "money" for label in labels], np.int64))
    numbers = {"epochs": 6, "batch_size": 32, "optimizer": "adamw", "learning_rate": 3e-3, **recipe}
    return TrainingSetting(Classification(2), given, given, None, model, Recipe.model_validate(numbers), "cpu", "text")


def test_the_outputs_of_a_linear_network_are_mixed_as_the_vectors_are() -> None:
    network, own, others = Linear(), tokens(), tokens().flip(0)
    weight = torch.linspace(0, 1, 8)
    mixed = outputs_of(network, NetworkInput(own, others, weight), TEXT)
    expected = weight[:, None] * network(own) + (1 - weight)[:, None] * network(others)
    torch.testing.assert_close(mixed, expected)
    mixed[:, 0].sum().backward()
    gradient = network.words.weight.grad
    assert gradient is not None
    own_words, other_words = (
        nn.functional.one_hot(models.word_ids(text, 500), 500).sum(1).float() for text in (own, others)
    )
    shares = weight @ own_words + (1 - weight) @ other_words  # each word has learned by the share of its texts
    shares[0] = 0  # padding
    torch.testing.assert_close(gradient, shares[:, None] * network.head.weight[0])


@pytest.mark.parametrize("name", PROXIES)
def test_a_weight_of_one_changes_nothing_and_a_partner_that_is_the_text_itself_neither(name: str) -> None:
    network, own = built(name), tokens()
    for partner, weight in ((own.flip(0), torch.ones(8)), (own, torch.linspace(0, 1, 8))):
        mixed = outputs_of(network, NetworkInput(own, partner, weight), TEXT)
        torch.testing.assert_close(mixed, network(own), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", PROXIES)
def test_a_longer_partner_is_mixed_in_as_a_whole(name: str) -> None:
    """At weight 0, all that the network sees is the partner, beyond the end of the text, too."""
    network, own = built(name), tokens()[[6, 0]]
    mixed = outputs_of(network, NetworkInput(own, own.flip(0), torch.tensor([0.0, 1.0])), TEXT)
    torch.testing.assert_close(mixed, network(own[[1, 1]]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("loss", ["plain", "trades"])
def test_fgm_is_a_step_along_the_gradient_by_hand(loss: str) -> None:
    network, given = built("textcnn"), tokens()[:7]
    targets = TASK.targets(torch.arange(7) % 3)
    how = HOW.model_copy(update={"loss": loss})
    moved = attack(network, NetworkInput(given), targets, how, torch.Generator().manual_seed(0), TASK, TEXT)
    assert torch.equal(moved.values, given)
    assert moved.moves is not None
    vectors = network.embedding(given).detach()
    lengths = vectors.flatten(1).norm(dim=1)
    assert bool((moved.moves.flatten(1).norm(dim=1) <= HOW.epsilon * lengths * 1.0001).all())
    assert not moved.moves[(given == 0).all(2)].any()  # padding
    if loss == "plain":  # the other one starts aside, at random
        leaf = vectors.clone().requires_grad_()
        values = leaf.transpose(1, 2)
        most = [convolution(values).relu().amax(2) for convolution in network.convolutions]
        outputs = network.head(network.norm(torch.cat(most, 1)))
        (gradient,) = torch.autograd.grad(-(outputs.log_softmax(1) * targets).sum(), leaf)
        gradient = gradient * (given != 0).any(2)[..., None]
        step = HOW.epsilon * lengths[:, None, None] * gradient / gradient.flatten(1).norm(dim=1)[:, None, None]
        torch.testing.assert_close(moved.moves, step, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", PROXIES)
def test_fgm_raises_the_loss_of_mixed_texts_and_of_empty_ones_nothing(name: str) -> None:
    network, own = built(name), torch.cat([tokens()[:5], torch.zeros_like(tokens()[:1])])
    given = NetworkInput(own, own.flip(0), torch.tensor([0.7, 0.2, 0.9, 0.4, 0.6, 1.0]))
    targets = TASK.targets(torch.arange(6) % 3)
    moved = attack(network, given, targets, HOW, torch.Generator().manual_seed(0), TASK, TEXT)
    before, after = (TASK.loss(outputs_of(network, some, TEXT), targets) for some in (given, moved))
    assert bool((after[:5] > before[:5]).all())
    assert torch.equal(after[5], before[5])
    assert not any(module._forward_hooks for module in network.modules())
    grown = given.joined(moved)  # as TRADES joins them
    torch.testing.assert_close(
        outputs_of(network, grown, TEXT), torch.cat([outputs_of(network, g, TEXT) for g in (given, moved)])
    )


def test_a_chunk_has_the_unmixed_partners_and_the_labels_of_the_plan() -> None:
    plan = setting().plan(EITHER, 0)
    rows = iter([np.arange(96)])
    (chunk,) = augmented_chunks(new_training(plan), plan, [EITHER], rows, torch.Generator().manual_seed(0), first=0)
    assert chunk.plan is not None
    mix, given = chunk.plan.mix, chunk.given
    assert mix is not None
    assert given.partners is not None
    assert given.weight is not None
    by_vectors = mix.mode == 2
    assert 24 < int(by_vectors.sum()) < 72
    assert torch.equal(given.partners, chunk.clean[mix.partner])
    assert torch.equal(given.weight, torch.where(by_vectors, mix.weight, 1.0))
    assert torch.equal(given.values[by_vectors], chunk.clean[by_vectors])
    assert not torch.equal(given.values[~by_vectors], chunk.clean[~by_vectors])
    labels = torch.nn.functional.one_hot(torch.from_numpy(plan.samples.labels), 2).float()
    weight = mixing.label_weights(Batch(chunk.clean), mix.partner, mix.mode, mix.weight, mix.place)[:, None]
    assert torch.equal(weight[by_vectors, 0], mix.weight[by_vectors])
    expected = weight * labels + (1 - weight) * labels[mix.partner]
    torch.testing.assert_close(chunk.targets, expected)


@pytest.mark.parametrize(("kind", "passes"), [("mixup", 1), ("cutmix", 1), ("mixup-or-cutmix", 2)])
def test_texts_are_augmented_once_unless_they_are_mixed_in_both_ways(
    kind: str, passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = parse_policy(f"{SWAPS}\nmixing: {{kind: {kind}}}")
    plan, calls = setting().plan(policy, 0), []

    def counted(drawn: Plan, given: Tensor, check: bool) -> Tensor:
        calls.append(drawn)
        return apply_plan(drawn, given, check=check)

    monkeypatch.setattr(chunks, "apply_plan", counted)
    rows = iter([np.arange(96)])
    (chunk,) = chunks.augmented_chunks(new_training(plan), plan, [policy], rows, torch.Generator().manual_seed(0), 0)
    assert len(calls) == passes
    assert chunk.plan is not None
    assert torch.equal(chunk.given.values, apply_plan(chunk.plan, chunk.clean))
    if chunk.given.partners is not None:
        unmixed = apply_plan(replace(chunk.plan, mix=None), chunk.clean)
        assert torch.equal(chunk.given.partners, unmixed[chunk.plan.mix.partner])


TRAINED = {
    "mixup": Policy(mixing=Mixing(kind="mixup")),
    "fgm": Policy(adversarial=Adversarial(kind="fgm", epsilon=0.05)),
    "trades": Policy(
        mixing=Mixing(kind="mixup"), adversarial=Adversarial(kind="fgm", epsilon=0.05, loss="trades", beta=1.0)
    ),
    "worst-of": Policy(mixing=Mixing(kind="mixup"), adversarial=Adversarial(kind="worst-of", epsilon=0.2)),
}


def trained(policy: Policy, model: str, epochs: int) -> nn.Module:
    return train_to_end(setting(model=model, epochs=epochs).plan(policy, 0)).model.eval()


def check_learned(network: nn.Module) -> None:
    """Check that it has learned most of its texts."""
    samples = setting().train
    given = torch.from_numpy(samples.inputs.take(np.arange(96)))
    assert (network(given).argmax(1).numpy() == samples.labels).mean() > 0.8


@pytest.mark.parametrize("kind", ["mixup", "fgm"])
def test_a_short_training_learns_under_each(kind: str) -> None:
    check_learned(trained(TRAINED[kind], "textcnn", 6))


@pytest.mark.slow
@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("kind", TRAINED)
def test_trainings_learn_and_repeat(name: str, kind: str) -> None:
    check_learned(trained(TRAINED[kind], name, 12))
    first, again = (trained(TRAINED[kind], name, 2).state_dict() for _ in range(2))
    assert all(torch.equal(tensor, again[key]) for key, tensor in first.items())


def test_embeddings_are_found_where_networks_say_or_have_one() -> None:
    network = Linear()
    assert embedding_of(network) is network.words
    wrapped = nn.Sequential(built("textcnn"))
    assert embedding_of(wrapped) is wrapped[0].embedding
    two = nn.ModuleList([nn.Embedding(3, 2), nn.Embedding(3, 2)])
    assert embedding_of(two) is None
    with pytest.raises(OptionError, match=r"no known embedding layer .* get_input_embeddings"):
        vectors_of(two, NetworkInput(tokens()))


def test_mixed_samples_are_not_joined_to_unmixed_ones() -> None:
    own = tokens()
    with pytest.raises(AssertionError):
        NetworkInput(own, own.flip(0), torch.ones(8)).joined(NetworkInput(own))


@pytest.mark.slow
def test_models_of_transformers_are_mixed_and_attacked_as_they_are() -> None:
    transformers = pytest.importorskip("transformers")

    class Bert(nn.Module):
        """As a user would write it."""

        def __init__(self) -> None:
            super().__init__()
            sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
            config = transformers.BertConfig(vocab_size=500, num_labels=3, **sizes)
            self.bert = transformers.BertForSequenceClassification(config)

        def forward(self, given: Tensor) -> Tensor:
            ids = models.word_ids(given, 500)
            logits: Tensor = self.bert(input_ids=ids, attention_mask=(ids > 0).long()).logits
            return logits

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Bert().eval()
    own = tokens()[[6, 0]]
    assert embedding_of(network) is network.bert.bert.embeddings.word_embeddings
    mixed = outputs_of(network, NetworkInput(own, own.flip(0), torch.tensor([0.0, 1.0])), TEXT)
    torch.testing.assert_close(mixed, network(own[[1, 1]]), atol=1e-5, rtol=1e-5)
    targets = TASK.targets(torch.arange(2))
    moved = attack(network, NetworkInput(own), targets, HOW, torch.Generator(), TASK, TEXT)
    before, after = (TASK.loss(outputs_of(network, some, TEXT), targets) for some in (NetworkInput(own), moved))
    assert bool((after > before).all())


def test_the_space_draws_both() -> None:
    space = load_space("standard", "text")
    policy = sample_policy(space, GivenChoices({"mixing": "mixup", "adversarial": "fgm", "layers": 0}))
    assert policy.mixing is not None
    assert policy.adversarial is not None
    assert (policy.mixing.kind, policy.adversarial.kind, policy.adversarial.steps) == ("mixup", "fgm", 1)
    assert policy.adversarial.epsilon == space.adversarial.epsilon[0]


def test_shapes_may_attack_by_fgm_alone() -> None:
    """Other attacks take several passes, so that shapes leave them out; see `sample_shaped`."""
    space = load_space("standard", "text")
    kinds = [policy.adversarial for shape in portfolio(space) if (policy := sample_shaped(space, GivenChoices(shape)))]
    assert [how.kind for how in kinds if how is not None] == ["fgm", "fgm"]
    usual = usual_shape(space)
    (changed,) = [found for found in neighbors(space, usual) if found["adversarial"] != usual["adversarial"]]
    assert sample_shaped(space, GivenChoices(changed)).adversarial == Adversarial(
        kind="fgm", epsilon=(0.05 * 0.5) ** 0.5, share=0.6
    )
    clips = load_space("standard", "video")
    assert "pgd" in clips.adversarial.kinds
    assert "adversarial" not in usual_shape(clips)
    bare = space.without_kinds(TEXT.in_embedding)
    assert all(sample_shaped(bare, GivenChoices(shape)).adversarial is None for shape in portfolio(bare))


def test_what_has_no_network_refuses_or_says_it() -> None:
    policy = parse_policy(f"{SWAPS}\nmixing: {{kind: mixup}}")
    with pytest.raises(PolicyError, match=r"mixes vectors in a network .mixup., which a transform does not have"):
        policy.transform(seed=0)(["one text", "and another"], [0, 1])
    with pytest.raises(PolicyError, match="python cannot express mixing"):
        export_policy(policy, "python")
    assert "mixing is left out; the training loop has to provide it" in export_policy(
        policy, "python", approximate=True
    )
    attacked = Policy(layers=policy.layers, adversarial=HOW)
    assert "adversarial samples: Adversarial(kind='fgm'" in export_policy(attacked, "python")
    assert "FGM (10 % of the length" in TEXT.attacks["fgm"].words(HOW)
    for wrong, rule in (({"steps": 3}, "fgm takes one step"), ({"norm": "linf"}, "fgm moves by a length")):
        with pytest.raises(ValueError, match=rule):
            Adversarial.model_validate({"kind": "fgm", **wrong})
