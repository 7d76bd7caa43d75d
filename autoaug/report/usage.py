"""The lines of code that use an exported policy."""

from __future__ import annotations

import re
from pathlib import Path

from autoaug.errors import RunError
from autoaug.policy.models import Policy
from autoaug.results import DataSummary
from autoaug.utils.files import read_text

#: In the second line of modules that are written as users of the library write them; see `autoaug.exporters`.
_SINGLE = "one at a time"


def code_lines(module: Path, policy: Policy, data: DataSummary) -> list[str]:
    """The lines of code that use the file `module`, exported from the `policy`: on one sample at a time where it is
    written as users of the library write it, and otherwise on a batch; none where the code would change no sample, as
    for no augmentation. Raises `RunError` if the file is damaged.
    """
    if not policy.changes_samples:
        return []
    imported, mixes, count = f"{module}, which runs without autoaug", policy.mixing is not None, len(data.classes)
    limits = {"multi-label": "  # labels [n, labels] in [0, 1]", "regression": "  # labels [n, numbers]"}
    beside = limits.get(data.task, "")
    given = 0 if data.task == "regression" else count
    head = read_text(module, RunError).splitlines()[:2]
    is_single = any(_SINGLE in line for line in head)
    if is_single:
        code = [
            f"from {module.stem} import Augment{', mixing' if mixes else ''}  # {imported}",
            "augment = Augment()",
            "sample = augment(sample)  # one at a time, in the data set",
        ]
        return [*code, f"batch, labels = mixing({count})(batch, labels){beside}"] if mixes else code
    taken = re.search(r": (\w+) = ", "".join(head))  # what the module says that it takes
    name = taken[1] if taken else "batch"
    return [
        f"from {module.stem} import Augment  # {imported}",
        f"augment = Augment({f'classes={given}' if mixes else ''})",
        f"batch, soft_labels = augment(batch, labels){beside}" if mixes else f"{name} = augment({name})",
    ]
