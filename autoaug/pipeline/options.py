"""All options, each declared once: the command line, the functions of `autoaug.api` and their help follow from here.

None stands for a default that depends on the data or the machine.
"""

# No `from __future__ import annotations` here: the annotations are evaluated.
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from autoaug.pipeline.data_options import DATA, Allow, Data, DataAgain, Modality, Protect, Resizing, Size
from autoaug.utils.options import OPTIONS, Option, Options
from autoaug.utils.quantities import (
    at_most_one,
    between,
    check_positive,
    check_seed,
    parse_memory,
    parse_multiple,
    parse_time,
)

if TYPE_CHECKING:
    from autoaug.policy.models import Policy
    from autoaug.search.progress import Progress
    from autoaug.search.space import SearchSpace
    from autoaug.training.objective import Objective

#: The headings for commands with many options, in this order.
PANELS = (OPTIONS, "The search", "Trainings", "The confirmation", DATA, "The machine", "The run")
_, _SEARCH, _TRAINING, _CONFIRMATION, _, _MACHINE, _RUN = PANELS

Space = Annotated[
    str | Path,
    Option(
        "A search space (standard, light, digits, flat, regularized; text-light) or a YAML file. Where texts are "
        "predicted, standard is the space for that.",
        _SEARCH,
    ),
]
Strategy = Annotated[str, Option("The search strategy; autoaug strategies lists them.", _SEARCH)]
Trials = Annotated[
    int | None,
    Option(
        "Stop the search after this many policies of its own; known ones, repetitions of the best and the confirmation "
        "are extra. Excludes --time and --budget.",
        _SEARCH,
        check=between(1, 10**9),
    ),
]
Time = Annotated[
    str | float | None,
    Option(
        "The time of all of the run, e.g. 1h30m, in Python also in seconds. Excludes --trials and --budget.",
        _SEARCH,
        check=parse_time,
    ),
]
Budget = Annotated[
    str | float | None,
    Option(
        "Stop after the compute of this many trainings, e.g. 10x. Excludes --trials and --time. [default: 20x]",
        _SEARCH,
        check=parse_multiple,
    ),
]
Seeds = Annotated[
    int, Option("Number of fresh seeds to retrain finalists and baselines with.", _CONFIRMATION, check=between(2))
]
Finalists = Annotated[int, Option("Number of best policies to confirm.", _CONFIRMATION, check=between(1))]
Workers = Annotated[
    int | None,
    Option("Number of parallel trials. [default: one per CPU core with Ray, else 1]", _MACHINE, check=between(1)),
]
Executor = Annotated[str, Option("auto, inline or ray-tune.", _MACHINE)]
RayAddress = Annotated[str | None, Option("Run on this Ray cluster instead of a local one.", _MACHINE)]
TrialTimeout = Annotated[
    str | float | None, Option("Give up a trial after this time, e.g. 20m.", _MACHINE, check=parse_time)
]
Device = Annotated[str, Option("auto, cpu, cuda or cuda:N.", _MACHINE)]
MemoryLimit = Annotated[
    str | int | None,
    Option("Larger data sets stay on disk, e.g. 2G. [default: half of the free memory]", _MACHINE, check=parse_memory),
]
Accept = Annotated[
    str | None,
    Option("Your module:function, called with a generated sample and its class; False drops the sample.", DATA),
]
Trust = Annotated[
    bool,
    Option(
        "Run code that the folder's files name: functions of your modules, a Ray cluster. Leave it out for a folder "
        "from someone else."
    ),
]
Seed = Annotated[int, Option("Random seed.", check=check_seed)]


