"""Silence what libraries say and a user can do nothing about."""

import logging
import os
import warnings

import transformers
from huggingface_hub.utils.tqdm import disable_progress_bars

HARMLESS_WARNINGS = (
    r"The least populated class in y has only.*",  # alab.crossval keeps every class in every training part
    r".*does not have many workers.*",  # everything is in memory already
    r".*The number of training batches.*",  # we log once a round
    r".*Found .* module\(s\) in eval mode at the start of training.*",  # the reset at the start of a round mends it
    r".*Checkpoint directory .* exists.*",
    r".*isinstance\(treespec, LeafSpec\).*",
    r".*`max_steps` .* in the learning rate scheduler.*",
    r".*Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`.*",  # set up anew every round
)


def quiet_libraries() -> None:
    """Turn off progress bars, hints and known harmless warnings of transformers, datasets and Lightning."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # or it warns in every process that forks
    transformers.utils.logging.disable_progress_bar()
    disable_progress_bars()
    for name in ("lightning.pytorch", "lightning.fabric", "transformers", "datasets", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for message in HARMLESS_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
