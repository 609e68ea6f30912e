"""PyTorch's own test data: what it tests its operations, layers and optimizers with, given to both.

    python tests/opinfo.py [NAME ...]       compares, and prints what differs for no written reason
    python tests/opinfo.py --more           all samples, where there are more than 150 in a dtype
    python tests/opinfo.py --write          writes docs/pytorch.md

Every operation, module and optimizer that tinynet has under PyTorch's name gets PyTorch's samples:
values, shapes and dtypes are compared in float64, float32, int64 and bool; gradients of first and
second order in float64; what became of the arguments; the operation in place; and whether both
raise for its error inputs. A difference has a reason in `opinfo_explained`, or is an error.
"""

from __future__ import annotations

import argparse
import collections
import copy
import random
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from opinfo_compare import (
    DTYPES,
    Outcome,
    Untranslatable,
    described,
    difference,
    failed,
    first_difference,
    gradient_difference,
    leaves,
    refused,
    reseed,
    translated,
    unlike,
)
from opinfo_explained import ADAPTED, INVARIANT, RANDOM, TIES
from opinfo_layers import module_db, modules, optim_db, optimizers, own_module
from opinfo_page import PAGE, page, why_absent
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import gradcheck_wrapper_hermitian_input

import tinynet as tn

MOST = 150


def own(op: Any) -> Callable[..., Any] | None:
    """tinynet's function for an operation of PyTorch, or None."""
    for name in (op.full_name, op.name):
        if name in ADAPTED:
            return ADAPTED[name]
    place: Any = tn
    for part in op.name.split("."):
        place = getattr(place, part, None)
    if callable(place):
        return place
    method = getattr(tn.Tensor, op.name, None)
    return method if callable(method) else None


def there() -> list[Any]:
    """The operations that both have; samples of complex numbers alone are left out."""
    return [op for op in op_db if own(op) and op.variant_test_name != "complex"]


def absent() -> list[str]:
    """What tinynet has not, by PyTorch's names."""
    names = {op.name for op in op_db if not own(op)}
    names |= {info.name for info in module_db if not own_module(info.name)}
    return sorted(names | {info.name for info in optim_db if not hasattr(tn.optim, info.name)})


def some(samples: Any, more: bool) -> list[Any]:
    """At most 150 samples, drawn without preference: of some operations there are thousands."""
    samples = list(samples)
    if more or len(samples) <= MOST:
        return samples
    chosen = random.Random(0).sample(range(len(samples)), MOST)
    return [samples[k] for k in sorted(chosen)]


def leaf(value: Any) -> Any:
    """A tensor of samples as a leaf of its own, with its strides."""
    if isinstance(value, torch.Tensor) and value.layout == torch.strided:
        twin = copy.deepcopy(value.detach())
        return twin.requires_grad_(value.requires_grad)
    return value


def is_random(name: str, options: dict[str, Any]) -> bool:
    """Whether the numbers are drawn, or the memory's: then only shapes and dtypes are compared."""
    if name.endswith("rrelu"):
        return bool(options.get("training", False))
    if name.endswith("scaled_dot_product_attention"):
        return options.get("dropout_p", 0.0) > 0.0
    return bool(re.fullmatch(RANDOM, name)) and options.get("training", True)


def indices_of_ties(op: Any, sample: Any, ours: list[Any], theirs: list[Any]) -> None:
    """Replace indices of equal entries by PyTorch's: of these any may be the k-th."""
    x = sample.input
    position = TIES[op.name]
    dim = sample.kwargs.get("dim", sample.args[position] if len(sample.args) > position else -1)
    if x.ndim == 0 or unlike(ours[-1], theirs[-1]):
        return
    index = torch.as_tensor(ours[-1].numpy().copy()), theirs[-1]
    if theirs[-1].ndim < x.ndim:
        index = index[0].unsqueeze(dim), index[1].unsqueeze(dim)
    distinct = index[0].sort(dim).values.diff(dim=dim).ne(0).all()
    if distinct and torch.equal(*(x.take_along_dim(i, dim) for i in index)):
        ours[-1] = translated(theirs[-1])


