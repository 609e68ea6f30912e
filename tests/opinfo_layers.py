"""PyTorch's own test data for its modules and optimizers, given to both."""

from __future__ import annotations

import copy
from collections.abc import Iterator
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
    like,
    refused,
    reseed,
    translated,
)
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

import tinynet as tn


def own_module(name: str) -> Any:
    """tinynet's class for a module of PyTorch, or None."""
    return getattr(tn.nn, name.rpartition(".")[2], None)


def module_outcome(info: Any, given: Any, dtype: torch.dtype, training: bool) -> Outcome | None:
    """Compare one sample: keys, output, gradients, buffers afterwards. None if PyTorch raises."""
    made, fed = given.constructor_input, given.forward_input
    text = ", ".join(map(described, (made.args, made.kwargs, fed.args, fed.kwargs)))
    torch.manual_seed(1)
    theirs = info.module_cls(*made.args, **made.kwargs).to(dtype).train(training)
    for p in theirs.parameters():  # not the ones and zeros that normalisations start with
        p.data = like(p.data)
    pairs: list[Any] = []
    try:
        args, options = translated(tuple(made.args)), translated(dict(made.kwargs))
        inputs, named = translated(tuple(fed.args), pairs), translated(dict(fed.kwargs), pairs)
    except Untranslatable as error:
        return Outcome(info.name, "left out", str(error), text)
    try:
        copy.deepcopy(theirs)(*fed.args, **fed.kwargs)
    except Exception:
        return None
    looser = 1.0 if dtype == torch.float64 else 50.0
    try:
        ours = own_module(info.name)(*args, **options).to(str(dtype).removeprefix("torch."))
        ours.train(training)
        keys = list(ours.state_dict()), list(theirs.state_dict())
        if keys[0] != keys[1]:
            return Outcome(info.name, "differs", f"state_dict {keys[0]}, PyTorch {keys[1]}", text)
        ours.load_state_dict(theirs.state_dict())
        mine = dict(ours.named_parameters())
        pairs += [(p, mine[key]) for key, p in theirs.named_parameters()]
        y, z = theirs(*fed.args, **fed.kwargs), ours(*inputs, **named)
        wrong = first_difference(
            [*leaves(z), *ours.state_dict().values()],
            [*leaves(y), *theirs.state_dict().values()],
            lambda a, b: difference(a, b, looser),
        )
        if wrong is None and dtype == torch.float64:
            wrong = gradient_difference(leaves(y), leaves(z), pairs, info.supports_gradgrad)
    except Exception as error:
        return failed(info.name, error, text)
    return Outcome(info.name, "differs" if wrong else "agrees", wrong or "", text)


def module_errors(info: Any) -> Iterator[Outcome]:
    if info.module_error_inputs_func is None:
        return
    for wrong in info.module_error_inputs_func(info, "cpu", torch.float64, False, True):
        made = wrong.module_error_input.constructor_input
        fed = wrong.module_error_input.forward_input
        feeding = wrong.error_on == ModuleErrorEnum.FORWARD_ERROR

        def run(cls: Any, given: Any, *args: Any, **options: Any) -> None:
            module = cls(*args, **options)
            if given is not None:
                module(*given)

        given = tuple(fed.args) if feeding else None
        yield from refused(
            info.name,
            lambda g, *a, info=info, **o: run(info.module_cls, g, *a, **o),
            lambda g, *a, info=info, **o: run(own_module(info.name), g, *a, **o),
            (given, *made.args),
            made.kwargs,
        )


def modules(names: list[str]) -> Iterator[Outcome]:
    for info in module_db:
        if own_module(info.name) is None or (names and info.name not in names):
            continue
        reseed()
        for dtype in DTYPES[:2]:
            for training in (True, False) if info.train_and_eval_differ else (True,):
                tracked = dtype == torch.float64
                for given in info.module_inputs_func(info, "cpu", dtype, tracked, training):
                    found = module_outcome(info, given, dtype, training)
                    if found is not None:
                        yield found
        yield from module_errors(info)


def trained(library: Any, optimizer: Any, options: dict[str, Any], dtype: str) -> list[Any]:
    """Parameters after some steps on a quadratic form and a layer whose weights are used thrice."""
    rng = np.random.default_rng(0)
    a, w, x = (library.tensor(rng.standard_normal(s), dtype=getattr(library, dtype))
               for s in ((3, 3), (4, 4), (5, 4)))  # fmt: skip
    v = library.tensor([0.3, -0.2, 0.5], dtype=getattr(library, dtype), requires_grad=True)
    w.requires_grad_(True)
    if optimizer.__name__ == "LBFGS":  # a step is up to 20 iterations; each magnifies rounding
        options = {"max_iter": 6, **options}
    opt = optimizer([v, w], **options)

    def closure() -> Any:
        opt.zero_grad()
        h = x
        for _ in range(3):
            h = (h @ w).tanh()
        loss = ((a @ v) ** 2).sum() + (h - 0.1).square().mean()
        loss.backward()
        return loss

    for _ in range(1 if optimizer.__name__ == "LBFGS" else 10):
        opt.step(closure)
    return [v, w]


def optimizers(names: list[str]) -> Iterator[Outcome]:
    for info in optim_db:
        cls = getattr(tn.optim, info.name, None)
        if cls is None or (names and info.name not in names):
            continue
        for given in info.optim_inputs_func("cpu"):
            for dtype in ("float64", "float32"):
                text = f"{dtype}, {described(given.kwargs)}"
                looser = 1.0 if dtype == "float64" else 50.0
                theirs = trained(torch, info.optim_cls, copy.deepcopy(given.kwargs), dtype)
                try:
                    ours = trained(tn, cls, translated(dict(given.kwargs)), dtype)
                except Exception as error:
                    yield failed(info.name, error, text)
                    continue
                wrong = first_difference(
                    ours, theirs, lambda a, b, looser=looser: difference(a, b, looser)
                )
                yield Outcome(info.name, "differs" if wrong else "agrees", wrong or "", text)
        for wrong in (info.optim_error_inputs_func or (lambda *_: ()))("cpu", torch.float32):
            given = wrong.optimizer_error_input
            if wrong.error_on == OptimizerErrorEnum.CONSTRUCTION_ERROR:
                params = given.params
                params = [torch.ones(2, requires_grad=True)] if params is None else params
                yield from refused(info.name, info.optim_cls, cls, (params,), given.kwargs)
