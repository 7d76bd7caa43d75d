"""The user's functions are imported only from where the user says; those that a foreign folder names are not run."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

import autoaug
from autoaug.api import robustness
from autoaug.errors import OptionError, RunError
from autoaug.modalities.own_networks import build_own
from autoaug.report import report_page
from autoaug.report.model_card import export_model
from autoaug.runs.callbacks import TRACKERS, Logged, open_trackers
from autoaug.runs.folder import RunFolder
from autoaug.utils.own_code import code_digest, load_function
from tests.conftest import write_npz

OPTIONS = {"space": "light", "strategy": "random", "trials": 4, "epochs": 1, "seeds": 2, "finalists": 1, "workers": 1}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.fault("security", "code in the working directory")
def test_only_what_is_named_is_found_in_the_working_directory(here: Path) -> None:
    (here / "named_a.py").write_text("from beside_a import value\ndef build(): import lazy_a; return value, lazy_a.x\n")
    (here / "beside_a.py").write_text("value = 7\n")
    (here / "lazy_a.py").write_text("x = 8\n")
    (here / "other_a.py").write_text("raise SystemExit('was run')\n")
    (here / "package_a").mkdir()
    (here / "package_a" / "__init__.py").write_text("")
    (here / "package_a" / "inner.py").write_text("from .more import value\ndef build(): return value\n")
    (here / "package_a" / "more.py").write_text("value = 9\n")
    (here / "bare_a").mkdir()
    (here / "bare_a" / "inner.py").write_text("def build(): return 10\n")
    assert load_function("named_a:build", "--model")() == (7, 8)
    assert load_function("package_a.inner:build", "--accept")() == 9
    assert load_function("bare_a.inner:build", "--accept")() == 10
    assert load_function("tests.rules:broken", "--accept").__name__ == "broken"
    with pytest.raises(ModuleNotFoundError):
        import other_a  # noqa: F401
    assert str(here) not in sys.path
    assert "" not in sys.path


def test_what_a_named_module_imports_may_lie_beside_it_however_deep_the_import_stands(here: Path) -> None:
    for name, content in {
        "nets_f/__init__.py": "",
        "nets_f/net.py": "from .blocks import value\ndef build(): import late_f; return value, late_f.x\n",
        "nets_f/blocks.py": "from common_f.sizes import value\n",
        "common_f/sizes.py": "from plain_f import *\n",
        "plain_f.py": "value = 11\n",
        "late_f.py": "from nets_f.more import x\n",
        "nets_f/more.py": "x = 12\n",
        "other_f.py": "raise SystemExit('was run')\n",
    }.items():
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text(content)
    assert load_function("nets_f.net:build", "--model")() == (11, 12)
    with pytest.raises(ModuleNotFoundError):
        import other_f  # noqa: F401


def test_code_that_changes_the_working_directory_does_not_move_the_run(here: Path) -> None:
    (here / "elsewhere").mkdir()
    (here / "moves_a.py").write_text(
        "import os, torch\nos.chdir('elsewhere')\n"
        "def build(channels, classes):\n    os.chdir('/')\n    return torch.nn.Linear(channels, classes)\n"
    )
    build_own(load_function("moves_a:build", "--model"), "moves_a:build", 1, 2, (1,))
    assert Path.cwd() == here


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (":x", None, "must be module:function"),
        ("..a:x", None, "must be module:function"),
        ("a b:x", None, "must be module:function"),
        ("fault_a:b:c", None, "must be module:function"),
        ("fault_b:a.b", "class a: b = print", "must be module:function"),
        ("fault_c:build", None, "module 'fault_c' is neither installed nor in "),
        ("fault_d.e:build", None, "module 'fault_d' is neither installed nor in "),
        ("fault_f:build", "def build(:", "cannot be imported: SyntaxError: "),
        ("fault_g:build", "raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("fault_h:build", "1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("fault_i:build", "import nowhere_a", "cannot be imported: ModuleNotFoundError: No module named 'nowhere_a'"),
        ("fault_j:build", "", "fault_j.py has no function 'build'"),
        ("fault_k:build", "build = 3", "fault_k.py has 'build', which is not callable"),
        ("json:build", "", "there are two modules 'json'"),
    ],
)
def test_what_cannot_be_had_is_one_line_before_the_data_are_read(
    name: str, content: str | None, words: str, here: Path, refused: Callable[..., str]
) -> None:
    if content is not None:
        (here / f"{name.partition(':')[0]}.py").write_text(content)
    for option in ("--model", "--accept"):
        said = refused("search", "missing.npz", option, name, "--out", "out", folder=here)
        assert words in said
        assert option in said
    assert not (here / "out").exists()


def test_a_model_name_without_its_second_half_shows_what_there_is(here: Path, refused: Callable[..., str]) -> None:
    for name, words in (
        ("x:", "torchvision:NAME"),
        ("timm:", "did you mean 'timm:NAME'"),
        ("torch", "torchvision:NAME"),
    ):
        assert words in refused("search", "missing.npz", "--model", name, folder=here)


def build(channels: int, classes: int) -> torch.nn.Module:
    """A network of the user's own."""
    CALLS.append(classes)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(channels * 144, classes))


