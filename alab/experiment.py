"""One run from a configuration: build the parts, let Lightning turn the rounds, write what the run leaves."""

import importlib
from collections.abc import Callable
from typing import Any

import lightning as L
import torch
from pydantic import ValidationError
from rich.console import Console

from alab import outputs
from alab.buying import preferred_annotator
from alab.config import Settings, one_line
from alab.corpora.corpus import Corpus
from alab.datamodule import MultiAnnotatorDataModule
from alab.display import Display
from alab.encoder import Encoder
from alab.errors import UserError
from alab.learning_curve import draw_learning_curve
from alab.ledger import Entry, Ledger
from alab.model import LinearProbe, TextClassifier
from alab.oracle import Archive
from alab.pool import Pool
from alab.quiet import quiet_libraries
from alab.rounds import AnnotationRounds
from alab.run_dir import RunDir
from alab.saved_model import save_model
from alab.seeding import Streams
from alab.strategies import QueryStrategy, select
from alab.trainer_flags import trainer_flags
from alab.wandb_logging import WandbLogging


def run(settings: Settings, run_dir: RunDir, console: Console) -> None:
    """Run one experiment, or continue it where it was cut off.

    Args:
        settings: the configuration.
        run_dir: where its files go; `RunDir.check` has passed.
        console: where to print.

    Raises:
        UserError: if the data, the model or a flag is not what it must be, or another process is at work in the folder;
            nothing has been written then.
    """
    with run_dir.claimed():
        _run(settings, run_dir, console)


def _run(settings: Settings, run_dir: RunDir, console: Console) -> None:
    quiet_libraries()
    display = Display(console)
    logger = WandbLogging(settings, run_dir, display.say)
    rounds, trainer, module = _build(settings, run_dir, display, logger)
    data, ledger = rounds.data, rounds.ledger

    run_dir.create()
    if not ledger.entries:
        ledger.append(Entry(0, *row, None) for row in data.corpus.decode(data.corpus.initial))
    fits_per_round = 1 + settings.folds * rounds.strategy.ensemble_size * rounds.needs_predictions
    with display, logger:
        checkpoint = run_dir.usable_checkpoint(ledger)
        if checkpoint:
            display.say(f"Continuing the run in {run_dir.path}")
        for note in data.corpus.notes:
            display.say(f"note: {note}")
        display.start(settings.rounds, fits_per_round, settings.model.max_steps)
        try:
            trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
        except SystemExit as end:
            if isinstance(end.__context__, KeyboardInterrupt):  # what Lightning makes of Ctrl-C
                raise KeyboardInterrupt from None
            raise
        if rounds.ended:
            display.say(_why_it_ended(rounds))
        _write_outputs(run_dir, rounds, module)
        _summarize(run_dir, rounds, console)


