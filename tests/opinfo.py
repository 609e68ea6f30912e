"""PyTorch's own test data: what it tests its operations, layers and optimizers with, given to both.

    python tests/opinfo.py [NAME ...]       compares, prints what differs
    python tests/opinfo.py --write          also writes docs/pytorch.md

Every operation, module and optimizer that tinynet has under PyTorch's name gets PyTorch's samples:
values, shapes and dtypes are compared in float64, float32, int64 and bool; gradients of first and
second order in float64; and whether both raise for its error inputs. A difference is either
explained in `opinfo_explained` or an error.
"""

from __future__ import annotations

import collections
import copy
import pathlib
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from opinfo_explained import ADAPTED, EXPLAINED
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

import tinynet as tn

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "pytorch.md"
DTYPES = (torch.float64, torch.float32, torch.int64, torch.bool)
TOLERANCE = {"float64": 1e-9, "float32": 2e-5}
CLEAR = re.compile(r"[\w.]+(: |\(\) )\S")  # "name: what is wrong", or Python's "name() got ..."


class Untranslatable(Exception):
    """A sample of something that tinynet has not: complex numbers, sparse tensors, ..."""


@dataclass(frozen=True)
class Outcome:
    """What came of one sample.

    `kind` is "agrees", "differs", "refused" (a clear error where PyTorch computes), "obscure" (an
    error that does not name the operation), or "accepted" (a result where PyTorch raises).
    """

    name: str
    kind: str
    text: str = ""
    sample: str = ""

    @property
    def reason(self) -> str | None:
        """Why it differs on purpose."""
        line = f"{self.name}: {self.kind}: {self.text}"
        return next((why for pattern, why in EXPLAINED if re.search(pattern, line)), None)


# --- from PyTorch's objects to tinynet's ----------------------------------------------------------


def translated(value: Any, pairs: list[tuple[torch.Tensor, tn.Tensor]] | None = None) -> Any:
    """PyTorch's arguments as tinynet's; tensors with a gradient are appended to `pairs`."""
    if isinstance(value, torch.Tensor):
        kinds = (*DTYPES, torch.int32, torch.int16, torch.int8, torch.uint8, torch.float16)
        if value.dtype not in kinds or value.layout != torch.strided or value.is_meta:
            raise Untranslatable(f"{value.dtype}, {value.layout}")
        for theirs, ours in pairs or ():
            if theirs is value:
                return ours
        if value.ndim > 64:
            raise Untranslatable("more axes than NumPy has")
        # a deep copy keeps the strides: what is transposed or expanded stays so
        ours = tn.Tensor(copy.deepcopy(value.detach()).resolve_neg().numpy(force=True))
        ours.requires_grad_(value.requires_grad)
        if pairs is not None:
            pairs.append((value, ours))
        return ours
    if isinstance(value, torch.dtype):
        name = str(value).removeprefix("torch.")
        if name.startswith(("complex", "bfloat", "float8", "q")):
            raise Untranslatable(name)
        return name
    if isinstance(value, complex | torch.Generator | torch.memory_format | torch.layout):
        raise Untranslatable(type(value).__name__)
    if isinstance(value, torch.device):
        return str(value)
    if isinstance(value, torch.Size):
        return tuple(value)
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(translated(v, pairs) for v in value)
    if isinstance(value, dict):
        return {k: translated(v, pairs) for k, v in value.items()}
    return value


def array(value: Any) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        return value.detach().resolve_neg().numpy(force=True)
    return np.asarray(value.data if isinstance(value, tn.Tensor) else value)


def flat(result: Any) -> list[Any]:
    """The tensors and numbers of a result, in order."""
    if isinstance(result, list | tuple):
        return [leaf for part in result for leaf in flat(part)]
    return [] if result is None else [result]


def said(value: Any) -> str:
    """Arguments in short: tensors by dtype and shape."""
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(said, value))})"
    if isinstance(value, dict):
        return ", ".join(f"{k}={said(v)}" for k, v in value.items())
    return repr(value)


def difference(ours: Any, theirs: Any, looser: float = 1.0) -> str | None:
    """What differs between two results, or None."""
    a, b = array(ours), array(theirs)
    if a.shape != b.shape:
        return f"shape {a.shape}, PyTorch {b.shape}"
    if a.dtype != b.dtype:
        return f"dtype {a.dtype}, PyTorch {b.dtype}"
    if b.dtype.kind != "f":
        wrong = a != b
    else:
        finite = np.abs(b[np.isfinite(b)])
        rtol = TOLERANCE.get(b.dtype.name, 1e-3) * looser
        atol = rtol / 10 * max(1.0, float(finite.max()) if finite.size else 1.0)
        wrong = ~np.isclose(a.astype("f8"), b.astype("f8"), rtol, atol, equal_nan=True)
    if not wrong.any():
        return None
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"value {a[place]:.9g}, PyTorch {b[place]:.9g}"