CALLS: list[int] = []
OWN = "tests.utils.test_own_code:build"


@pytest.mark.fault("security", "code that a run folder names")
def test_what_a_folder_names_is_run_only_if_it_is_trusted(here: Path) -> None:
    data = write_npz(here / "bars.npz")
    run = autoaug.search(data, out=here / "run", model=OWN, **OPTIONS).run_dir
    exported = here / "exported"
    exported.mkdir()
    (exported / "model.safetensors").write_bytes((run / "model.safetensors").read_bytes())
    (exported / "model.json").write_text(json.dumps({"network": OWN}))
    (run / "result.json").unlink()
    CALLS.clear()
    for folder in (run, exported):
        with pytest.raises(RunError, match=f"names the function {OWN}, which would be run.*--trust"):
            robustness(data, folder, epsilon=0.01, steps=1, samples=8)
    with pytest.raises(RunError, match=f"names the function {OWN}, which would be run.*--trust"):
        autoaug.resume(run)
    assert not CALLS
    for folder in (run, exported):
        robustness(data, folder, epsilon=0.01, steps=1, samples=8, trust=True)
    assert autoaug.resume(run, trust=True).run_dir == run
    assert CALLS


@pytest.mark.parametrize("names_code", [False, True])
def test_where_a_run_uses_own_code_every_printed_command_trusts_its_folder(
    names_code: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asks_nobody(*_: object) -> None:
        raise ConnectionError("nobody answers")

    recorded = Path(__file__).parents[1] / "recorded"
    folders = [RunFolder(shutil.copytree(recorded / name, tmp_path / name)) for name in ("unfinished", "finished")]
    for folder in folders:
        config = yaml.safe_load(folder.config.read_text()) | {"track": ["mlflow"]}
        folder.config.write_text(yaml.safe_dump({**config, "model": OWN} if names_code else config))
    (unfinished, config), (finished, _) = (RunFolder.open(folder.root) for folder in folders)
    monkeypatch.setitem(TRACKERS, "mlflow", ("json", asks_nobody))
    said = [report_page(unfinished, cdn=True)]
    for refused in (
        lambda: RunFolder.create(unfinished.root, config),
        lambda: open_trackers(config, unfinished, Logged()).__enter__(),
        lambda: export_model(finished, tmp_path / "model"),
    ):
        with pytest.raises(autoaug.AutoaugError) as fault:
            refused()
        said.append(str(fault.value))
    for words in said:
        assert re.search(f"autoaug resume {tmp_path}/[a-z]+( --trust)?", words)[1] == (
            " --trust" if names_code else None
        )  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accept": "tests.rules:broken"}, "names the function tests.rules:broken"),
        ({"ray_address": "ray://me:secret@h:1", "executor": "ray-tune"}, r"the Ray cluster ray://me:\*\*\*@h:1"),
        ({"device": "cuda:7"}, "torch sees 0 GPUs here.*change device in .*config.yaml"),
        ({"executor": "slurm"}, "unknown executor 'slurm'"),
        ({"track": ["tensorbord"]}, "did you mean 'tensorboard'"),
    ],
)
def test_what_a_config_asks_for_is_checked_before_the_data_are_read(
    changes: dict[str, object], words: str, here: Path, unfinished: Path
) -> None:
    config = yaml.safe_load((unfinished / "config.yaml").read_text())
    (here / "run").mkdir()
    (here / "run" / "config.yaml").write_text(yaml.safe_dump({**config, **changes}))
    with pytest.raises(autoaug.AutoaugError, match=words) as fault:
        autoaug.resume(here / "run")
    assert "secret" not in str(fault.value)


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has not begun, whose data are gone."""
    from autoaug.pipeline.configure import prepare
    from autoaug.pipeline.options import SearchOptions

    folder = tmp_path_factory.mktemp("unfinished")
    data = write_npz(folder / "bars.npz")
    config, _, _ = prepare(SearchOptions(str(data), space="light", trials=2, workers=1))
    data.unlink()
    return RunFolder.create(folder / "run", config).root


@pytest.mark.fault("storage", "a home that is not there")
def test_a_home_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from autoaug.utils.files import cache_folder, check_writable

    monkeypatch.delenv("AUTOAUG_DATA", raising=False)
    monkeypatch.setenv("HOME", "/dev/null")
    with pytest.raises(OptionError, match=r"/dev/null/.*cannot be written to: set AUTOAUG_DATA"):
        check_writable(cache_folder() / "generators")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError()))
    with pytest.raises(OptionError, match="no home folder"):
        cache_folder()


class _Scaled:
    """An object that is called like a function."""

    def __init__(self, factor: float, data: list[float]) -> None:
        self.factor, self.data = factor, data

    def __call__(self, value: float) -> float:
        return self.factor * value + len(self.data)


def _scaled(factor: float, data: list[float]) -> Callable[[float], float]:
    def again(value: float) -> float:
        return factor * value + len(data) if value else again(1.0)

    return again


@pytest.mark.parametrize("make", [_Scaled, _scaled, lambda *with_: functools.partial(_scaled, *with_)])
def test_functions_are_the_same_if_their_code_and_their_numbers_are(
    make: Callable[[float, list[float]], Callable[..., float]],
) -> None:
    """Data that they hold do not count: a list of what was called would make each session another one."""
    assert code_digest(make(1.0, [])) == code_digest(make(1.0, [2.0]))
    assert code_digest(make(1.0, [])) != code_digest(make(2.0, []))


def test_code_counts_with_all_that_is_in_it() -> None:
    digests = [code_digest(own) for own in (lambda x: x, lambda x: [y + 1 for y in x], lambda x: [y + 2 for y in x])]
    assert len(set(digests)) == 3
    assert code_digest(abs) == code_digest(abs)


def test_a_digest_is_that_of_another_process(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def score(x):\n    return x in {'a', 'b', 'c'} or x + 1\n")
    code = (
        "import importlib.util, sys; s = importlib.util.spec_from_file_location('own', sys.argv[1]); "
        "s.loader.exec_module(own := importlib.util.module_from_spec(s)); "
        "print(own.code_digest(__import__('mine').score))"
    )
    source = str(Path(autoaug.__file__).parent / "utils/own_code.py")
    both = [
        subprocess.check_output(
            [sys.executable, "-c", code, source], cwd=tmp_path, env={**os.environ, "PYTHONHASHSEED": seed}, text=True
        )
        for seed in ("1", "2")
    ]
    assert both[0] == both[1]