@dataclass(frozen=True, kw_only=True)
class RunOptions(Options):
    """What a search and a comparison have in common.

    Attributes:
        progress: is notified of events; True shows a bar, None is for only the logger ``autoaug``.
        command: the command that repeats the run, to be recorded; if empty, the call.
    """

    data: Data = field(kw_only=False)
    model: Annotated[
        str,
        Option(
            "auto (a network that suits the sample size), a network by name such as resnet9 or resnet18, "
            "torchvision:NAME, timm:NAME, transformers:FOLDER for texts, or your own module:function, called with "
            "(channels, classes).",
            _TRAINING,
        ),
    ] = "auto"
    weights: Annotated[
        str | Path | None,
        Option(
            "Begin from these weights of the model: 'pretrained' (published ones, from the cache or the network), or a "
            "safetensors file or state dict. [default: random weights]",
            _TRAINING,
        ),
    ] = None
    recipe: Annotated[
        str | Path,
        Option(
            "How models are trained: scratch, finetune (all weights), probe (only the last layer, on features that are "
            "computed once), a YAML file that changes parts of these, or auto (finetune with --weights, else scratch).",
            _TRAINING,
        ),
    ] = "auto"
    lr: Annotated[
        float | None, Option("Highest learning rate. [default: by recipe]", _TRAINING, check=check_positive)
    ] = None
    optimizer: Annotated[
        Literal["sgd", "adamw"] | None, Option("sgd or adamw. [default: by recipe and network]", _TRAINING)
    ] = None
    freeze: Annotated[
        str | None,
        Option(
            "What is not trained: 'backbone' (all but the last layer), modules by name (stem,layer1), or 'none'. "
            "[default: by recipe]",
            _TRAINING,
        ),
    ] = None
    epochs: Annotated[
        int | None,
        Option(
            "Full length of a training, in passes over the data. [default: by size]", _TRAINING, check=between(1, 10**6)
        ),
    ] = None
    batch_size: Annotated[
        int | None, Option("Samples per step. [default: by size]", _TRAINING, check=between(2, 10**6))
    ] = None
    class_weights: Annotated[
        Literal["none", "balanced"] | None,
        Option(
            "Weights of classes in the loss: 'none', or 'balanced', in inverse proportion to their samples. The same "
            "for all policies. [default: by recipe, none]",
            _TRAINING,
        ),
    ] = None
    sampling: Annotated[
        Literal["shuffled", "balanced"] | None,
        Option(
            "Train on all samples equally often ('shuffled'), or on all classes equally often ('balanced'). "
            "[default: by recipe, shuffled]",
            _TRAINING,
        ),
    ] = None
    equal: Annotated[
        Literal["samples", "epochs", "compute"] | None,
        Option(
            "Compare policies at equal 'samples' seen, with K copies at equal 'epochs', or with attacks at equal "
            "'compute', where the passes of an attack count too. [default: by recipe, samples]",
            _TRAINING,
        ),
    ] = None
    batch_counts: Annotated[
        Literal["samples", "inputs"] | None,
        Option(
            "With K copies, the batch size counts 'samples' including copies, or 'inputs' (then a batch is K times "
            "as large). [default: by recipe, samples]",
            _TRAINING,
        ),
    ] = None
    metric: Annotated[
        str | None,
        Option(
            "What policies are compared by: accuracy, balanced-accuracy, macro-f1, auroc, log-loss or kappa; with "
            "several labels per sample map, macro-f1 or micro-f1; for numbers rmse, mae or r2; for texts wer or cer, "
            "and for translations chrf or bleu (trials are scored by log-likelihood); or your own module:function, "
            "called with labels and scores, such as probabilities. The result has all of them. [default: the first for "
            "such data]",
            _CONFIRMATION,
        ),
    ] = None
    seeds: Seeds = 5
    max_seeds: Annotated[
        int | None,
        Option(
            "Add seeds until the result is clear, up to this many. [default: 16; none added below --seeds 5]",
            _CONFIRMATION,
            check=between(2),
        ),
    ] = None
    folds: Annotated[
        int | None,
        Option(
            "Confirm on this many folds, for small data without a test split: half of the data is kept from the "
            "search, and each seed is tested on one fold of it. Seeds come in whole rounds over all folds, "
            "never more than --max-seeds.",
            _CONFIRMATION,
            check=between(2),
        ),
    ] = None
    returns: Annotated[
        Literal["best-bet", "baseline-unless-better"],
        Option(
            "What is returned where no policy is proven better: the 'best-bet' by validation, or the best baseline "
            "('baseline-unless-better').",
            _CONFIRMATION,
            flag="--return",
        ),
    ] = "best-bet"
    seed: Annotated[int, Option("Random seed of search, trainings and validation split.", _RUN, check=check_seed)] = 0
    workers: Workers = None
    executor: Executor = "auto"
    ray_address: RayAddress = None
    trial_timeout: TrialTimeout = None
    track: Annotated[
        Sequence[str],
        Option("Also log to 'tensorboard', 'wandb' or 'mlflow'. May be repeated. [default: only events.jsonl]", _RUN),
    ] = ()
    generator: Annotated[str | Path | None, Option("A fitted generator to draw samples from.", DATA)] = None
    accept: Accept = None
    device: Device = "auto"
    deterministic: Annotated[
        bool,
        Option(
            "On a GPU, use deterministic algorithms where PyTorch has them, so that a trial repeats bit by bit; "
            "slower. On a CPU it always does.",
            _MACHINE,
        ),
    ] = False
    memory_limit: MemoryLimit = None
    modality: Modality = None
    size: Size = None
    resize: Resizing = "crop"
    protect: Protect = None
    allow: Allow = ()
    out: Annotated[str | Path | None, Option("The run folder to create. [default: runs/DATA-search-N]", _RUN)] = None
    progress: "Progress | bool | None" = None
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class SearchOptions(RunOptions):
    """The options of a search."""

    space: Space = "standard"
    strategy: Strategy = "auto"
    trials: Trials = None
    time: Time = None
    budget: Budget = None
    control: Annotated[
        Literal["random"] | None,
        Option("'random': also run a random search of the same budget, as a control.", _SEARCH),
    ] = None
    finalists: Finalists = 3
    early_stop: Annotated[
        bool, Option("End the search before its budget is spent where hardly anything is left to gain.", _SEARCH)
    ] = True
    storage: Annotated[
        str | None,
        Option(
            "Keep the study in this database, e.g. postgresql://HOST/NAME. [default: study.db in the run folder]", _RUN
        ),
    ] = None

    def __post_init__(self) -> None:
        """Also refuse a second limit."""
        super().__post_init__()
        at_most_one(trials=self.trials, time=self.time, budget=self.budget)