def refusal(error: Exception) -> str:
    """The kind of an error: clear, or obscure."""
    expected = isinstance(error, ValueError | TypeError | IndexError | RuntimeError)
    return "refused" if expected and CLEAR.match(str(error)) else "obscure"


def short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


# --- gradients ------------------------------------------------------------------------------------

_draws = torch.Generator()


def like(x: torch.Tensor, requires_grad: bool = False) -> torch.Tensor:
    drawn = torch.randn(x.shape, dtype=x.dtype, generator=_draws)
    return drawn.requires_grad_(requires_grad)


def gradients(grad: Callable[..., Any], ys: list, xs: list, cs: list, vs: list) -> list[Any]:
    """Gradients of <y, c> by x, and of <those, v> by x and c; None where there is none."""
    first = grad(ys, xs, cs, create_graph=True, allow_unused=True)
    terms = [(g * v).sum() for g, v in zip(first, vs, strict=True)
             if g is not None and g.requires_grad]  # fmt: skip
    if not terms:
        return [*first, *[None] * (len(xs) + len(cs))]
    return [*first, *grad(sum(terms[1:], terms[0]), [*xs, *cs], allow_unused=True)]


def gradient_difference(theirs: list, ours: list, pairs: list, second: bool) -> str | None:
    """What differs between the gradients of two results with respect to the pairs of inputs."""
    tracked = [(y, z) for y, z in zip(theirs, ours, strict=True)
               if isinstance(y, torch.Tensor) and y.requires_grad]  # fmt: skip
    inputs = [(x, w) for x, w in pairs if x.requires_grad]
    if not tracked or not inputs:
        return None
    if not all(getattr(z, "requires_grad", False) for _, z in tracked):
        return "the result does not require a gradient, PyTorch's does"
    (ys, zs), (xs, ws) = ([list(side) for side in zip(*p, strict=True)] for p in (tracked, inputs))
    cs, vs = [like(y, True) for y in ys], [like(x) for x in xs]
    try:
        wanted = gradients(torch.autograd.grad, ys, xs, cs, vs)
    except RuntimeError:  # PyTorch has no second derivative
        if second:
            raise
        wanted = list(torch.autograd.grad(ys, xs, cs, allow_unused=True))
    found = gradients(tn.grad, zs, ws, translated(cs), translated(vs))
    count = len(wanted) if second else len(xs)
    for k, (g, h, x) in enumerate(zip(wanted[:count], found, [*xs, *xs, *cs], strict=False)):
        zero = torch.zeros_like(x)
        wrong = difference(translated(zero) if h is None else h, zero if g is None else g)
        if wrong:
            order = "gradient" if k < len(xs) else "second derivative"
            return f"{order}: {wrong}"
    return None


# --- operations -----------------------------------------------------------------------------------


def own(name: str) -> Callable[..., Any] | None:
    """tinynet's function of an operation of PyTorch, or None."""
    if name in ADAPTED:
        return ADAPTED[name]
    place: Any = tn
    for part in name.split("."):
        place = getattr(place, part, None)
    if callable(place):
        return place
    method = getattr(tn.Tensor, name, None)
    return method if callable(method) else None


def fresh(sample: Any) -> Any:
    """The sample with leaves of its own."""

    def copied(value: Any) -> Any:
        if isinstance(value, torch.Tensor) and value.layout == torch.strided:
            twin = copy.deepcopy(value.detach())
            return twin.requires_grad_(value.requires_grad)
        return value

    return sample.transform(copied)


def outcome(op: Any, call: Callable[..., Any], sample: Any, dtype: torch.dtype) -> Outcome | None:
    """Compare one sample; None if it cannot be said in tinynet or PyTorch raises itself."""
    text = f"{said(sample.input)}, {said(sample.args)}, {said(sample.kwargs)}"
    pairs: list[Any] = []
    try:
        x, args, options = (translated(v, pairs) for v in
                            (sample.input, tuple(sample.args), dict(sample.kwargs)))  # fmt: skip
        theirs = op(sample.input, *sample.args, **sample.kwargs)
    except Exception:
        return None
    try:
        with np.errstate(all="ignore"):
            ours = call(x, *args, **options)
            results = flat(theirs), flat(ours)
            wrong = None
            if len(results[0]) != len(results[1]):
                wrong = f"{len(results[1])} results, PyTorch {len(results[0])}"
            elif getattr(op, "random", False):
                wrong = None
            else:
                wrong = next(filter(None, map(difference, results[1], results[0])), None)
            nan = any(bool(torch.isnan(t).any()) for t, _ in pairs if t.is_floating_point())
            if wrong is None and dtype == torch.float64 and op.supports_autograd and not nan:
                wrong = gradient_difference(*results, pairs, op.supports_gradgrad)
    except Exception as error:
        return Outcome(op.full_name, refusal(error), short(error), text)
    return Outcome(op.full_name, "differs" if wrong else "agrees", wrong or "", text)


