"""PyTorch Lightning: a callback that augments the training of any LightningModule, and an objective for searches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader, Dataset, Subset

from autoaug.engine.transform import PolicyTransform
from autoaug.errors import OptionError


class AugmentBatches(lightning.Callback):
    """Augments training batches ``(samples [B, C, H, W] in [0, 1], labels [B])`` once they are on the device; other
    batches are not changed. If the policy mixes, labels become soft, ``[B, classes]``; class indices then need the
    transform's `num_classes`.

    Args:
        transform: the transform of a policy; its `done` is updated for policies with a schedule.
    """

    def __init__(self, transform: PolicyTransform) -> None:
        self.transform = transform

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Run the policy after the module's own hook, for this training only."""
        if stage != "fit":
            return
        arrived = pl_module.on_after_batch_transfer

        def augmented(batch: Any, dataloader_idx: int) -> Any:
            batch = arrived(batch, dataloader_idx)
            return self._augmented(batch) if trainer.training else batch

        pl_module.on_after_batch_transfer = augmented

    def _augmented(self, batch: Any) -> Any:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise OptionError(f"a training batch must be (samples, labels), not another form of {type(batch).__name__}")
        inputs, labels = batch
        if self.transform.policy.mixing is None:
            return self.transform(inputs), labels
        return self.transform(inputs, labels)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ARG002 (Lightning's signature)
        """Remove the policy: another training sets it up again, and the module can be pickled."""
        pl_module.__dict__.pop("on_after_batch_transfer", None)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:  # noqa: ARG002
        """Remove the policy after an error, since Lightning does not call `teardown` then."""
        self.teardown(trainer, pl_module, "fit")

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 (Lightning's signature)
        """Update the progress of the transform."""
        self.transform.done = trainer.current_epoch / max(1, trainer.max_epochs or 1)


def lightning_objective(
    module: Callable[[], lightning.LightningModule],
    train: Dataset[Any],
    validation: Dataset[Any],
    metric: str,
    epochs: int,
    batch_size: int = 64,
) -> Callable[[PolicyTransform, int, float], float]:
    """An objective for `autoaug.search`: trains a new `module` on a random fraction of `train`, given by the fidelity,
    and scores it by what it logs as `metric` on `validation`; higher is better.

    Args:
        module: creates the module.
        train: a map-style data set of ``(sample [C, H, W] in [0, 1], label)``.
        validation: such a data set to score on.
        metric: the name under which the module's ``validation_step`` logs its score.
        epochs: the number of epochs of a training.
        batch_size: the batch size of both loaders.
    """

    def objective(transform: PolicyTransform, seed: int, fidelity: float) -> float:
        lightning.seed_everything(seed, verbose=False)
        count: int = len(train)  # type: ignore[arg-type]
        rows = torch.randperm(count)[: max(1, round(fidelity * count))].tolist()
        own = module()
        trainer = lightning.Trainer(
            max_epochs=epochs,
            callbacks=[AugmentBatches(transform)],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            limit_val_batches=0,
        )
        trainer.fit(own, DataLoader(Subset(train, rows), batch_size, shuffle=True))
        scorer = lightning.Trainer(logger=False, enable_checkpointing=False, enable_progress_bar=False)
        return float(scorer.validate(own, DataLoader(validation, batch_size), verbose=False)[0][metric])

    return objective
