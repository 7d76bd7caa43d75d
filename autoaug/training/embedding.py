"""What a network gets in a training: samples, and changes of the vectors that its embedding makes of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from autoaug.engine.batches import per_sample
from autoaug.errors import AutoaugError, OptionError, typed_line
from autoaug.modalities.base import Modality
from autoaug.training.device import with_layout
from autoaug.training.layers import evaluating

NO_EMBEDDING = (
    "the network has no known embedding layer whose vectors could be mixed or attacked: add a method "
    "get_input_embeddings that returns it, have one nn.Embedding alone, or leave mixing and the attack out"
)
_CALLED_TWICE = (
    "the network calls its embedding layer twice in a pass, so that it is unclear which vectors to mix or attack: call "
    "it once, or leave mixing and the attack of vectors out"
)


@dataclass(frozen=True)
class NetworkInput:
    """Samples for a network. Their vectors, which its embedding makes, are mixed first, and then moved.

    Attributes:
        values: ``[n, …]``.
        partners: the samples ``[n, …]`` whose vectors are mixed in; None without mixing there.
        weight: the weight ``[n]`` of the own vectors; 1 leaves a sample as it is.
        moves: what is added to the vectors, ``[n, L, d]``; None for nothing.
    """

    values: Tensor
    partners: Tensor | None = None
    weight: Tensor | None = None
    moves: Tensor | None = None

    def __len__(self) -> int:
        return len(self.values)

    def part(self, begin: int, end: int) -> NetworkInput:
        """The samples from `begin` to `end`."""
        rows = slice(begin, end)
        others = (None if tensor is None else tensor[rows] for tensor in (self.partners, self.weight, self.moves))
        return NetworkInput(self.values[rows], *others)

    def joined(self, other: NetworkInput) -> NetworkInput:
        """These samples and then the others, of the same training: both or neither are mixed."""
        assert (self.partners is None) == (other.partners is None)

        def both(own: Tensor | None, then: Tensor | None) -> Tensor | None:
            return None if own is None or then is None else torch.cat([own, then])

        own, then = self.moves, other.moves
        if own is None and then is not None:
            own = then.new_zeros(len(self), *then.shape[1:])
        if then is None and own is not None:
            then = own.new_zeros(len(other), *own.shape[1:])
        values = torch.cat([self.values, other.values])
        return NetworkInput(
            values, both(self.partners, other.partners), both(self.weight, other.weight), both(own, then)
        )


def embedding_of(model: nn.Module) -> nn.Module | None:
    """The layer that makes vectors ``[n, L, d]`` of samples: what the method ``get_input_embeddings`` of the network or
    of a part of it returns, as in the library transformers, or else its only ``nn.Embedding``; None if there is none.
    """
    for module in model.modules():
        getter: Callable[[], object] | None = getattr(module, "get_input_embeddings", None)
        if getter is not None:
            return _got(getter)
    layers = [module for module in model.modules() if isinstance(module, nn.Embedding)]
    return layers[0] if len(layers) == 1 else None


def _got(getter: Callable[[], object]) -> nn.Module | None:
    try:
        found = getter()
    except NotImplementedError:  # so models of transformers say that they have none
        return None
    except (Exception, SystemExit) as fault:  # a user's method may raise anything
        raise OptionError(f"the network's method get_input_embeddings failed: {typed_line(fault)}") from fault
    return found if isinstance(found, nn.Module) else None


def embedding_fault(model: nn.Module, values: Tensor, modality: Modality) -> str | None:
    """Why vectors of the model's embedding cannot be mixed or attacked, tried on samples ``[n, …]``; None if not so."""
    given = NetworkInput(values, values.flip(0), torch.full((len(values),), 0.5))
    try:
        if embedding_of(model) is None:
            return NO_EMBEDDING
        with evaluating(model), torch.random.fork_rng(devices=[]), torch.enable_grad():
            vectors = vectors_of(model, given).detach().requires_grad_()
            torch.autograd.grad(outputs_at(model, given, vectors, modality).sum(), vectors)
    except AutoaugError as fault:
        return str(fault)
    except (Exception, SystemExit) as fault:  # a user's network may raise anything
        return f"the network fails where vectors of its embedding are mixed and attacked: {typed_line(fault)}"
    return None


def outputs_of(model: nn.Module, given: NetworkInput, modality: Modality) -> Tensor:
    """The model's outputs for what it is given. Gradients reach its embedding, too."""
    if given.partners is None and given.moves is None:
        outputs: Tensor = model(with_layout(given.values))
        return outputs
    return outputs_at(model, given, vectors_of(model, given), modality)


def vectors_of(model: nn.Module, given: NetworkInput) -> Tensor:
    """The vectors ``[n, L, d]`` of what the model is given, mixed (wordMixup; Guo et al., 2019) and moved."""
    if given.partners is None or given.weight is None:
        made = _embedded(model, given.values)
    else:
        own, others = _embedded(model, torch.cat([given.values, given.partners])).chunk(2)
        made = torch.lerp(others, own, per_sample(given.weight.to(own), own))
    if given.moves is None:
        return made
    return made + pad(given.moves, (0, 0, 0, made.shape[1] - given.moves.shape[1]))


def outputs_at(model: nn.Module, given: NetworkInput, vectors: Tensor, modality: Modality) -> Tensor:
    """The outputs of the model if its embedding gives these ``vectors [n, L, d]``. It gets the longer one of mixed
    samples, so that its masks of padding leave room for both. Raises `OptionError` if it calls its embedding twice.
    """
    calls = itertools.count()

    def replaced(layer: nn.Module, inputs: object, made: Tensor) -> Tensor:  # noqa: ARG001 (PyTorch passes them)
        if next(calls):  # of other samples, perhaps, or of a part of them
            raise OptionError(_CALLED_TWICE)
        return vectors.to(made.dtype)  # moves of half-precision vectors are made in single precision

    hook = _layer(model).register_forward_hook(replaced)
    try:
        outputs: Tensor = model(with_layout(_longer(given, modality)))
    finally:
        hook.remove()
    return outputs


def _longer(given: NetworkInput, modality: Modality) -> Tensor:
    """The samples, or their partners where these are longer and mixed in."""
    if given.partners is None or given.weight is None:
        return given.values
    own, others = modality.lengths(given.values), modality.lengths(given.partners)
    if own is None or others is None:
        return given.values
    is_longer = (others > own) & (given.weight < 1)
    return torch.where(per_sample(is_longer, given.values), given.partners, given.values)


class _Embedded(Exception):  # it ends a pass through a network early
    """The vectors."""


def _embedded(model: nn.Module, values: Tensor) -> Tensor:
    """The vectors that the embedding makes of samples; what comes after it in the network is not computed."""

    def end(layer: nn.Module, inputs: object, vectors: Tensor) -> None:  # noqa: ARG001 (PyTorch passes them)
        raise _Embedded(vectors)

    hook = _layer(model).register_forward_hook(end)
    try:
        model(with_layout(values))
    except _Embedded as ended:
        vectors: Tensor = ended.args[0]
        return vectors
    finally:
        hook.remove()
    raise OptionError("the network does not use its embedding layer; leave out mixing and attacks of its vectors")


def _layer(model: nn.Module) -> nn.Module:
    layer = embedding_of(model)
    if layer is None:
        raise OptionError(NO_EMBEDDING)
    return layer