def operations(names: list[str]) -> Iterator[Outcome]:
    for op in op_db:
        call = own(op.name)
        if call is None or op.variant_test_name == "complex" or (names and op.name not in names):
            continue
        for dtype in DTYPES:
            if dtype not in op.supported_dtypes("cpu"):
                continue
            torch.manual_seed(0)
            tracked = dtype == torch.float64 and op.supports_autograd
            for sample in op.sample_inputs("cpu", dtype, requires_grad=tracked):
                found = outcome(op, call, fresh(sample), dtype)
                if found is not None:
                    yield found
        if op.error_inputs_func is not None:
            torch.manual_seed(0)
            for wrong in op.error_inputs("cpu"):
                s = wrong.sample_input
                yield from refused(op.full_name, s.input, op, call, s.args, s.kwargs)


def refused(
    name: str, x: Any, theirs: Any, ours: Any, args: Any, options: Any
) -> Iterator[Outcome]:
    """Whether both raise."""
    text = f"{said(x)}, {said(tuple(args))}, {said(options)}"
    try:
        theirs(x, *args, **options)
        return  # PyTorch accepts its own error input
    except Exception:
        pass
    try:
        given = translated(x), translated(tuple(args)), translated(dict(options))
    except Untranslatable:
        return
    try:
        with np.errstate(all="ignore"):
            ours(given[0], *given[1], **given[2])
    except Exception as error:
        clear = refusal(error) == "refused"
        yield Outcome(name, "agrees" if clear else "obscure", short(error), text)
    else:
        yield Outcome(name, "accepted", "", text)


# --- modules and optimizers -----------------------------------------------------------------------


def module_outcome(info: Any, cls: Any, given: Any, dtype: torch.dtype, training: bool) -> Any:
    made, fed = given.constructor_input, given.forward_input
    text = f"{said(made.args)}, {said(made.kwargs)} on {said(fed.args)}, {said(fed.kwargs)}"
    torch.manual_seed(1)
    theirs = info.module_cls(*made.args, **made.kwargs).to(dtype).train(training)
    for p in theirs.parameters():  # not the ones and zeros that normalisations start with
        p.data = like(p.data)
    pairs: list[Any] = []
    try:
        args, options = translated(tuple(made.args)), translated(dict(made.kwargs))
        inputs, named = translated(tuple(fed.args), pairs), translated(dict(fed.kwargs), pairs)
        y = copy.deepcopy(theirs)(*fed.args, **fed.kwargs)
    except Exception:
        return None
    try:
        ours = cls(*args, **options).to(str(dtype).removeprefix("torch.")).train(training)
        keys = list(ours.state_dict()), list(theirs.state_dict())
        if keys[0] != keys[1]:
            return Outcome(info.name, "differs", f"state_dict {keys[0]}, PyTorch {keys[1]}", text)
        ours.load_state_dict(theirs.state_dict())
        mine = dict(ours.named_parameters())
        pairs += [(p, mine[key]) for key, p in theirs.named_parameters()]
        y, z = theirs(*fed.args, **fed.kwargs), ours(*inputs, **named)
        results = [*flat(y), *theirs.state_dict().values()], [*flat(z), *ours.state_dict().values()]
        looser = 1.0 if dtype == torch.float64 else 50.0
        wrong = next(filter(None, map(difference, results[1], results[0], [looser] * 99)), None)
        if wrong is None and dtype == torch.float64:
            wrong = gradient_difference(flat(y), flat(z), pairs, info.supports_gradgrad)
    except Exception as error:
        return Outcome(info.name, refusal(error), short(error), text)
    return Outcome(info.name, "differs" if wrong else "agrees", wrong or "", text)


def modules(names: list[str]) -> Iterator[Outcome]:
    for info in module_db:
        cls = getattr(tn.nn, info.name.rpartition(".")[2], None)
        if cls is None or (names and info.name not in names):
            continue
        for dtype in DTYPES[:2]:
            for training in (True, False) if info.train_and_eval_differ else (True,):
                torch.manual_seed(0)
                tracked = dtype == torch.float64
                for given in info.module_inputs_func(info, "cpu", dtype, tracked, training):
                    found = module_outcome(info, cls, given, dtype, training)
                    if found is not None:
                        yield found
        if info.module_error_inputs_func is None:
            continue
        for wrong in info.module_error_inputs_func(info, "cpu", torch.float64, False, True):
            made = wrong.module_error_input.constructor_input
            fed = wrong.module_error_input.forward_input
            forward = wrong.error_on == ModuleErrorEnum.FORWARD_ERROR

            def run(c: Any, *a: Any, call: Any = forward and fed, **o: Any) -> Any:
                module = c(*a, **o)
                return module(*call.args, **call.kwargs) if call else module

            def run_own(c: Any, *a: Any, call: Any = forward and fed, **o: Any) -> Any:
                module = cls(*a, **o)  # noqa: B023, called before the next round
                return module(*translated(tuple(call.args))) if call else module

            yield from refused(info.name, info.module_cls, run, run_own, made.args, made.kwargs)


