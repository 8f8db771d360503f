"""The classifier as a LightningModule: a network, its loss, its optimiser and its metrics."""

from collections.abc import Collection

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torchmetrics import MeanMetric, MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassCalibrationError,
    MulticlassF1Score,
    MulticlassMatthewsCorrCoef,
)
from transformers import get_linear_schedule_with_warmup

from alab.config import ModelSettings
from alab.encoder import Batch

State = dict[str, Tensor]

HEAD_STD = 0.02
"""Standard deviation of new weights, as BERT's `initializer_range`."""


class LinearProbe(nn.Module):
    """A linear head on features of a frozen encoder.

    Args:
        num_features: D.
        num_classes: K.
    """

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(num_features, num_classes)
        nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, D) features to (B, K) logits."""
        return self.head(features)


class TextClassifier(L.LightningModule):
    """A network that is trained anew in every fit, from the same pre-trained weights.

    Args:
        network: maps a batch of `alab.encoder` to (B, K) logits, or to an output that has them.
        new: names of the network's parameters that are not pre-trained.
        num_classes: K.
        settings: of the optimiser and its schedule.
    """

    def __init__(self, network: nn.Module, new: Collection[str], num_classes: int, settings: ModelSettings) -> None:
        super().__init__()
        self.network = network
        self.new = frozenset(new)
        self.settings = settings
        self.test_metrics = MetricCollection(
            {
                "test_accuracy": MulticlassAccuracy(num_classes, average="micro"),
                "test_f1": MulticlassF1Score(num_classes, average="macro"),
                "test_mcc": MulticlassMatthewsCorrCoef(num_classes),
                "test_calibration_error": MulticlassCalibrationError(num_classes),
            }
        )
        self.test_log_loss = MeanMetric()

    def snapshot(self) -> State:
        """Copy the network's weights."""
        return {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def reset(self, pretrained: State, seed: int) -> None:
        """Start cold: load the pre-trained weights and draw new ones for the head.

        Args:
            pretrained: a `snapshot`.
            seed: of the head's weights, and of dropout from here on (torch's global generator).
        """
        self.network.load_state_dict(pretrained)
        torch.manual_seed(seed)
        for name, parameter in self.network.named_parameters():
            if name in self.new and parameter.ndim > 1:
                # Drawn on the CPU, so that the seed means the same on every device.
                parameter.data.copy_(torch.empty(parameter.shape).normal_(std=HEAD_STD))
        self.train()

    def forward(self, batch: Batch) -> Tensor:
        """Return (B, K) logits in single precision."""
        output = self.network(**batch)
        return (output if isinstance(output, Tensor) else output.logits).float()

    def training_step(self, batch: Batch) -> Tensor:
        """Return the cross-entropy of the consensus labels."""
        labels = batch.pop("labels")
        return nn.functional.cross_entropy(self(batch), labels)

    def validation_step(self, batch: Batch) -> None:
        """Evaluate on the test set; the averages are in `trainer.callback_metrics` at the end of the epoch."""
        labels = batch.pop("labels")
        log_probs = self(batch).log_softmax(dim=1)
        self.test_metrics.update(log_probs.exp(), labels)
        self.test_log_loss.update(nn.functional.nll_loss(log_probs, labels, reduction="none"))
        self.log_dict(self.test_metrics, on_step=False, on_epoch=True)
        self.log("test_log_loss", self.test_log_loss, on_step=False, on_epoch=True)

    def predict_step(self, batch: Batch) -> Tensor:
        """Return (B, K) class probabilities in double precision."""
        return self(batch).double().softmax(dim=1)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW with a learning rate that falls linearly to zero over the steps of one fit."""
        settings = self.settings
        optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            # Eight times faster than the plain loop on a CPU; it cannot undo the loss scaling that fp16 needs.
            fused=self.trainer.precision != "16-mixed",
        )
        schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=0, num_training_steps=settings.max_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(self, optimizer: Optimizer, *_: object, **__: object) -> None:
        """Clip the gradient's norm here, as Lightning's own flag refuses fused optimisers in mixed precision."""
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.max_grad_norm)
