"""Check what an optimizer is given, its options and its parameters, and convert it."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from typing import Any

from tinynet.tensor import Tensor

# Options of every optimizer beside those of its formula. None but `maximize` changes a number:
# PyTorch's choices between implementations are accepted, so that its programs run.
FLAGS: dict[str, Any] = {
    "maximize": False, "foreach": None, "fused": None, "capturable": False, "differentiable": False,
}  # fmt: skip

# Options that files written by tinynet 1 and by older versions of PyTorch lack.
LATER = {*FLAGS, "amsgrad", "decoupled_weight_decay"}

# What schedules store in a group.
SCHEDULED = {"initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum"}


def in_range(owner: str, name: str, value: Any, below: float = math.inf) -> float:
    """Convert to a Python float, 0 <= number < below.

    Not to a NumPy float: np.float64 times a float32 array is float64.
    """
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"{owner}: {name} has shape {value.shape}; it must have one entry")
    try:
        number = math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0.0 <= number < below:
        upper = "finite" if below == math.inf else f"less than {below:g}"
        raise ValueError(
            f"{owner}: {name} is {value!r}; it must be a number, at least 0 and {upper}"
        )
    return number


def single(x: float) -> float:
    """The float32 next to x. PyTorch keeps numbers so that a parameter carries between steps."""
    return float(struct.unpack("f", struct.pack("f", x))[0])


def pair(owner: str, name: str, value: Any) -> tuple[Any, Any]:
    """Check for two values."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ValueError(f"{owner}: {name} is {value}; it must be a pair of numbers")
    return value[0], value[1]


def check_flags(owner: str, options: dict[str, Any]) -> None:
    """Check the options of `FLAGS`, and those that PyTorch does not combine."""
    for name in FLAGS:
        if options[name] not in (None, True, False):
            raise ValueError(f"{owner}: {name} is {options[name]!r}; it must be True or False")
    options["maximize"] = bool(options["maximize"])
    for other in ("foreach", "differentiable"):
        if options["fused"] and options[other]:
            raise RuntimeError(f"{owner}: fused=True and {other}=True exclude each other")
    if options["differentiable"]:
        raise ValueError(
            f"{owner}: differentiable=True is not supported, a step is not recorded; compute "
            "p - lr * g with create_graph=True instead"
        )


def listed(owner: str, params: Any, taken: Iterable[Tensor]) -> tuple[list[Tensor], list[str]]:
    """Check the parameters of a group; return them and their names, if they have names.

    Args:
        owner: the name of the optimizer.
        params: a tensor, or tensors, or pairs of a name and a tensor.
        taken: the parameters of other groups.
    """
    if not isinstance(params, Iterable):
        raise TypeError(f"{owner}: params of a group is a {type(params).__name__}; give a list")
    params = [params] if isinstance(params, Tensor) else list(params)
    names = [p[0] for p in params if isinstance(p, tuple) and len(p) == 2]
    if names and len(names) != len(params):
        raise ValueError(f"{owner}: {len(names)} of {len(params)} parameters have names; name all")
    params = [p[1] for p in params] if names else params
    seen = {id(p) for p in taken}
    for i, p in enumerate(params):
        if not isinstance(p, Tensor):
            kind = type(p).__name__
            raise TypeError(f"{owner}: parameter {i} is a {kind}, not a Tensor")
        if p.dtype.kind != "f":
            raise TypeError(f"{owner}: parameter {i} is {p.dtype}; it must be a float")
        if not p.is_leaf:
            raise ValueError(
                f"{owner}: parameter {i} of shape {p.shape} was computed by "
                f"{p.grad_fn.op.name if p.grad_fn else '?'}; only leaves can be learnt"
            )
        if id(p) in seen:
            raise ValueError(
                f"{owner}: parameter {i} of shape {p.shape} is repeated; it "
                "would be updated twice per step"
            )
        seen.add(id(p))
    return params, names


def completed(owner: str, group: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Check the names of a group's options, and add the defaults."""
    if not isinstance(group, Mapping) or "params" not in group:
        raise TypeError(
            f"{owner}: a group of parameters is a dict with a list under 'params', not "
            + (f"{sorted(group)}" if isinstance(group, Mapping) else type(group).__name__)
        )
    known = {"params", "param_names", *SCHEDULED, *defaults}
    unknown = [name for name in group if name not in known]
    if unknown:
        raise ValueError(
            f"{owner}: unknown option {', '.join(map(repr, unknown))}; the options "
            f"are {', '.join(defaults)}"
        )
    return {**defaults, **group}
