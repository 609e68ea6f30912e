"""The share of a step that tinynet spends in BLAS, and the number of multiply-adds there.

``a @ b`` on arrays cannot be timed from outside, since byte code calls C directly. So a separate
process rewrites tinynet's source during import: every ``a @ b`` and every call of a function named
in `NAMES` becomes a call of `Meter`, which does the same and measures its time. No file changes,
and the pass that measures step times is unaffected. The time of NumPy's function is measured, so
its few microseconds of overhead count as BLAS.

If products run on several threads at once, the time in which at least one runs counts once.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import CodeType, ModuleType
from typing import Any

from benchmarks import sides, workloads
from benchmarks.sides import OURS, Run
from benchmarks.workloads import Workload

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = frozenset({"matmul", "dot", "vdot", "inner", "tensordot", "einsum", "sgemm", "dgemm"})
METER = "_benchmark_product"  # the meter's name in the rewritten source


class Meter:
    """Computes products of arrays, and adds up their time and their multiply-adds."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running, self.started = 0, 0.0
        self.reset()

    def reset(self) -> None:
        self.seconds, self.multiply_adds, self.calls = 0.0, 0, 0

    def __call__(self, function: Any, *args: Any, **options: Any) -> Any:
        import numpy as np

        # tinynet's operations have such names too; the products inside them are metered
        arrays = args and all(isinstance(a, np.ndarray | str) for a in args)
        if not arrays or hasattr(function, "rules"):
            return function(*args, **options)
        with self.lock:
            if not self.running:
                self.started = time.perf_counter()
            self.running += 1
        try:
            result = function(*args, **options)
        finally:
            with self.lock:
                self.running -= 1
                if not self.running:
                    self.seconds += time.perf_counter() - self.started
        with self.lock:
            self.calls += 1
            # each entry of a product sums as many terms as the last axis of its first factor has
            first = next(a for a in args if not isinstance(a, str))
            self.multiply_adds += result.size * first.shape[-1]
        return result


class _Rewrite(ast.NodeTransformer):
    """Turns products into calls of the meter."""

    def _metered(self, node: ast.AST, function: ast.expr, args: Any, options: Any = ()) -> ast.AST:
        name = ast.Name(METER, ast.Load())
        return ast.copy_location(ast.Call(name, [function, *args], list(options)), node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.MatMult):
            return node
        operator = ast.Name(METER + "_operator", ast.Load())
        return self._metered(node, operator, [node.left, node.right])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = getattr(node.func, "attr", getattr(node.func, "id", None))
        if called not in NAMES:
            return node
        return self._metered(node, node.func, node.args, node.keywords)


class _Loader(importlib.machinery.SourceFileLoader):
    meter: Meter

    def get_code(self, fullname: str) -> CodeType:
        # neither reads nor writes the cache of compiled files
        path = self.get_filename(fullname)
        tree = _Rewrite().visit(ast.parse(self.get_data(path)))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        import operator

        vars(module)[METER] = self.meter
        vars(module)[METER + "_operator"] = operator.matmul
        super().exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, loader: type[_Loader]) -> None:
        self.loader = loader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.split(".")[0] != "tinynet":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = self.loader(spec.loader.name, spec.loader.path)
        return spec


def metered_import() -> Meter:
    """Meter the products of tinynet, which must be imported afterwards.

    Raises:
        RuntimeError: if tinynet is already imported.
    """
    if "tinynet" in sys.modules:
        raise RuntimeError("tinynet is already imported; call metered_import first")
    meter = Meter()
    sys.meta_path.insert(0, _Finder(type("_Loader", (_Loader,), {"meter": meter})))
    return meter


def share(workload: Workload, seconds: float, threads_used: int) -> dict[str, Any]:
    """A step's time, the part of it in products, and the products' number and multiply-adds.

    A fresh process measures them, with the environment that `threads.limit` has set. Times are
    medians over steps.

    Raises:
        RuntimeError: if the process fails; shows the end of its error output.
    """
    command = [sys.executable, "-m", "benchmarks.products", workload.name, str(seconds),
               str(threads_used)]  # fmt: skip
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if out.returncode:
        raise RuntimeError(f"products of {workload.name}: {out.stderr.strip()[-500:]}")
    return dict(json.loads(out.stdout))


def main() -> None:
    name, seconds, threads_used = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    meter = metered_import()
    workload = workloads.named(name)
    side = sides.load(OURS, threads_used)
    run = Run(side, workload, side.tensors(workload, workload.batches()))
    run.step()
    steps: list[float] = []
    products: list[float] = []
    end = time.perf_counter() + seconds
    while len(steps) < 3 or (len(steps) < 200 and time.perf_counter() < end):
        meter.reset()
        start = time.perf_counter()
        run.step()
        steps.append(time.perf_counter() - start)
        products.append(meter.seconds)
    print(json.dumps({
        "step_seconds": statistics.median(steps),
        "product_seconds": statistics.median(products),
        "share": statistics.median(p / s for p, s in zip(products, steps, strict=True)),
        "products": meter.calls,
        "multiply_adds": meter.multiply_adds,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
