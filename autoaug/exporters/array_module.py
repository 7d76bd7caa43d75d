"""Modules without torch: a policy as the text of one, from operators written for arrays, and a library's own shell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from types import ModuleType

from autoaug.engine.plan import drawn_operators
from autoaug.exporters.assemble import Definition, definitions, import_block, imports, needed
from autoaug.exporters.base import Target, expressible, header
from autoaug.exporters.module import layers_text
from autoaug.exporters.runtime import array_apply, array_noise, array_types, arrays, workers
from autoaug.functional import bounds
from autoaug.modalities.operators import Operator, get_operator
from autoaug.policy.models import Policy

_TYPES = """Array = Any
Size = tuple[int, int]
Table = list[list[tuple[float, list[tuple[int, float, float, float, float]]]]]"""


@dataclass(frozen=True)
class ArrayTarget(Target):
    """A library that works on arrays ``[n, H, W, C]``.

    Attributes:
        name, summary: see `Target`.
        use: how the module is used, in its first lines.
        library: what it imports, besides what the operators need.
        modules: the functions that there are for it.
        words: the name under which the array functions are called there.
    """

    name: str
    summary: str
    use: str
    library: tuple[str, ...]
    modules: tuple[ModuleType, ...]
    words: str = "np"

    def supports(self, operator: str) -> bool:
        return operator == "Identity" or get_operator(operator).function.__name__ in self._functions()

    def _functions(self) -> dict[str, Definition]:
        return {name: definition for module in self.modules for name, definition in definitions(module).items()}

    def text(self, policy: Policy, approximate: bool = False) -> str:
        shown, left_out = expressible(policy, self, approximate, ("mixing", "chains"))
        shell = files("autoaug.exporters").joinpath("shells", f"{self.name}.txt").read_text(encoding="utf-8").rstrip()
        operators = [get_operator(name) for name in drawn_operators(shown)]
        available = self._functions()
        wanted = [*(o.function.__name__ for o in operators), *re.findall(r"\b[a-z_]+(?=\()", shell)]
        body = [available[name].source for name in needed(wanted, available)]
        text = "\n\n\n".join([*body, _operators(operators), shell])
        if self.words != "np":
            text = re.sub(r"\bnp\.", f"{self.words}.", text)
        known = {name: line for module in self.modules for name, line in imports(module).items()}
        known |= {re.split(r"\s+", line)[-1]: line for line in self.library}
        used = import_block(line for name, line in known.items() if re.search(rf"\b{name}\b", text + _TYPES))
        head = [header(policy, self, self.use, left_out), "from __future__ import annotations", used, _TYPES]
        return "\n\n".join([*head, layers_text(shown)]) + "\n\n\n" + text + "\n"


def _operators(operators: list[Operator]) -> str:
    kinds = {"warp": "warp", "projection": "warp"}
    rows = "".join(f"\n    ({kinds.get(o.kind, 'samples')!r}, {o.function.__name__}, {o.limit!r})," for o in operators)
    comment = "# What LAYERS numbers: the kind of operator, its function, and its value at magnitude 1."
    return f"{comment}\nOPERATORS = [{rows}\n]" if rows else f"{comment}\nOPERATORS: list[tuple[str, Any, float]] = []"


NUMPY = ArrayTarget(
    "numpy",
    "with NumPy and Pillow alone",
    "sample = Augment()(sample)",
    ("import os", "from typing import Any", "from PIL import Sample"),
    (bounds, workers, array_types, arrays, array_noise, array_apply),
)
ALBUMENTATIONS = ArrayTarget(
    "albumentations",
    "as a transform of albumentations",
    "sample = A.Compose([Augment()], seed=0)(sample=sample)['sample']",
    ("from typing import Any", "import albumentations as A"),
    (bounds, workers, array_types, arrays, array_noise, array_apply),
)
KERAS = ArrayTarget(
    "keras",
    "as a preprocessing layer of Keras 3, on any of its backends",
    "samples = Augment()(samples, training=True)",
    ("from typing import Any", "from keras import ops", "import keras"),
    (bounds, workers, arrays),
    words="ops",
)
