"""weight_norm and spectral_norm: weights as functions of other parameters, computed before forward.

A hook that runs before each forward computes the weight, a tensor of the graph, so gradients reach
the parameters that it was computed from. The names in the state_dict are PyTorch's.
"""

from __future__ import annotations

from typing import Any, TypeVar

from tinynet import random
from tinynet.autograd import no_grad
from tinynet.functional.distances import normalize
from tinynet.functions.arguments import one_axis
from tinynet.nn.module import Module
from tinynet.nn.parameter import Parameter
from tinynet.tensor import Tensor

M = TypeVar("M", bound=Module)


class _Computed:
    """The hook of a weight that is computed before each forward."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Any, args: Any) -> None:
        setattr(module, self.name, self.weight(module))

    def weight(self, module: Any) -> Tensor:
        raise NotImplementedError


class _WeightNorm(_Computed):
    def __init__(self, name: str, dim: int | None) -> None:
        super().__init__(name)
        self.dim = dim

    def length(self, v: Tensor) -> Tensor:
        """The norms of v, in an array that broadcasts with it."""
        if self.dim is None:
            return v.norm()
        others = tuple([k for k in range(v.ndim) if k != one_axis("weight_norm", self.dim, v.ndim)])
        return v.norm(dim=others, keepdim=True) if others else v.abs()

    def weight(self, module: Any) -> Tensor:
        v, g = (getattr(module, f"{self.name}_{part}") for part in "vg")
        return v * (g / self.length(v))


class _SpectralNorm(_Computed):
    def __init__(self, name: str, steps: int, eps: float, dim: int) -> None:
        super().__init__(name)
        self.steps, self.eps, self.dim = steps, eps, dim

    def matrix(self, w: Tensor) -> Tensor:
        return w.movedim(self.dim, 0).flatten(1)

    def weight(self, module: Any) -> Tensor:
        w, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = self.matrix(w)
        if module.training:
            with (
                no_grad()
            ):  # a step of the power method: u and v turn to the largest singular value
                for _ in range(self.steps):
                    v.copy_(normalize(matrix.t() @ u, dim=0, eps=self.eps))
                    u.copy_(normalize(matrix @ v, dim=0, eps=self.eps))
        u, v = u.clone(), v.clone()  # the next forward changes them in place
        return w / (u @ (matrix @ v))


def _check(function: str, module: Any, name: str, kind: type[_Computed]) -> Parameter:
    """The parameter of this name, which must not be computed already."""
    if not isinstance(module, Module):
        raise TypeError(f"{function}: module is a {type(module).__name__}; it must be a Module")
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, kind) and hook.name == name:
            raise RuntimeError(f"{function}: {name!r} has a {function} already")
    parameter = getattr(module, name, None)
    if not isinstance(parameter, Parameter):
        raise ValueError(f"{function}: {type(module).__name__} has no parameter {name!r}")
    return parameter


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """w = g v / |v|: the length g and the direction v of a weight become its parameters.

    Args:
        module: the layer, which is changed and returned.
        name: the parameter, w. It is replaced by parameters `name`_g and `name`_v.
        dim: the axis that keeps its norms apart, 0 for one per output; None for one norm of all.

    Source: T. Salimans and D. Kingma, Weight normalization, arXiv:1602.07868, eq. 2.
    """
    w = _check("weight_norm", module, name, _WeightNorm)
    hook = _WeightNorm(name, dim)
    g = hook.length(w.detach())
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(g))
    module.register_parameter(f"{name}_v", Parameter(w.detach()))
    hook(module, ())
    module.register_forward_pre_hook(hook)
    return module


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """w = w_orig / s: a weight divided by its largest singular value s.

    s = u^T w v, where u and v follow the singular vectors by `n_power_iterations` steps of the
    power method in each forward of training. For gradients they are constants.

    Args:
        module: the layer, which is changed and returned.
        name: the parameter. It is replaced by a parameter `name`_orig and buffers `name`_u and
            `name`_v.
        n_power_iterations: at least 1.
        eps: the least norm that a vector is divided by.
        dim: the axis of the matrix's rows; by default 0, and 1 for transposed convolutions.

    Source: T. Miyato, T. Kataoka, M. Koyama and Y. Yoshida, Spectral normalization for generative
    adversarial networks, arXiv:1802.05957, algorithm 1.
    """
    w = _check("spectral_norm", module, name, _SpectralNorm)
    if n_power_iterations < 1:
        raise ValueError(
            f"spectral_norm: n_power_iterations is {n_power_iterations}; it must be at least 1"
        )
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    hook = _SpectralNorm(
        name, n_power_iterations, float(eps), one_axis("spectral_norm", dim, w.ndim)
    )
    with no_grad():
        matrix = hook.matrix(w.detach())
        vectors = [
            normalize(matrix.new_tensor(random.generator().normal(size=n)), dim=0, eps=eps)
            for n in matrix.shape
        ]
        for _ in range(15):  # a start near the singular vectors
            vectors[1] = normalize(matrix.t() @ vectors[0], dim=0, eps=eps)
            vectors[0] = normalize(matrix @ vectors[1], dim=0, eps=eps)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", w)
    setattr(module, name, w.detach())
    module.register_buffer(f"{name}_u", vectors[0])
    module.register_buffer(f"{name}_v", vectors[1])
    module.register_forward_pre_hook(hook)
    return module


def _remove(function: str, module: M, name: str, kind: type[_Computed], parts: str) -> M:
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and hook.name == name:
            with no_grad():
                was, module.training = module.training, False
                w = hook.weight(module).clone()
                module.training = was
            delattr(module, name)
            for part in parts.split():
                delattr(module, f"{name}_{part}")
            module.register_parameter(name, Parameter(w))
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"{function}: {name!r} of {type(module).__name__} has none")


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the weight a parameter again, with the numbers that it has now."""
    return _remove("remove_weight_norm", module, name, _WeightNorm, "g v")


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the weight a parameter again, with the numbers that it has now."""
    return _remove("remove_spectral_norm", module, name, _SpectralNorm, "orig u v")