def trained(library: Any, optimizer: Any, options: dict[str, Any], dtype: str) -> list[Any]:
    """Parameters after ten steps on a quadratic form and a layer whose weights are used thrice."""
    rng = np.random.default_rng(0)
    a, w, x = (library.tensor(rng.standard_normal(s), dtype=getattr(library, dtype))
               for s in ((3, 3), (4, 4), (5, 4)))  # fmt: skip
    v = library.tensor([0.3, -0.2, 0.5], dtype=getattr(library, dtype), requires_grad=True)
    w.requires_grad_(True)
    opt = optimizer([v, w], **options)

    def closure() -> Any:
        opt.zero_grad()
        h = x
        for _ in range(3):
            h = (h @ w).tanh()
        loss = ((a @ v) ** 2).sum() + (h - 0.1).square().mean()
        loss.backward()
        return loss

    for _ in range(10):
        opt.step(closure)
    return [v, w]


def optimizers(names: list[str]) -> Iterator[Outcome]:
    for info in optim_db:
        cls = getattr(tn.optim, info.name, None)
        if cls is None or (names and info.name not in names):
            continue
        for given in info.optim_inputs_func("cpu"):
            for dtype in ("float64", "float32"):
                looser = 1.0 if dtype == "float64" else 50.0
                theirs = trained(torch, info.optim_cls, copy.deepcopy(given.kwargs), dtype)
                try:
                    ours = trained(tn, cls, translated(dict(given.kwargs)), dtype)
                except Exception as error:
                    found = refusal(error), short(error)
                else:
                    wrong = next(filter(None, map(difference, ours, theirs, [looser] * 2)), None)
                    found = "differs" if wrong else "agrees", wrong or ""
                yield Outcome(info.name, *found, f"{dtype}, {said(given.kwargs)}")
        for wrong in (info.optim_error_inputs_func or (lambda *_: ()))("cpu", torch.float32):
            given = wrong.optimizer_error_input
            if wrong.error_on != OptimizerErrorEnum.CONSTRUCTION_ERROR:
                continue
            params = [torch.ones(2, requires_grad=True)] if given.params is None else given.params

            def make(p: Any, optimizer: Any = info.optim_cls, **options: Any) -> Any:
                return optimizer(p, **options)

            yield from refused(info.name, params, make, cls, (), given.kwargs)


# --- the page -------------------------------------------------------------------------------------


def outcomes(names: list[str]) -> list[Outcome]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [*operations(names), *modules(names), *optimizers(names)]


def page(found: list[Outcome]) -> str:
    """docs/pytorch.md: what differs and why, and what agrees."""
    reasons: dict[str, set[str]] = collections.defaultdict(set)
    for o in found:
        if o.kind != "agrees" and o.reason:
            reasons[o.reason].add(o.name)
    agreeing = sorted({o.name for o in found if o.kind == "agrees"})
    rows = "\n".join(
        f"| {why} | {', '.join(f'`{n}`' for n in sorted(names))} |"
        for why, names in sorted(reasons.items())
    )
    return f"""# What differs from PyTorch

tinynet takes PyTorch's names, arguments and defaults. PyTorch ships the data that it tests itself
with; `tests/test_opinfo.py` gives all of it to both, and compares values, shapes, dtypes, gradients
of first and second order, and errors. This page is written from what it finds (PyTorch 2.13):
`python tests/opinfo.py --write`. What has another convention at a kink is in
[kinks.md](kinks.md).

## Differences

| what and why | where |
|---|---|
{rows}

## What agrees

Everything else that was compared: {len(agreeing)} operations, layers and optimizers.

{", ".join(f"`{n}`" for n in agreeing)}
"""


def main() -> int:
    write, names = "--write" in sys.argv, [a for a in sys.argv[1:] if a != "--write"]
    found = outcomes(names)
    counts = collections.Counter(o.kind if o.kind == "agrees" or not o.reason else "explained"
                                 for o in found)  # fmt: skip
    for line in dict.fromkeys(f"{o.name}: {o.kind}: {o.text}\n    {o.sample}" for o in found
                              if o.kind != "agrees" and not o.reason):  # fmt: skip
        print(line)
    print(", ".join(f"{kind} {n}" for kind, n in counts.most_common()))
    if write:
        PAGE.write_text(page(found), encoding="utf-8")
    return int(set(counts) - {"agrees", "explained"} != set())


if __name__ == "__main__":
    sys.exit(main())
