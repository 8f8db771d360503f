"""Call a pure function with the arrays that its parameters name.

Acquisition scores, consensus methods and assignment policies are plain functions over arrays. What a function needs
stands in its signature and nowhere else: one that has a parameter `pred_probs` makes the round cross-validate, one
that has not costs no training at all.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

PREDICTIONS = frozenset({"pred_probs", "ensemble_probs", "annotator_quality"})
"""The names that only a cross-validated model can fill."""


def wanted(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names of the function's parameters."""
    return frozenset(inspect.signature(function).parameters)


def needs_predictions(function: Callable[..., Any]) -> bool:
    """Whether the function asks for anything that comes from out-of-sample predictions."""
    return not PREDICTIONS.isdisjoint(wanted(function))


def call(function: Callable[..., T], arrays: Mapping[str, Any]) -> T:
    """Call `function` with those of `arrays` that its signature names."""
    return function(**{name: arrays[name] for name in wanted(function)})
