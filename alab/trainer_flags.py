"""Lightning's own flags, as the group `trainer` gives them."""

from collections.abc import Mapping
from typing import Any

import lightning as L
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from alab.errors import UserError

FLAGS = ("accelerator", "devices", "precision", "deterministic", "benchmark", "detect_anomaly", "profiler")
"""Those that change where and how precisely a fit computes. The others, such as the number of epochs or where
checkpoints go, follow from the rounds."""


def trainer_flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Check the flags and settle `precision=mixed`: bf16 where the device has it, else fp16.

    Raises:
        UserError: if a flag is not one of `FLAGS`, or Lightning refuses its value on this machine.
    """
    for name in flags:
        if name not in FLAGS:
            raise UserError(f"trainer.{name}: not a flag that can be set; expected one of {', '.join(FLAGS)}")
    settled = dict(flags)
    if settled.get("precision") == "mixed":
        has_bf16 = not torch.cuda.is_available() or torch.cuda.is_bf16_supported(including_emulation=False)
        settled["precision"] = "bf16-mixed" if has_bf16 else "16-mixed"
    try:
        trainer = L.Trainer(
            **settled, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False
        )
    except (MisconfigurationException, ValueError, TypeError, RuntimeError) as error:
        given = ", ".join(f"trainer.{name}={value}" for name, value in flags.items())
        raise UserError(f"{given}: Lightning refuses this ({' '.join(str(error).split())})") from error
    if trainer.world_size > 1:
        raise UserError(f"trainer.devices={flags.get('devices')}: a run uses one device; expected 1 or [i]")
    return settled