def _build(
    settings: Settings, run_dir: RunDir, display: Display, logger: L.Callback
) -> tuple[AnnotationRounds, L.Trainer, TextClassifier]:
    """Build every part of a run, writing nothing."""
    corpus = _load_corpus(settings)
    ledger = Ledger(run_dir.ledger)
    held = [entry[1:4] for entry in ledger.of_round(0)]
    if held and held != corpus.decode(corpus.initial):
        raise UserError(f"{run_dir.ledger}: its initial annotations are not those of the data; use a new run_dir")

    encoder = Encoder(settings.model.name, settings.model.max_length)
    pool = Pool(corpus.initial, len(corpus.pool), len(corpus.annotators), cap=settings.max_annotations_per_example)
    data = MultiAnnotatorDataModule(
        corpus,
        pool,
        _function("consensus.function", settings.consensus.function),
        encoder,
        settings.model,
        Streams(settings.seed),
    )
    flags = trainer_flags(settings.trainer)
    rounds = AnnotationRounds(
        settings=settings,
        data=data,
        strategy=QueryStrategy(
            _function("strategy.acquisition", settings.strategy.acquisition), settings.strategy.ensemble_size
        ),
        policy=_function("assignment.function", settings.assignment.function),
        oracle=Archive(corpus.archive, len(corpus.pool)),
        ledger=ledger,
        fold_module=_classifier(encoder, corpus, settings),
        trainer_flags=flags,
        checkpoint=run_dir.checkpoint,
        table=run_dir.rounds,
        display=display,
    )
    trainer = L.Trainer(
        **flags,
        max_epochs=settings.rounds,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        callbacks=[display.fit("full model"), rounds, logger],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    return rounds, trainer, _classifier(encoder, corpus, settings)


def _classifier(encoder: Encoder, corpus: Corpus, settings: Settings) -> TextClassifier:
    network: torch.nn.Module
    if settings.model.frozen:
        network = LinearProbe(encoder.num_features, len(corpus.classes))
        new = {name for name, _ in network.named_parameters()}
    else:
        network, new = encoder.classifier(corpus.classes)
    return TextClassifier(network, new, len(corpus.classes), settings.model)


def _load_corpus(settings: Settings) -> Corpus:
    load = _function("data.corpus", settings.data.corpus)
    try:
        corpus: Corpus = load(**settings.data.options)
    except ValidationError as error:
        raise UserError(one_line(error, prefix="data.")) from error
    return corpus


def _function(key: str, path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{key}={path}: no such function; expected package.module.function ({error})") from error
    return function


def _why_it_ended(rounds: AnnotationRounds) -> str:
    corpus, round = rounds.data.corpus, int(rounds.rows[-1]["round"])
    if not len(corpus.archive):
        return "The data hold no further annotations to buy; next_batch.csv says what to have annotated next."
    if not rounds.data.pool.below_cap.any():
        return f"Nothing is left to buy after round {round}: every example has as many annotations as it may have."
    return f"Nothing is left to buy after round {round}: the archive has no further annotation below the cap."


def _write_outputs(run_dir: RunDir, rounds: AnnotationRounds, module: TextClassifier) -> None:
    """Write what the run leaves at its end; `next_batch.csv` comes last and marks the run as finished."""
    data, corpus, pool = rounds.data, rounds.data.corpus, rounds.data.pool
    last = int(rounds.rows[-1]["round"])
    consensus = data.infer_consensus(last + 1)
    outputs.write_consensus(run_dir.consensus, corpus, pool, consensus)
    outputs.write_annotators(run_dir.annotators, corpus, pool, consensus)
    settings = rounds.settings
    title = f"{settings.strategy.name} on {settings.data.name}, {settings.consensus.name}, seed {settings.seed}"
    draw_learning_curve(run_dir.learning_curve, rounds.rows, title)
    save_model(run_dir.model, module, data.encoder, corpus.classes)

    scores = rounds.scores()
    rng = data.streams.rng("ties", round=last)
    batch = select(scores, pool.below_cap, settings.annotations_per_round, rng)
    arrays = rounds.annotator_arrays(last)
    ask = [preferred_annotator(int(example), rounds.oracle, rounds.policy, arrays) for example in batch]
    outputs.write_next_batch(run_dir.next_batch, corpus, pool, batch, scores, ask)


def _summarize(run_dir: RunDir, rounds: AnnotationRounds, console: Console) -> None:
    last = rounds.rows[-1]
    measured = [
        f"{name} {last[column]:.3f}"
        for name, column in (("test accuracy", "test_accuracy"), ("consensus accuracy", "consensus_accuracy"))
        if column in last
    ]
    annotations = f"{int(last['num_annotations'])} annotations of {int(last['num_examples'])} examples"
    lines = [
        "",
        ", ".join([annotations, *measured]),
        f"curve        {run_dir.learning_curve}",
        f"labels       {run_dir.consensus}",
        f"annotators   {run_dir.annotators}",
        f"to do next   {run_dir.next_batch}",
        f"everything   {run_dir.path}",
    ]
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