def outcome(op: Any, sample: Any, dtype: torch.dtype) -> Outcome | None:
    """Compare one sample; None if PyTorch itself raises."""
    text = f"{described(sample.input)}, {described(sample.args)}, {described(sample.kwargs)}"
    call: Any = own(op)
    pairs: list[Any] = []
    try:
        x, args, options = (translated(v, pairs) for v in
                            (sample.input, tuple(sample.args), dict(sample.kwargs)))  # fmt: skip
    except Untranslatable as error:
        return Outcome(op.full_name, "left out", str(error), text)
    try:
        given = sample.input
        if op.gradcheck_wrapper is gradcheck_wrapper_hermitian_input and given.requires_grad:
            given, x = given + given.mT, x + x.mT  # one triangle is read: which, is a convention
        theirs = leaves(op(given, *sample.args, **sample.kwargs))
        drawn = is_random(op.name, sample.kwargs)
    except Exception:
        return None
    try:
        with np.errstate(all="ignore"):
            ours = leaves(call(x, *args, **options))
            if op.name in INVARIANT:
                ours, theirs = (leaves(INVARIANT[op.name](*r)) for r in (ours, theirs))
            if op.name in TIES:
                indices_of_ties(op, sample, ours, theirs)
            wrong = first_difference(ours, theirs, unlike if drawn else difference)
            for x, w in () if wrong or drawn else pairs:
                changed = difference(w, x)
                wrong = wrong or (changed and f"an argument afterwards: {changed}")
            nan = any(bool(t.isnan().any()) for t, _ in pairs if t.is_floating_point())
            if not (wrong or drawn or nan) and dtype == torch.float64 and op.supports_autograd:
                wrong = gradient_difference(theirs, ours, pairs, op.supports_gradgrad)
    except Exception as error:
        return failed(op.full_name, error, text)
    return Outcome(op.full_name, "differs" if wrong else "agrees", wrong or "", text)


def in_place(op: Any, dtype: torch.dtype) -> Iterator[Outcome]:
    """The samples without gradients, given to add_, clamp_ and so on."""
    theirs = op.get_inplace()
    name = getattr(theirs, "__name__", "")
    if not (name and hasattr(tn.Tensor, name) and name.startswith(op.name)):
        return
    ours = getattr(tn.Tensor, name)
    for sample in op.sample_inputs("cpu", dtype):
        given = sample.input.clone(), *sample.args
        text = f"{described(given)}, {described(sample.kwargs)}"
        try:
            mine, options = translated(given), translated(dict(sample.kwargs))
        except Exception:
            continue
        try:
            theirs(*given, **sample.kwargs)
        except Exception:
            given = sample.input.clone(), *sample.args
            yield from refused(name, theirs, ours, given, sample.kwargs)
            continue
        try:
            with np.errstate(all="ignore"):
                ours(*mine, **options)
        except Exception as error:
            yield failed(name, error, text)
            continue
        wrong = (unlike if is_random(op.name, sample.kwargs) else difference)(mine[0], given[0])
        yield Outcome(name, "differs" if wrong else "agrees", wrong or "", text)


def operations(names: list[str], more: bool = False) -> Iterator[Outcome]:
    for op in there():
        if names and op.name not in names:
            continue
        for dtype in DTYPES:
            if dtype not in op.supported_dtypes("cpu"):
                continue
            reseed()
            tracked = dtype == torch.float64 and op.supports_autograd
            for sample in some(op.sample_inputs("cpu", dtype, requires_grad=tracked), more):
                found = outcome(op, sample.transform(leaf), dtype)
                if found is not None:
                    yield found
            yield from in_place(op, dtype)
        if op.error_inputs_func is None:
            continue
        reseed()
        for wrong in op.error_inputs("cpu"):
            sample = wrong.sample_input
            if isinstance(sample.input, torch.Tensor | list | tuple):
                given = sample.input, *sample.args
                yield from refused(op.full_name, op, own(op), given, sample.kwargs)


def outcomes(names: list[str], more: bool = False) -> list[Outcome]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [*operations(names, more), *modules(names), *optimizers(names)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="as PyTorch's test data has them")
    parser.add_argument("--more", action="store_true", help="take all samples")
    parser.add_argument("--write", action="store_true", help="write docs/pytorch.md")
    options = parser.parse_args()
    if options.write and options.names:
        parser.error("--write takes no names: the page is about all of them")
    found = outcomes(options.names, options.more)
    counts = collections.Counter(
        f"{o.kind}, explained" if not o.right and o.reason else o.kind for o in found
    )
    for line in dict.fromkeys(o.line for o in found if not (o.right or o.reason)):
        print(line)
    print("; ".join(f"{kind} {n}" for kind, n in counts.most_common()))
    if options.write:
        PAGE.write_text(page(found, absent()), encoding="utf-8")
    missing = [name for name in absent() if not why_absent(name)]
    if missing:
        print("not there, for no written reason:", *missing)
    return int(bool(missing) or any(not (o.right or o.reason) for o in found))


if __name__ == "__main__":
    sys.exit(main())
