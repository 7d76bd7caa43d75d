"""The run folder: its paths and its config."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from autoaug.errors import RunError, resume_command
from autoaug.runs.config import EXECUTION_FIELDS, MOST_POLICIES, RunConfig
from autoaug.search.space import UNSEARCHED
from autoaug.utils.facts import brief
from autoaug.utils.files import read_text, safe_name, write_atomically
from autoaug.utils.locks import LOCK, held
from autoaug.utils.yaml import MOST_BYTES, MOST_NODES, parse_yaml, validate

_UNFINISHED = ".config.yaml.unfinished"  # as `write_atomically` calls it


class RunFolder:
    """Paths within a run folder."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.config = self.root / "config.yaml"
        self.study = self.root / "study.db"
        self.checkpoints = self.root / "checkpoints"
        self.events = self.root / "events.jsonl"
        self.confirmation = self.root / "confirmation"
        self.control = self.root / "control"
        self.result = self.root / "result.json"
        self.policy = self.root / "policy.yaml"
        self.report = self.root / "report.html"
        self.model = self.root / "model.safetensors"
        self.examples = self.root / "examples.npz"
        self.robustness = self.root / "robustness.json"

    @property
    def name(self) -> str:
        """The name of the folder, also where it is the one in which this process works."""
        return self.root.resolve().name

    def gallery(self, candidate: str) -> Path:
        """Pictures of the ``returned`` policy, or of the ``finalist`` if that is another one."""
        return self.root / f"gallery_{candidate}.npz"

    def samples(self, kind: str) -> Path:
        """Pictures of samples from a kind of generator."""
        return self.root / f"generated_{safe_name(kind)}.npz"

    @classmethod
    def create(cls, root: str | Path, config: RunConfig) -> RunFolder:
        """Create the folder with its config atomically; raises `RunError` if something is in the way. If two runs start
        there at once, the second finds the config of the first.
        """
        folder = cls(root)
        folder.check_usable()
        if folder.config.is_file():
            raise RunError(_why_not_begun(*cls.open(root), config))
        try:
            if config.is_private:
                folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.root.chmod(0o700)  # an empty folder may have existed
            with held(folder.root, "choose another with --out"):
                if folder.config.is_file():
                    raise RunError(_why_not_begun(*cls.open(root), config))
                text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, width=120)
                write_atomically(folder.config, text, mode=0o600 if config.is_private else 0o666)
        except OSError as fault:
            raise RunError(f"cannot make the run folder {root}: {fault.strerror}") from None
        return folder

    def check_usable(self) -> None:
        """Raise `RunError` if the path exists and is neither an empty folder nor a run folder. Remains of a crash while
        the folder was created are ignored.
        """
        if not self.root.exists() or self.config.is_file():
            return
        if not self.root.is_dir() or {path.name for path in self.root.iterdir()} - {LOCK, _UNFINISHED}:
            raise RunError(f"{self.root} exists and is not a run folder; choose another with --out")

    def check_inside(self) -> None:
        """Raise `RunError` if a link in the folder leads out of it, or if a pipe, a device or a file is where something
        else belongs: a folder from someone else must not make a run write or delete elsewhere, or wait forever. Below
        the second level there are only files of trackers, which have links of their own.
        """
        inside = os.path.realpath(self.root) + os.sep
        for pattern in ("*", "*/*"):
            for path in self.root.glob(pattern):
                if path.is_symlink() and not os.path.realpath(path).startswith(inside):
                    raise RunError(
                        f"{path} is a link that leads out of the run folder, and a run writes only within it; "
                        "put what it leads to in its place"
                    )
                if path.exists() and not (path.is_file() or path.is_dir()):
                    raise RunError(f"{path} is neither a file nor a folder; remove it")
        for path in (self.checkpoints, self.confirmation, self.control):
            if path.exists() and not path.is_dir():
                raise RunError(f"{path} is not a folder; remove it")

    @classmethod
    def open(cls, root: str | Path, goes_on: bool = True) -> tuple[RunFolder, RunConfig]:
        """An existing run folder with its config; raises `RunError` where it is none. Where the run does not go on, as
        for a report, its space is read without torch and without its operators.
        """
        folder = cls(root)
        if not folder.config.is_file():
            raise RunError(f"{root} is not a run folder: it has no config.yaml")
        text = read_text(folder.config, RunError, at_most=MOST_POLICIES * MOST_BYTES)
        document = parse_yaml(text, str(folder.config), RunError, MOST_POLICIES * MOST_NODES)
        return folder, validate(RunConfig, document, RunError, context=None if goes_on else UNSEARCHED)

    def bytes(self) -> int:
        """The size of the folder on disk, in bytes."""
        return sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())


def _why_not_begun(folder: RunFolder, begun: RunConfig, wanted: RunConfig) -> str:
    """Why a run with the config `wanted` cannot start in the folder of the run `begun`, with the differences."""
    before, after = (config.shown(exclude=EXECUTION_FIELDS) for config in (begun, wanted))
    differing = [
        f"{name.replace('_', ' ')} {_brief(before[name])} (wanted: {_brief(after[name])})"
        for name in before
        if getattr(begun, name) != getattr(wanted, name)
    ]
    which = f"belongs to another run, with {'; '.join(differing)}" if differing else "exists"
    cure = (
        f"see its report, {folder.report}"
        if folder.result.is_file()
        else f"continue that run with: {resume_command(folder.root, bool(begun.named_code))}"
    )
    return f"run folder {folder.root} {which}; {cure}, or choose another folder with --out"


def _brief(value: Any) -> str:
    """A field of a config, shortened; a space is shown by its name, a budget by its limit."""
    if isinstance(value, dict) and "name" in value:
        return repr(value["name"])
    if isinstance(value, dict):
        value = {name: v for name, v in value.items() if v is not None}
    return brief(value)


def next_free(parent: Path, stem: str) -> Path:
    """``parent/stem-1``, or the same with the next free number."""
    number = 1
    while os.path.lexists(parent / f"{stem}-{number}"):
        number += 1
    return parent / f"{stem}-{number}"


def make_next_free(parent: Path, stem: str) -> Path:
    """Make the folder of `next_free`. Of two runs that start at once, each gets its own. Raises `RunError` if it cannot
    be made.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        while True:
            with suppress(FileExistsError):  # another run was faster
                path = next_free(parent, stem)
                path.mkdir()
                return path
    except OSError as fault:
        raise RunError(f"cannot make a run folder in {parent}: {fault.strerror}") from None
