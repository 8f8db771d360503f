"""Grouping runs into conditions that may be compared: the same data, the same budgets, the same seeds."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alab.annotations import FloatArray, IntArray
from alab.errors import UserError
from alab.report.runs import LeftOut, Run

PER_RUN = ("seed", "run_dir")
"""Keys that tell the runs of one condition apart."""

FOLLOWS_FROM_NAME = ("strategy.acquisition", "strategy.ensemble_size", "consensus.function", "assignment.function")

SHORT = {"max_annotations_per_example": "cap"}


@dataclass(frozen=True)
class Condition:
    """One configuration, run with S seeds over R rounds.

    Attributes:
        name: the settings in which it differs from the others, for a person to read.
        settings: the same by dotted key.
        runs: S runs, by seed.
    """

    name: str
    settings: dict[str, Any]
    runs: list[Run]

    @property
    def strategy(self) -> str:
        """The name of its query strategy."""
        return str(self.runs[0].settings["strategy.name"])

    def measured(self, column: str) -> FloatArray:
        """Return one column of `rounds.csv` as (S, R); NaN where a run has no such column or cell."""
        return np.array(
            [run.rounds[column] if column in run.rounds else run.rounds["round"] * np.nan for run in self.runs]
        )


@dataclass(frozen=True)
class Comparison:
    """Conditions that share data, budgets and seeds.

    Attributes:
        data: the name of the data set.
        data_root: where it was read from, if it is not embedded.
        budgets: (R,) annotations that each round trained on.
        seeds: the S seeds that every condition has.
        conditions: at least one.
        left_out: the runs that are not in it.
    """

    data: str
    data_root: str | None
    budgets: IntArray
    seeds: list[int]
    conditions: list[Condition]
    left_out: list[LeftOut]

    def baseline_of(self, condition: Condition, strategy: str) -> Condition | None:
        """Return the condition of the baseline strategy that shares most settings with this one.

        So selection is not confounded with consensus where both were varied. None for the baseline itself.
        """
        if condition.strategy == strategy:
            return None
        candidates = [other for other in self.conditions if other.strategy == strategy]
        return max(candidates, key=lambda other: _num_shared(condition.settings, other.settings), default=None)


def compare(runs: Sequence[Run], left_out: Sequence[LeftOut]) -> Comparison:
    """Group runs into conditions, leaving out by name what cannot be averaged with the rest.

    Raises:
        UserError: if the runs are on different data, or a run is there twice.
    """
    check_same_data(runs)
    left_out = list(left_out)
    runs = _with_common_budgets(runs, left_out)
    groups: dict[tuple[tuple[str, str], ...], list[Run]] = defaultdict(list)
    for run in runs:
        groups[tuple(sorted((key, repr(value)) for key, value in run.settings.items() if key not in PER_RUN))].append(
            run
        )
    seeds = _common_seeds(list(groups.values()))
    kept = []
    for group in groups.values():
        lacking = sorted(set(seeds) - {run.seed for run in group})
        for run in group:
            if lacking:
                left_out.append(
                    LeftOut(run.path, f"its condition has no run with seed {lacking[0]}, which others have")
                )
            elif run.seed not in seeds:
                left_out.append(LeftOut(run.path, f"not every condition has a run with seed {run.seed}"))
        if not lacking:
            kept.append(sorted((run for run in group if run.seed in seeds), key=lambda run: run.seed))
    keys = _naming_keys([group[0] for group in kept])
    conditions = [
        Condition(
            ", ".join(describe(key, group[0].settings.get(key)) for key in keys) or group[0].settings["strategy.name"],
            {key: group[0].settings.get(key) for key in keys},
            group,
        )
        for group in sorted(kept, key=lambda group: [_rank(group[0].settings.get(key)) for key in keys])
    ]
    settings = runs[0].settings
    budgets = np.array(runs[0].budgets)
    return Comparison(settings["data.name"], settings.get("data.root"), budgets, seeds, conditions, left_out)


def check_same_data(runs: Sequence[Run]) -> None:
    """Check that all runs are on one data set, read in one way.

    Raises:
        UserError: naming the first key in which they differ.
    """
    keys = dict.fromkeys(key for run in runs for key in run.settings if key.startswith("data."))
    for key in keys:
        counts = Counter(str(run.settings.get(key, "unset")) for run in runs)
        if len(counts) > 1:
            found = ", ".join(f"{value} ({count} run{'s' * (count > 1)})" for value, count in counts.most_common())
            raise UserError(f"the runs are on different data, {key}={found}; report on one data set at a time")


def _with_common_budgets(runs: Sequence[Run], left_out: list[LeftOut]) -> list[Run]:
    """Keep the runs with the budgets that most runs have."""
    common = Counter(run.budgets for run in runs).most_common(1)[0][0]
    kept = []
    for run in runs:
        if run.budgets == common:
            kept.append(run)
        else:
            left_out.append(LeftOut(run.path, f"{_describe(run.budgets)}, most runs {_describe(common)}"))
    return kept


def _describe(budgets: tuple[int, ...]) -> str:
    return f"{len(budgets)} rounds from {budgets[0]} to {budgets[-1]} annotations"


def _common_seeds(groups: Sequence[Sequence[Run]]) -> list[int]:
    """Return the seeds with which the most runs can be compared: those of one condition, in which others share."""
    for group in groups:
        twice = [seed for seed, count in Counter(run.seed for run in group).items() if count > 1]
        if twice:
            paths = " and ".join(str(run.path) for run in group if run.seed == twice[0])
            raise UserError(f"{paths}: the same configuration and seed; expected each once")
    sets = [{run.seed for run in group} for group in groups]

    def num_compared(seeds: set[int]) -> int:
        return len(seeds) * sum(seeds <= other for other in sets)

    best: set[int] = max(sets, key=num_compared)
    return sorted(best)


def _naming_keys(runs: Sequence[Run]) -> list[str]:
    """Return the keys that tell conditions apart; the strategy first, then in the order of the configuration."""
    keys = list(dict.fromkeys(["strategy.name", *(key for run in runs for key in run.settings)]))
    differing = [key for key in keys if key not in PER_RUN and len({repr(run.settings.get(key)) for run in runs}) > 1]
    return [key for key in differing if key not in FOLLOWS_FROM_NAME] or differing


def describe(key: str, value: Any) -> str:
    """Return a setting as a person would call it."""
    return str(value) if key.endswith(".name") else f"{SHORT.get(key, key.rpartition('.')[2])} {value}"


def _rank(value: Any) -> tuple[float, str]:
    return (value, "") if isinstance(value, int | float) else (math.inf, str(value))


def _num_shared(first: dict[str, Any], second: dict[str, Any]) -> int:
    return sum(first[key] == second[key] for key in first)
