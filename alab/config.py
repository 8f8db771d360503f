"""What a configuration may hold: names, types and ranges. The defaults are in `configs/`."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from alab.errors import UserError


class Section(BaseModel):
    """A part of the configuration, with exactly the keys named here."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


PathName = Annotated[str, Field(min_length=1, strict=False, coerce_numbers_to_str=True)]
"""A path; Hydra reads one that is a number as a number."""


class StrategySettings(Section):
    """`strategy`: which acquisition function, over how many models a fold."""

    name: str
    acquisition: str
    ensemble_size: PositiveInt


class FunctionSettings(Section):
    """`consensus` and `assignment`: a name and the function behind it."""

    name: str
    function: str


class ModelSettings(Section):
    """`model`: the encoder and how the classifier is trained."""

    name: PathName
    frozen: bool
    max_length: PositiveInt
    max_steps: PositiveInt
    batch_size: PositiveInt
    predict_batch_size: PositiveInt
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat
    max_grad_norm: PositiveFloat


class DataSettings(BaseModel):
    """`data`: the function that loads a corpus, and its own keys, which it checks itself."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    name: str
    corpus: str

    @property
    def options(self) -> dict[str, Any]:
        """The keys that are the corpus's own."""
        return dict(self.model_extra or {})


class LoggerSettings(Section):
    """`logger`: who logs the run besides `rounds.csv`; what W&B is told, and how long the end of a run waits for it."""

    name: Literal["csv", "wandb"]
    project: str | None = None
    entity: str | None = None
    group: str | None = None
    tags: list[str] = []
    upload_seconds: PositiveFloat | None = None


class Settings(Section):
    """The whole configuration of a run."""

    seed: NonNegativeInt
    rounds: PositiveInt
    annotations_per_round: PositiveInt
    max_annotations_per_example: PositiveInt
    folds: Annotated[int, Field(ge=2)]
    run_dir: PathName | None
    strategy: StrategySettings
    consensus: FunctionSettings
    assignment: FunctionSettings
    data: DataSettings
    model: ModelSettings
    trainer: dict[str, Any]
    logger: LoggerSettings

    @property
    def title(self) -> str:
        """What is run, in a line."""
        return (
            f"{self.strategy.name} with {self.consensus.name} consensus and {self.assignment.name} assignment, "
            f"cap {self.max_annotations_per_example}, "
            f"{self.model.name}{' (frozen)' if self.model.frozen else ''} on {self.data.name}, seed {self.seed}"
        )


def parse(configuration: Any) -> Settings:
    """Check a configuration of plain values.

    Raises:
        UserError: naming each key that is not known or whose value is not what it must be.
    """
    try:
        return Settings.model_validate(configuration)
    except ValidationError as error:
        raise UserError(one_line(error)) from error


def one_line(error: ValidationError, prefix: str = "") -> str:
    """Say in one line which keys hold what they may not, and what they may."""
    faults = []
    for fault in error.errors():
        key = prefix + ".".join(str(part) for part in fault["loc"])
        if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            faults.append(f"{key}: there is no such key")
        elif fault["type"].startswith("missing"):
            faults.append(f"{key}: it needs a value")
        else:
            faults.append(f"{key}={fault['input']}: {fault['msg'][0].lower()}{fault['msg'][1:]}")
    return "; ".join(faults)


def flat(configuration: Any, prefix: str = "") -> dict[str, Any]:
    """Return the values of a nested configuration by dotted key."""
    if not isinstance(configuration, dict):
        return {prefix.removesuffix("."): configuration}
    return {name: value for key, part in configuration.items() for name, value in flat(part, f"{prefix}{key}.").items()}
