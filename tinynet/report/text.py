"""Metrics of a run as text, for the progress bar, log lines and the report's page."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def is_number(value: Any) -> bool:
    """Whether `value` is a Python or NumPy number other than a boolean."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def label_of(key: str) -> str:
    """A history's key in words, without its unit: "test loss", "learning rate"."""
    return {"lr": "learning rate", "seconds": "time"}.get(key, key.replace("_", " "))


def time_as_text(seconds: float) -> str:
    """Seconds as "3.2 s", minutes as "4:05", hours as "2:10:00"."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{s:02}" if hours else f"{minutes}:{s:02}"


def metric_as_text(key: str, value: Any) -> str:
    """A history's value in the format of its key: "98.21%", "0.05366", "4:05" for minutes."""
    if not is_number(value):
        return "" if value is None else str(value)
    if key in ("epoch", "step"):
        return f"{value:d}" if isinstance(value, numbers.Integral) else f"{value:g}"
    if not math.isfinite(value):
        return str(float(value))
    if key == "seconds":
        return time_as_text(value)
    return f"{value:.2%}" if key.endswith("accuracy") else f"{value:.4g}"


def metrics_as_text(metrics: Mapping[str, float], equals: str = " ", between: str = "  ") -> str:
    """Metrics in one line, "loss 0.3124  accuracy 0.9012", with four significant digits each."""
    return between.join(f"{name}{equals}{value:.4g}" for name, value in metrics.items())


def class_name(names: Sequence[str] | None, number: int) -> str:
    """The name of a class, or its number if it has no name."""
    return str(number) if names is None or number >= len(names) else str(names[number])


def short_class_names(names: Sequence[str] | None, count: int) -> list[str]:
    """The name of each class in one line of at most 14 characters; by default its number."""
    if names is not None and len(names) != count:
        raise ValueError(f"{len(names)} names for {count} classes; give one name per class")
    lines = [" ".join(class_name(names, i).split()) for i in range(count)]
    return [line if len(line) <= 14 else f"{line[:13]}…" for line in lines]
