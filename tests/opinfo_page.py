"""docs/pytorch.md: what a user of PyTorch finds different, written from what `opinfo` finds."""

from __future__ import annotations

import collections
import pathlib
import re

from opinfo_compare import Outcome
from opinfo_explained import ABSENT

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "pytorch.md"

# Each line is held by tests/test_pytorch_page.py.
CONVENTIONS = """\
* **In place.** A tensor that requires a gradient cannot be changed in place (`y.add_(1)`,
  `y[0] = 3`), and a value that requires one cannot be put into another tensor (`x[0] = y`): both
  are errors that say what to write instead. Leaves may be changed inside `no_grad()`. Tensors
  without a gradient change as in PyTorch, views with them.
* **`x.data`** is the NumPy or CuPy array itself, not a tensor: `x.data[:] = 0` works, and
  `x.data.std()` is NumPy's. For `w.data.normal_()` write `nn.init.normal_(w)`, or `w.normal_()`
  inside `no_grad()`; for `w.grad.data.zero_()`, `w.grad.zero_()`; for `torch.max(y.data, 1)`,
  `torch.max(y.detach(), 1)`. `x.data = a` takes arrays and tensors. A `state_dict` holds NumPy
  arrays, copied.
* **Views.** `view` and `reshape` are one function: where the memory does not allow a view, both
  copy. The result of a convolution may lie in another order than PyTorch's.
* **NumPy.** `np.asarray(x)` is refused; `x.numpy()` and `x.detach().numpy()` say what is meant.
* **dtypes.** float16, float32, float64, the integers and bool; no bfloat16, no complex numbers.
  Types are promoted as in PyTorch. float32 is the default, and `set_default_dtype` takes no other:
  name one with `dtype=`. A dtype may be a string, `dtype="float64"`.
* **Random numbers.** The generator is NumPy's, so a seed gives other numbers than in PyTorch, from
  the same distributions. `manual_seed` and `generator=` work alike.
  A `DataLoader`'s order and `random_split` follow their own `seed`, 0 by default, not
  `manual_seed`: a new loader shuffles as the one before it; one loader, kept, shuffles anew in each
  epoch.
* **Empty tensors.** The mean of an empty tensor is an error, where PyTorch gives NaN; the sum is 0.
* **Numbers and arrays as operands.** Functions of two tensors take Python numbers in place of the
  second, also where PyTorch does not (`maximum(x, 2)`). NumPy's words `axis` and `keepdims` stand
  for `dim` and `keepdim`.
* **Memory.** No `out=`, no memory formats, no named or sparse tensors.
* **Errors** are of Python's kinds (TypeError, ValueError, IndexError, RuntimeError), not always
  the same one as PyTorch's, and begin with the name of the function.
* **Optimizers** take `foreach`, `fused` and `capturable`, which change nothing: there is one
  implementation. `differentiable=True` is refused.
* **Kinks.** Slopes where there is no derivative are PyTorch's with the exceptions that
  [kinks.md](kinks.md) names. Equal entries are ranked in their order (`sort`, `topk`, `kthvalue`,
  `mode`), where PyTorch may take any of them first. The sign of a singular vector or an
  eigenvector is LAPACK's, and may differ.
* **Accuracy.** Some gradients of PyTorch are less exact than its values, or NaN: those of `celu`
  and `hardsigmoid` in float64, of `xlogy` at (0, 0), and the second derivatives of `sinc` near 0,
  of `mish` at large numbers and of `copysign` at 0. Here they are finite and exact.
"""


def why_absent(name: str) -> str | None:
    return next((why for pattern, why in ABSENT if re.fullmatch(pattern, name)), None)


def listed(names: set[str]) -> str:
    return ", ".join(f"`{n}`" for n in sorted(names))


def group(name: str) -> str:
    """What a name of an outcome is, by its spelling."""
    if re.match(r"nn\.[A-Z]", name):
        return "modules"
    if re.fullmatch(r"[A-Z][A-Za-z]+", name):
        return "optimizers"
    in_place = name.endswith("_") and not name.startswith("__") and name != "zero_"
    return "operations in place" if in_place else "operations"


def page(found: list[Outcome], absent: list[str]) -> str:
    """docs/pytorch.md: conventions, what differs and why, what is not there, what agrees."""
    different: dict[str, list[str]] = collections.defaultdict(list)
    for o in found:
        if not o.right:
            different[o.reason or "**Not explained.**"].append(o.name)
    differences = "\n".join(
        f"| {why} | {len(names)} | {listed(set(names))} |" for why, names in different.items()
    )
    missing: dict[str, set[str]] = collections.defaultdict(set)
    for name in absent:
        missing[why_absent(name) or "**Not explained.**"].add(name)
    order = [why for _, why in ABSENT if why in missing]
    gaps = "\n".join(f"| {why} | {listed(missing[why])} |" for why in dict.fromkeys(order))
    groups: dict[str, list[Outcome]] = collections.defaultdict(list)
    for o in found:
        if o.kind != "left out":
            groups[group(o.name)].append(o)
    left_out = sum(o.kind == "left out" for o in found)
    counts = "\n".join(
        f"| {kind} | {len({o.name for o in outcomes})} | {len(outcomes):,} | "
        f"{sum(o.kind == 'agrees' for o in outcomes):,} |"
        for kind, outcomes in groups.items()
    )
    names = "\n\n".join(
        f"**{kind.capitalize()}:** {listed({o.name for o in outcomes if o.kind == 'agrees'})}."
        for kind, outcomes in groups.items()
    )
    return f"""# What differs from PyTorch

tinynet takes PyTorch's names, arguments, defaults and conventions: most small programs run after
`import tinynet as torch`. This page says where they do not. PyTorch ships the data that it tests
itself with; `tests/test_opinfo.py` gives that to both and compares values, shapes, dtypes,
gradients of first and second order, changes in place, and errors. The tables below are written
from what it finds, with PyTorch 2.13, by `tests/opinfo.py`.

## Conventions

{CONVENTIONS}
## What differs in PyTorch's own test data

| what and why | samples | where |
|---|---|---|
{differences}

## What is not there

The names are those of PyTorch's test data.

| why | names |
|---|---|
{gaps}

## What agrees

A sample is one call: its arguments, in one dtype. Of numbers drawn at random, shapes and dtypes are
compared; of indices, that they lead to the same entries. Of operations with very many samples, 150
are taken in each dtype. Left out are {left_out:,} samples with arguments that do not exist in
tinynet: memory formats, complex numbers.

| | names | samples | agree |
|---|---|---|---|
{counts}

{names}
"""
