"""What is done for operators before a run: they learn from the training split, and samples are prepared for them."""

from __future__ import annotations

from dataclasses import replace

from autoaug.data.splits import DataSet
from autoaug.modalities.operators import learned_from, learned_nothing, prepare
from autoaug.policy.loading import check_can_work, load_policy
from autoaug.runs.config import RunConfig
from autoaug.search.progress import Progress


def with_operators_ready(config: RunConfig, data: DataSet, progress: Progress) -> tuple[RunConfig, DataSet]:
    """The data with what the operators of the run have learned from the training split, which may take long, and the
    config without those in its space that have learned nothing. What operators need of all samples that trainings
    augment is made. Raises `PolicyError` or `SpaceError` if a policy has learned nothing, or nothing is left.
    """
    known = learned_from(data.train.inputs, _operators(config))
    if lacking := learned_nothing(known):
        for policy in config.policies:
            check_can_work(policy, lacking)
        for name, why in lacking.items():
            progress.warn(f"{name} is left out: {why}")
        config = config.model_copy(update={"space": config.space and config.space.without(lacking)})
    augmented = [data.train]
    augmented += [data.validation] if config.cross_validated else []
    augmented += [data.test] if data.folds else []  # each fold is trained on for the others
    prepare([samples.inputs for samples in augmented], _operators(config))
    return config, replace(data, learned=known)


def _operators(config: RunConfig) -> list[str]:
    """The operators of a run, with those of its baselines; some may be there twice."""
    space = config.space
    policies = [*config.policies, *map(load_policy, space.baselines if space else ())]
    return [*(space.operator_names() if space else ()), *(name for own in policies for name in own.operator_names())]
