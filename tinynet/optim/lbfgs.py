"""L-BFGS: Newton's method with a curvature that is estimated from the last steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.autograd.modes import enable_grad
from tinynet.autograd.versions import increment_version
from tinynet.nn.state import host_array
from tinynet.optim.line_search import strong_wolfe
from tinynet.optim.optimizer import Optimizer


class LBFGS(Optimizer):
    """Limited-memory BFGS, for losses without noise; theta are the parameters as one vector.

    With s_i = theta_(i+1) - theta_i and y_i = g_(i+1) - g_i of the last iterations, and
    rho_i = 1 / (y_i . s_i), the direction is d = -H g, where H approximates the inverse Hessian::

        q = g
        q = q - a_i y_i,            a_i = rho_i s_i . q         from the last i to the first
        r = h q,                    h = s . y / y . y           of the last
        r = r + s_i (a_i - b_i),    b_i = rho_i y_i . r         from the first i to the last
        d = -r

    and theta = theta + t d. t is lr (in the very first iteration lr min(1, 1 / |g|_1)), or with
    line_search_fn "strong_wolfe" such that the loss and its slope both fall enough. Pairs with
    y . s <= 1e-10 are left out: H stays positive definite.

    A step makes up to `max_iter` iterations and calls the closure for the loss of each, which is
    read on the host to decide how to go on.

    Args:
        params: tensors, in one group.
        lr: the length of a step in units of d, at least 0.
        max_iter: iterations per step.
        max_eval: evaluations per step; 5 max_iter / 4 by default.
        tolerance_grad: a step ends where no entry of g is larger.
        tolerance_change: it ends, too, where theta or the loss change less.
        history_size: how many pairs are kept.
        line_search_fn: None or "strong_wolfe".

    State: of the first parameter, as in PyTorch, for all: "d", "t", "old_dirs" (y), "old_stps" (s),
        "ro" (rho), "H_diag" (h), "prev_flat_grad", "prev_loss", "n_iter", "func_evals".

    Source: J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., algorithms 7.4 and 7.5.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        self._memory: dict[str, Any] = {}
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(f"LBFGS: {len(self.param_groups)} groups; give all parameters in one")
        kinds = {(p.dtype.name, p.device) for p in self._params}
        if len(kinds) != 1:
            raise ValueError(f"LBFGS: parameters are of {sorted(kinds)}; they must be of one kind")

    @property
    def _params(self) -> list[Any]:
        return list(self.param_groups[0]["params"])

    def _check(self, options: dict[str, Any]) -> None:
        for name in ("lr", "tolerance_grad", "tolerance_change"):
            self._number(options, name)
        for name in ("max_iter", "max_eval", "history_size"):
            if name == "max_eval" and options[name] is None:
                options[name] = options["max_iter"] * 5 // 4
            self._number(options, name)
            options[name] = int(options[name])
        if options["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(
                f"LBFGS: line_search_fn is {options['line_search_fn']!r}; it must be None or "
                "'strong_wolfe'"
            )

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ()

    # --- all parameters as one vector ---

    def _joined(self, arrays: list[Any]) -> Any:
        """Arrays as one vector in the dtype of the parameters, in float32 for float16."""
        like = self._params[0]._data
        wide = "float32" if like.dtype == "float16" else like.dtype
        flat = [a.reshape(-1).astype(wide, copy=False) for a in arrays]
        return backend.array_module(like).concatenate(flat)

    def _gradient(self) -> Any:
        """The gradients as one vector; 0 where there is none."""
        grads = []
        for i, p in enumerate(self._params):
            if p.grad is not None and p.grad.shape != p.shape:
                raise ValueError(
                    f"LBFGS.step: parameter {i} has shape {p.shape}, its gradient {p.grad.shape}; "
                    "they must be equal"
                )
            grads.append(backend.zeros(p.shape, p._data) if p.grad is None else raw(p.grad))
        return self._joined(grads)

    def _move(self, theta: Any) -> None:
        """Set the parameters to the entries of a vector."""
        start = 0
        for p in self._params:
            p._data[...] = theta[start : start + p.numel()].reshape(p.shape)
            increment_version(p)
            start += p.numel()

    # --- the step ---

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to `max_iter` iterations.

        Args:
            closure: sets the gradients to zero, computes the loss and the gradients, and returns
                the loss.

        Returns:
            The loss before the step.

        Raises:
            ValueError: without a closure; or, before any parameter has changed, if one is
                read-only or an option is out of range.
        """
        if closure is None:
            raise ValueError(
                "LBFGS.step: give a function that computes the loss and the gradients, and returns "
                "the loss"
            )
        options = self._checked(self.param_groups[0])
        self._current()  # checks the parameters
        memory, lr = self._memory, options["lr"]

        def evaluate() -> tuple[float, Any]:
            with enable_grad():
                return float(closure()), self._gradient()

        with enable_grad():
            first = closure()
        loss, g = float(first), self._gradient()
        self._current()  # checks the gradients
        evaluations = 1
        memory["func_evals"] = memory.get("func_evals", 0) + 1
        memory.setdefault("n_iter", 0)
        if _largest(g) <= options["tolerance_grad"]:
            return first
        for iteration in range(1, options["max_iter"] + 1):
            memory["n_iter"] += 1
            d = self._direction(g, options["history_size"])
            before = loss
            memory.update(prev_flat_grad=g, prev_loss=loss, d=d)
            t = lr * (
                min(1.0, 1.0 / _number(backend.array_module(g).abs(g).sum()))
                if memory["n_iter"] == 1
                else 1.0
            )
            memory["t"] = t
            slope = _number(g @ d)
            if slope > -options["tolerance_change"]:
                break
            theta = self._joined([p._data for p in self._params])
            more = 0
            if options["line_search_fn"] is not None:

                def along(t: float, theta: Any = theta, d: Any = d) -> tuple[float, Any]:
                    self._move(theta + t * d)
                    return evaluate()

                loss, g, t, more = strong_wolfe(
                    along, t, d, _largest(d), loss, g, slope, options["max_eval"] - evaluations
                )
                memory["t"] = t
                self._move(theta + t * d)
            else:
                self._move(theta + t * d)
                # the last point is the first of the next step, and evaluated there
                if iteration < options["max_iter"]:
                    (loss, g), more = evaluate(), 1
            evaluations += more
            memory["func_evals"] += more
            if (
                evaluations >= options["max_eval"]
                or _largest(g) <= options["tolerance_grad"]
                or _largest(d) * abs(t) <= options["tolerance_change"]
                or abs(loss - before) < options["tolerance_change"]
            ):
                break
        return first

    def _direction(self, g: Any, history_size: int) -> Any:
        """-H g; first takes the last step into H."""
        memory = self._memory
        if memory["n_iter"] == 1:
            memory.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g
        y, s = g - memory["prev_flat_grad"], memory["d"] * memory["t"]
        ys = _number(y @ s)
        ys_, ss_, rho = memory["old_dirs"], memory["old_stps"], memory["ro"]
        if ys > 1e-10:
            for kept, value in ((ys_, y), (ss_, s), (rho, 1.0 / ys)):
                kept.append(value)
                del kept[: max(0, len(kept) - history_size)]
            memory["H_diag"] = ys / _number(y @ y)
        q, a = -g, [0.0] * len(rho)
        for i in reversed(range(len(rho))):
            a[i] = _number(ss_[i] @ q) * rho[i]
            q = q - a[i] * ys_[i]
        r = memory["H_diag"] * q
        for i in range(len(rho)):
            r = r + ss_[i] * (a[i] - _number(ys_[i] @ r) * rho[i])
        return r

    # --- saving and loading ---

    @property
    def state(self) -> dict[Any, dict[str, Any]]:
        """What is kept between steps, under the first parameter."""
        return {self._params[0]: dict(self._memory)} if self._memory else {}

    def _state(self) -> dict[int, dict[str, Any]]:
        return {}

    def state_dict(self) -> dict[str, Any]:
        """The options, and what is kept between steps, as that of parameter 0."""
        saved = super().state_dict()
        if self._memory:
            saved["state"] = {0: {k: _saved(v) for k, v in self._memory.items()}}
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load the options and the state of an L-BFGS of the same shapes.

        Raises:
            ValueError: if options or parts of the state are missing or of another size; nothing is
                changed.
        """
        where = "LBFGS.load_state_dict"
        rest = state_dict
        memory: dict[str, Any] = {}
        states = state_dict.get("state") if isinstance(state_dict, Mapping) else None
        if isinstance(states, Mapping):
            rest = {**state_dict, "state": {}}
            entry = states.get(0, states.get("0", {}))
            memory = self._loaded(where, entry) if entry else {}
        super().load_state_dict(rest)
        self._memory = memory

    def _loaded(self, where: str, entry: Any) -> dict[str, Any]:
        vectors, lists = ("d", "prev_flat_grad"), ("old_dirs", "old_stps")
        counts, numbers = ("n_iter", "func_evals"), ("t", "H_diag", "prev_loss")
        entry = dict(entry) if isinstance(entry, Mapping) else {}
        needed = [*counts]
        if entry.get("n_iter"):
            needed += [*vectors, *lists, *numbers, "ro"]
        missing = [name for name in needed if name not in entry]
        if missing:
            raise ValueError(f"{where}: the state lacks {', '.join(missing)}")
        like = self._joined([p._data for p in self._params])

        def vector(name: str, value: Any) -> Any:
            array = host_array(f"{where}: {name}", value)
            if tuple(array.shape) != like.shape:
                raise ValueError(f"{where}: {name} has shape {array.shape}, not {like.shape}")
            return backend.asarray(array.copy(), like.dtype, backend.device_of(like))

        def number(name: str, value: Any) -> float:
            array = host_array(f"{where}: {name}", value, "float64")
            if array.size != 1:
                raise ValueError(f"{where}: {name} has shape {array.shape}; it must be a number")
            return float(array.reshape(()))

        made: dict[str, Any] = {name: int(number(name, entry[name])) for name in counts}
        if made["n_iter"]:
            made |= {name: vector(name, entry[name]) for name in vectors}
            made |= {name: number(name, entry[name]) for name in numbers}
            made |= {name: [vector(name, v) for v in entry[name]] for name in lists}
            made["ro"] = [number("ro", v) for v in entry["ro"]]
            lengths = [len(made[name]) for name in (*lists, "ro")]
            if len(set(lengths)) != 1:
                raise ValueError(f"{where}: old_dirs, old_stps and ro are of lengths {lengths}")
        return made

    def __repr__(self) -> str:
        hidden = [line.split(", maximize")[0] for line in super().__repr__().splitlines()]
        return "\n".join(hidden)


def _number(x: Any) -> float:
    """Read a number: the search goes on as the numbers say, so a step cannot be captured."""
    return float(x)


def _largest(x: Any) -> float:
    return _number(backend.array_module(x).abs(x).max()) if x.size else 0.0


def _saved(value: Any) -> Any:
    if isinstance(value, list):
        return [_saved(v) for v in value]
    return backend.to_numpy(value).copy() if backend.is_array(value) else value
