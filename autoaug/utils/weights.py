"""Read the weights of networks from files, without running code that a file may contain."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from autoaug.errors import OptionError, first_line

#: Under these keys, checkpoints keep the state dict beside other things.
_NESTED = ("state_dict", "model_state_dict", "model", "weights")
#: Prefixes that wrappers (`DataParallel`, `torch.compile`) put before each name.
_WRAPPERS = ("module.", "_orig_mod.")


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors by name in a safetensors file, or in a state dict that PyTorch wrote, and the file's metadata.

    Raises:
        OptionError: there is no such file, it is damaged, it contains code, or it has no tensors, or values that are
            not finite.
    """
    if not path.is_file():
        raise OptionError(f"--weights {path}: there is no such file; give a safetensors file or a state dict")
    metadata: dict[str, str] = {}
    if _is_pytorch(path):
        tensors = _state_dict(path)
    else:
        try:
            with safe_open(path, framework="pt") as file:
                metadata = dict(file.metadata() or {})
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        except (SafetensorError, OSError) as fault:
            raise OptionError(f"--weights {path} is damaged or truncated ({_in_brief(fault)}); copy it again") from None
    for prefix in _WRAPPERS:
        if tensors and all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    if not tensors:
        raise OptionError(f"--weights {path} has no tensors; give a safetensors file or a state dict")
    broken = [name for name, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if broken:
        raise OptionError(f"--weights {path} has values that are not finite, in {broken[0]}; train or copy it again")
    return tensors, metadata


def _is_pytorch(path: Path) -> bool:
    """Whether the file is a ZIP archive or a pickle, as `torch.save` writes. A safetensors file begins with a length,
    which may be any bytes, so that its name decides first.
    """
    if path.suffix == ".safetensors":
        return False
    with path.open("rb") as file:
        start = file.read(4)
    return start == b"PK\x03\x04" or start[:1] == b"\x80" or path.suffix in {".pt", ".pth", ".bin", ".ckpt"}


def _state_dict(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol")  # which most files are not written in
            loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as fault:
        if "weights_only" in str(fault) or "Unsupported" in str(fault) or "GLOBAL" in str(fault):
            raise OptionError(
                f"--weights {path} contains pickled code, which is not run: save the state dict alone, with "
                "safetensors.torch.save_file(model.state_dict(), FILE)"
            ) from None
        raise OptionError(f"--weights {path} is damaged or truncated ({_in_brief(fault)}); copy it again") from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError) as fault:
        raise OptionError(f"--weights {path} is damaged or truncated ({_in_brief(fault)}); copy it again") from None
    for key in _NESTED:
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise OptionError(f"--weights {path} is not a state dict, which maps names to tensors; save model.state_dict()")
    return dict(loaded)


def _in_brief(fault: BaseException) -> str:
    """What is wrong; PyTorch goes on about how it may have come to that."""
    return first_line(fault).split(". ")[0]


def weights_digest(tensors: Mapping[str, Tensor]) -> str:
    """12 hex digits over the names, types, shapes and values of the tensors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:12]
