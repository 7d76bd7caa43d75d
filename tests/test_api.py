"""The API's functions: signatures, help, results, and the log."""

from __future__ import annotations

import inspect
import logging
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import autoaug
from autoaug import api
from autoaug.cli.main import app
from autoaug.errors import DataError, OptionError, PolicyError, UnknownName
from autoaug.pipeline.options import SearchOptions
from autoaug.policy.loading import load_policy
from autoaug.runs.folder import RunFolder
from autoaug.utils.options import option_of
from tests.conftest import bars, without_report, write_npz

FUNCTIONS = [
    function
    for name, function in vars(api).items()
    if inspect.isfunction(function) and function.__module__ == api.__name__ and not name.startswith("_")
]
SMALL = {"space": "light", "strategy": "random", "trials": 5, "epochs": 1, "seeds": 2, "finalists": 1}


def test_all_that_the_command_line_does_is_a_function() -> None:
    groups = [("", app), *((f"{one.info.name}_", one) for one in (g.typer_instance for g in app.registered_groups))]
    commands = {f"{prefix}{c.name or c.callback.__name__}" for prefix, one in groups for c in one.registered_commands}
    assert {"search", "generate_fit"} <= commands
    assert commands <= {function.__name__ for function in FUNCTIONS}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_every_function_says_what_it_does_with_an_example(function: object) -> None:
    assert ">>> " in (inspect.getdoc(function) or "")


def test_a_search_shows_every_option_with_its_default_and_its_help() -> None:
    shown, help_text = inspect.signature(autoaug.search).parameters, autoaug.search.__doc__ or ""
    assert next(iter(shown)) == "data"
    for field in fields(SearchOptions):
        assert shown[field.name].default in (field.default, inspect.Parameter.empty)
        if option := option_of(field):
            assert f"{field.name}: {option.help}" in help_text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trils": 3}, "unknown option 'trils'; did you mean 'trials'"),
        ({"equal": "time"}, "--equal 'time' must be one of: samples, epochs"),
        ({"control": "grid"}, "--control 'grid' must be one of: random"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        autoaug.search("digits", **options)  # type: ignore[call-overload]


def test_a_comparison_has_no_options_of_a_search() -> None:
    with pytest.raises(UnknownName, match="unknown option 'space'"):
        autoaug.compare("digits", ["none", "flip-crop"], space="light")  # type: ignore[call-arg]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the bars beside it."""
    folder = tmp_path_factory.mktemp("api")
    with without_report():
        return autoaug.search(write_npz(folder / "bars.npz"), out=folder / "run", workers=1, **SMALL).run_dir


def test_the_run_notes_the_call_that_repeats_it(run: Path) -> None:
    _, config = RunFolder.open(run)
    assert config.command.startswith(f"autoaug.search({str(run.parent / 'bars.npz')!r}, ")
    assert "strategy='random', trials=5" in config.command


@pytest.mark.usefixtures("no_report")
def test_a_run_folder_is_a_policy_everywhere(run: Path, tmp_path: Path) -> None:
    policy = load_policy(run)
    assert policy.fingerprint() == load_policy(run / "policy.yaml").fingerprint()
    assert api.export(run, "json") == api.export(policy, "json")
    other = "none" if policy.fingerprint() != load_policy("none").fingerprint() else "flip-crop"
    options = {"epochs": 2, "seeds": 2, "workers": 1, "out": tmp_path / "compared"}
    compared = autoaug.compare(run.parent / "bars.npz", [other, run], **options)  # type: ignore[arg-type]
    assert {candidate.name for candidate in compared.candidates} == {other, str(run)}
    with pytest.raises(PolicyError, match=r"has no policy.yaml; a run folder has one when the run is finished"):
        load_policy(tmp_path)


def test_a_folder_does_not_hide_a_built_in_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "none").mkdir()
    load_policy("flip-crop").save(tmp_path / "none/policy.yaml")
    monkeypatch.chdir(tmp_path)
    assert load_policy("none").layers == ()
    assert load_policy("./none").fingerprint() == load_policy("flip-crop").fingerprint()


@pytest.mark.usefixtures("no_report")
def test_the_log_tells_stages_and_warnings(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="autoaug")
    (run / "result.json").unlink()
    damaged = next((run / "confirmation").glob("*.npz"))
    damaged.write_bytes(b"damaged")
    assert autoaug.resume(run).run_dir == run
    told = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "autoaug"]
    assert any(level == "INFO" and "confirming" in message for level, message in told)
    assert any(level == "WARNING" and f"{damaged} is damaged" in message for level, message in told)


def test_a_program_that_asks_for_no_log_hears_nothing() -> None:
    code = "import logging, autoaug; logging.getLogger('autoaug').warning('heard')"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stderr == ""


@pytest.mark.usefixtures("no_report")
@pytest.mark.fault("driver", "no Ray")
def test_a_search_without_ray_says_that_it_runs_one_trial_after_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    result = autoaug.search(write_npz(tmp_path / "bars.npz"), out=tmp_path / "run", device="cpu", **SMALL)
    _, config = RunFolder.open(result.run_dir)
    assert (config.executor, config.workers) == ("inline", 1)
    assert any("Ray is not installed" in record.getMessage() for record in caplog.records)


def test_check_says_why_a_search_would_refuse_the_data(tmp_path: Path) -> None:
    images, labels = bars(120)
    good = api.check(write_npz(tmp_path / "good.npz"))
    assert (good.refusal, good.counts["test"]) == ("", {"0": 20, "1": 20, "2": 20})
    assert good.sizes["train"] + good.sizes["validation"] == 120
    leak = write_npz(tmp_path / "leak.npz", x_test=images[:60], y_test=labels[:60])
    checked = api.check(leak)
    assert "60 samples are in two splits" in checked.refusal
    assert checked.findings[0].code == "leak"
    assert not checked.sizes
    assert api.check(leak, allow=["leak"]).refusal == ""
    with pytest.raises(DataError):
        api.check(tmp_path / "missing.npz")


def test_data_are_made_from_python_as_from_the_command_line(tmp_path: Path) -> None:
    data = write_npz(tmp_path / "bars.npz")
    steps: list[int] = []
    about = api.generate_fit(data, out=tmp_path / "fitted", kind="pca")
    assert (about.kind, len(about.classes)) == ("pca", 3)
    trained: list[tuple[int, int]] = []
    made = api.generate_sample(
        tmp_path / "fitted", out=tmp_path / "made", per_class=20, watch=lambda *far: trained.append(far)
    )
    assert trained == [(step, len(trained)) for step in range(1, len(trained) + 1)] != []
    assert made.drawn == sum(made.reasons.values()) == 60
    assert len(list((tmp_path / "made").rglob("*.png"))) == made.reasons["passed"]
    copies = api.expand(data, "flip-crop", out=tmp_path / "x2", watch=lambda done, _: steps.append(done))
    assert (copies.copies, steps[-1]) == (120, 120)


def test_lists_and_schemas_are_records() -> None:
    rotate = next(row for row in api.operators() if row.name == "Rotate")
    assert (rotate.family, rotate.signed, rotate.range) == ("geometry", True, (-180.0, 180.0))
    assert {"auto", "tpe", "random"} <= {row.name for row in api.strategies()}
    assert {"layers", "copies"} <= set(api.schema("policy")["properties"])
    with pytest.raises(OptionError, match=r"^schema .* must be one of: policy, space"):
        api.schema("sapce")


def test_what_needs_no_torch_does_not_load_it() -> None:
    code = "import sys; from autoaug import api; api.schema('space'); print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