@dataclass(frozen=True, kw_only=True)
class CompareOptions(RunOptions):
    """The options of a comparison."""

    policies: Annotated[
        Sequence["str | Path | Policy"],
        Option("Built-in names, names joined by +, policy files, or run folders.", is_argument=True),
    ] = field(kw_only=False)


@dataclass(frozen=True, kw_only=True)
class ObjectiveOptions(Options):
    """The options of a search with an objective; see `autoaug.search`.

    Attributes:
        progress: is notified of events; True shows a bar, None is for only the logger ``autoaug``.
    """

    objective: "Objective"
    held_out: "Objective | None" = None
    space: "str | Path | SearchSpace" = "standard"
    strategy: Strategy = "auto"
    trials: Trials = None
    time: Time = None
    budget: Budget = None
    seeds: Seeds = 5
    finalists: Finalists = 3
    seed: Seed = 0
    workers: Annotated[int, Option("Number of parallel trials.", check=between(1))] = 1
    executor: Executor = "auto"
    ray_address: RayAddress = None
    trial_timeout: TrialTimeout = None
    device: Device = "cpu"
    out: str | Path | None = None
    progress: "Progress | bool | None" = None

    def __post_init__(self) -> None:
        """Also refuse a second limit."""
        super().__post_init__()
        at_most_one(trials=self.trials, time=self.time, budget=self.budget)


@dataclass(frozen=True, kw_only=True)
class CheckOptions(Options):
    """The options of a data check."""

    data: Data = field(kw_only=False)
    allow: Allow = ()
    memory_limit: MemoryLimit = None
    modality: Modality = None
    size: Size = None
    resize: Resizing = "crop"
    protect: Protect = None
    seed: Annotated[int, Option("Seed of the splits.", DATA, check=check_seed)] = 0


@dataclass(frozen=True, kw_only=True)
class RobustnessOptions(Options):
    """The options of measuring the robustness of a model.

    Attributes:
        watch: called with the number of samples that have been attacked or corrupted, and the number of all of these.
    """

    data: DataAgain = field(kw_only=False)
    model: Annotated[
        str | Path,
        Option("A run folder, or a folder written by autoaug export --to model.", is_argument=True),
    ] = field(kw_only=False)
    epsilon: Annotated[float, Option("Radius of the attack, in units of the range [0, 1].")] = 2 / 255
    norm: Annotated[Literal["linf", "l2"], Option("Norm of the attack: linf or l2.")] = "linf"
    steps: Annotated[int, Option("Steps of the attack.")] = 20
    samples: Annotated[int, Option("Most test samples to use.", check=between(1, 10**9))] = 1000
    device: Device = "auto"
    allow: Allow = ()
    modality: Modality = None
    trust: Trust = False
    watch: Callable[[int, int], None] | None = None
