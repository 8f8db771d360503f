"""Hydra's complaints about a command, in one line that says what would be right."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

LAUNCHER_EXTRAS = {"joblib": "parallel", "submitit_local": "slurm", "submitit_slurm": "slurm", "ray": "ray"}
"""Which extra of this package brings a launcher of sweeps."""


def explain(error: Exception, configs: Path) -> str:
    """Say what is wrong with a command.

    Args:
        error: what Hydra or OmegaConf raised while composing the configuration.
        configs: the folder of configurations, which says which keys there are.
    """
    message = " ".join(str(error).split())
    if unknown := re.match(
        r"Could not (?:override|append to|delete from) '([^']*)'|Key '([^']*)' is not in struct", message
    ):
        return _unknown_key(unknown[1] or unknown[2], configs)
    if missing := re.search(
        r"Could not find '([\w/]+)/([^'/]*)' Available options in '[\w/]+': (.*?) Config search", message
    ):
        group, name, options = missing.groups()
        if group == "hydra/launcher" and name in LAUNCHER_EXTRAS:
            return f"{group}={name}: it is not installed; python -m pip install --editable '.[{LAUNCHER_EXTRAS[name]}]'"
        return f"{group}={name}: there is no such choice; expected one of {', '.join(options.split())}"
    if value := re.search(r"Missing mandatory value.*full_key: (\S+)", message):
        return f"{value[1]}: it needs a value, as in {value[1]}=..."
    return message.removesuffix(" See https://hydra.cc/docs/1.2/advanced/override_grammar/basic for details")


def _unknown_key(key: str, configs: Path) -> str:
    known = sorted(set(_keys(configs)))
    if key in known:
        return f"{key}: the {key.split('.')[0]} that was chosen has no such key; another one has"
    close = difflib.get_close_matches(key, known, n=3)
    close += [name for name in known if name.rpartition(".")[2] == key.rpartition(".")[2] and name not in close]
    hint = f"did you mean {' or '.join(close)}?" if close else "python train.py --help lists the keys"
    return f"{key}: there is no such key here; {hint}"


def _keys(configs: Path) -> Iterator[str]:
    """List every group, and every key as it is written in a command."""
    for path in configs.rglob("*.yaml"):
        group = path.parent.relative_to(configs).as_posix()
        content = OmegaConf.load(path)
        assert isinstance(content, DictConfig)
        prefix = "" if group in (".", "experiment") else f"{group}."
        yield from ([] if group == "." else [group])
        yield from (f"{prefix}{key!s}" for key in content if key not in ("defaults", "hydra"))
