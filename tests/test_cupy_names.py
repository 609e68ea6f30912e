"""The stand-in for CuPy has only names of the real package.

The comparison needs an installed CuPy, but no GPU.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import cupy_names as names
import cupy_standin
import pytest

# Runs in a process of its own: the real CuPy never enters this one.
ASK_CUPY = """
import inspect, json, re, sys, warnings
warnings.simplefilter("ignore")
try:
    import cupy, cupyx, cupyx.scipy.special
except Exception as error:
    lines = [line for line in str(error).splitlines() if line.strip("= ")]
    print(json.dumps({"skip": f"{type(error).__name__}: {(lines or [''])[0]}"}))
    sys.exit()

def parameters(thing):
    try:
        return [[p.name, int(p.kind), p.default is p.empty]
                for p in inspect.signature(thing).parameters.values()]
    except (TypeError, ValueError):
        pass
    # Cython's methods carry theirs in the first line of the documentation.
    found = re.search(r"\\w+\\((.*)\\)", (thing.__doc__ or "").splitlines()[0])
    if not found:
        return None
    plain = [re.sub(r"^(\\w+ )(?=\\w)", "", p.strip()) for p in found[1].split(",")]
    try:
        return parameters(eval(f"lambda {', '.join(plain)}: None"))
    except SyntaxError:
        return None

answer = {}
for path, signature in json.load(sys.stdin):
    thing = {"cupy": cupy, "cupyx": cupyx}[path.split(".")[0]]
    try:
        for part in path.split(".")[1:]:
            thing = getattr(thing, part)
        answer[path] = parameters(thing) if signature else None
    except AttributeError:
        answer[path] = "absent"
print(json.dumps(answer))
"""


def public_paths() -> dict[str, object]:
    """Every public name of the stand-in, spelled from the package down."""
    found: dict[str, object] = {}
    for module in cupy_standin.MODULES.values():
        for name, value in vars(module).items():
            if name.startswith("_"):
                continue
            found[f"{module.__name__}.{name}"] = value
            own = getattr(value, "__module__", "") in ("cupy_array", "cupy_standin", "cupy_names")
            if isinstance(value, type) and own:
                members = {n: v for n, v in vars(value).items() if not n.startswith("_")}
                found |= {f"{module.__name__}.{name}.{n}": v for n, v in members.items()}
    special = [n for n in vars(cupy_standin.cupy.ndarray) if n.startswith("__")]
    plumbing = {"__slots__", "__module__", "__doc__", "__qualname__", "__annotations__"}
    plumbing |= {"__firstlineno__", "__static_attributes__"}  # Python 3.13 adds these to a class
    found |= {f"cupy.ndarray.{n}": None for n in special if n not in plumbing}
    found |= {f"cupy.add.{n}": None for n in dir(cupy_standin.ufunc) if not n.startswith("_")}
    return found


@pytest.fixture(scope="module")
def real():
    """The real CuPy's answer for each of those names."""
    question = [(path, callable(value)) for path, value in public_paths().items()]
    done = subprocess.run(
        [sys.executable, "-c", ASK_CUPY],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    if "skip" in answer:
        pytest.skip(f"needs an installed CuPy to compare with ({answer['skip']})")
    return answer


def test_every_name_exists_in_the_real_cupy(real):
    assert len(real) > 150
    assert [path for path, found in real.items() if found == "absent"] == []


def test_every_parameter_exists_in_the_real_cupy(real):
    compared, wrong = 0, []
    for path, value in public_paths().items():
        if real[path] is None or not inspect.isroutine(value):
            continue
        theirs = {name: (i, kind) for i, (name, kind, _) in enumerate(real[path])}
        variadic = {int(kind) for _, kind, _ in real[path]} & {2, 4}
        for i, parameter in enumerate(inspect.signature(value).parameters.values()):
            place, kind = theirs.get(parameter.name, (None, None))
            if place is None:
                # matmul(*args, out=None) and the like
                if not (parameter.kind in variadic or 4 in variadic):
                    wrong.append(f"{path}: no parameter {parameter.name}")
            elif parameter.kind < 2 and (place != i or kind < parameter.kind):
                wrong.append(f"{path}: parameter {parameter.name} is not number {i}")
        needed = {name for name, kind, required in real[path] if required and kind < 2}
        if not variadic and needed - set(inspect.signature(value).parameters):
            wrong.append(f"{path}: lacks {needed}")
        compared += 1
    assert wrong == []
    assert compared > 40


def test_ufuncs_have_the_real_number_of_operands_and_at(tmp_path):
    pytest.importorskip("cupy_backends", reason="needs an installed CuPy to compare with")
    code = (
        "import cupy, sys, json; names = json.load(sys.stdin)\n"
        "print(json.dumps({n: [getattr(cupy, n).name, getattr(cupy, n).nin, getattr(cupy, n).nout,"
        " getattr(cupy, n)._scatter_op is not None] for n in names}))"
    )
    run = [sys.executable, "-W", "ignore", "-c", code]
    question = json.dumps(names.UFUNCS)
    done = subprocess.run(run, input=question, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"the installed CuPy cannot be imported ({done.stderr.strip()[-100:]})")
    for name, (_, nin, nout, scatters) in json.loads(done.stdout).items():
        ours = cupy_standin.ufuncs[name]
        assert (ours.nin, ours.nout) == (nin, nout), name
        assert (name in names.SCATTERS) == scatters, name
