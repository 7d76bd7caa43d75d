"""The configuration of a run: ``config.yaml``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from autoaug.modalities.base import Reading
from autoaug.modalities.networks import Start
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.search.budget import Budget
from autoaug.search.space import SearchSpace
from autoaug.training.recipe import Recipe
from autoaug.utils.formats import checked_format
from autoaug.utils.own_code import names_function
from autoaug.utils.quantities import LARGEST_COUNT
from autoaug.utils.redaction import redacted

#: A config may be as large as this many of the largest policies together.
MOST_POLICIES = 8


#: Fields that affect how a run is executed, but not its results: they may differ when a run is resumed.
EXECUTION_FIELDS = frozenset(
    {
        "command",
        "versions",
        "workers",
        "executor",
        "ray_address",
        "memory_limit",
        "trial_timeout",
        "study",
        "device",
        "deterministic",
        "track",
    }
)
#: Fields that choose which trainings to run, or name locations: no training depends on them. Every training depends on
#: all other fields.
_CHOICE_FIELDS = frozenset(
    {
        "format",
        "data",
        "modality",
        "protect",
        "space",
        "strategy",
        "budget",
        "early_stop",
        "control",
        "policies",
        "confirmation_seeds",
        "most_seeds",
        "finalists",
        "returns",
        "storage",
        "start",
    }
)
#: URLs, which may contain a password or a token.
_SECRET = ("storage", "ray_address")


#: How long samples may be depends on the modality, which refuses others.
_Length = Annotated[int, Field(ge=1)]


class RunConfig(BaseModel):
    """Everything that is needed to repeat a run: the content of ``config.yaml``.

    A run without a `budget` is a comparison: the confirmation of `policies` alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[2] = 2
    data: str
    data_fingerprint: str
    modality: str = Field(default_factory=lambda: get_modality().name)
    resources: dict[str, str] = {}
    size: tuple[_Length, ...] | None = None
    resize: Literal["crop", "letterbox", "squash"] = "crop"
    protect: str = ""
    allow: tuple[str, ...] = ()
    memory_limit: int
    space: SearchSpace | None = None
    strategy: str = "auto"
    budget: Budget | None = None
    early_stop: bool = True
    control: Literal["random"] | None = None
    policies: tuple[Policy, ...] = ()
    model: str = "auto"
    start: Start | None = None
    metric: str = "accuracy"
    recipe: Recipe
    confirmation_seeds: Annotated[int, Field(ge=2, le=LARGEST_COUNT)] = 5
    most_seeds: Annotated[int, Field(ge=2, le=LARGEST_COUNT)] = 16
    folds: Annotated[int, Field(ge=2, le=LARGEST_COUNT)] | None = None
    cross_validated: bool = False
    finalists: Annotated[int, Field(ge=1, le=LARGEST_COUNT)] = 3
    returns: Literal["best-bet", "baseline-unless-better"] = "best-bet"
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 0
    device: str
    deterministic: bool = False
    workers: Annotated[int, Field(ge=1)]
    executor: str
    ray_address: str | None = None
    trial_timeout: Annotated[float, Field(gt=0)] | None = None
    storage: str | None = None
    study: str = "search"
    track: tuple[str, ...] = ()
    generator: str | None = None
    accept: str | None = None
    command: str
    versions: dict[str, str]

    @model_validator(mode="before")
    @classmethod
    def _is_of_this_format(cls, value: Any) -> Any:
        return checked_format(value, 2, "begin a new run")

    @model_validator(mode="after")
    def _is_a_search_or_a_comparison(self) -> Self:
        is_search, is_comparison = self.space is not None, bool(self.policies)
        if is_search == is_comparison or is_search != (self.budget is not None):
            raise ValueError("a run has a space and a budget (a search), or policies without either (a comparison)")
        return self

    @property
    def reading(self) -> Reading:
        """How samples are read."""
        return Reading(self.size or (), self.resize, self.protect)

    def shown(self, exclude: Collection[str]) -> dict[str, Any]:
        """The fields as plain values, with secrets hidden."""
        fields = self.model_dump(mode="json", exclude=set(exclude))
        return {name: redacted(value) if name in _SECRET and value else value for name, value in fields.items()}

    @property
    def is_private(self) -> bool:
        """Whether a field may contain a password or a token."""
        return any(getattr(self, name) is not None for name in _SECRET)

    @property
    def named_code(self) -> list[str]:
        """Code that the run uses and that only its config names: the user's functions, and a Ray cluster, whose answers
        are code.
        """
        # Most networks have no such name, and to ask the modality loads torch.
        is_own = names_function(self.model) and get_modality(self.modality).models.is_own(self.model)
        named = (self.model if is_own else None, self.metric if names_function(self.metric) else None, self.accept)
        cluster = [f"the Ray cluster {redacted(self.ray_address)}"] if self.ray_address else []
        return [f"the function {name}" for name in named if name] + cluster

    def facts(self) -> dict[str, Any]:
        """What every training of the run depends on, besides its policy: plain JSON values by name."""
        facts = self.model_dump(mode="json", exclude={*EXECUTION_FIELDS, *_CHOICE_FIELDS})
        recipe = facts.pop("recipe")
        return {**facts, **recipe, "weights": self.start.digest if self.start is not None else None}
