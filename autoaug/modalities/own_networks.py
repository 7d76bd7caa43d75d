"""Networks that a user's function builds, ``module:function``, for any modality."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from autoaug.errors import OptionError, UnknownName, typed_line
from autoaug.utils.own_code import load_function, same_folder


def load_builder(name: str, known: Iterable[str]) -> Callable[..., object]:
    """Load the user's function that builds the network; raises `UnknownName`, with the `known` names, if `name` is not
    that of one.
    """
    if not name.partition(":")[2]:
        raise UnknownName("model", name, [*known, "module:function"])
    return load_function(name, "--model")


def check_call(function: Callable[..., object], name: str) -> None:
    """Raise `OptionError` if the user's function does not take two arguments by position."""
    try:
        inspect.signature(function).bind(3, 2)
    except TypeError as fault:
        raise OptionError(
            f"--model {name} must take the numbers of channels and of classes, as {name}(3, 10): {typed_line(fault)}"
        ) from None
    except ValueError:  # a function of an extension module has no signature
        return


def build_own(
    function: Callable[..., object], name: str, channels: int, classes: int, shape: tuple[int, ...]
) -> nn.Module:
    """The network that the user's function returns; layers such as ``LazyLinear`` get their sizes from samples of
    `shape`. Raises `OptionError` if the function fails or returns something else.
    """
    try:
        with same_folder():
            network = function(channels, classes)
    except (Exception, SystemExit) as fault:  # a user's function may raise anything, or call sys.exit
        raise OptionError(
            f"--model {name} failed when called with ({channels}, {classes}): {typed_line(fault)}"
        ) from fault
    if not isinstance(network, nn.Module):
        raise OptionError(f"--model {name} must return a torch.nn.Module, not {type(network).__name__}")
    if any(is_lazy(parameter) for parameter in network.parameters()):
        _fix_sizes(network, name, shape)
    return network


def _fix_sizes(network: nn.Module, name: str, shape: tuple[int, ...]) -> None:
    """Call the network once, which gives its lazy layers their sizes."""
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(2, *shape))
    except (Exception, SystemExit) as fault:  # a user's network may raise anything
        raise OptionError(f"--model {name} fails on samples of shape {list(shape)}: {typed_line(fault)}") from fault
    network.train(was_training)
