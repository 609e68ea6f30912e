"""Module: what holds parameters, buffers and other modules under their names.

A module's parameters, buffers and submodules are ordinary attributes of it, found by their type::

    class Net(Module):
        def __init__(self):
            super().__init__()
            self.fc = Linear(4, 2)                       # a submodule
            self.scale = Parameter(tn.ones(2))           # a parameter: learnt, saved, moved
            self.register_buffer("seen", tn.zeros(2))    # a buffer: saved and moved, not learnt
            self.hidden = tn.zeros(2)                    # a plain attribute: none of these

Names, order and shapes in `state_dict` are PyTorch's, so that weights move between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from tinynet import backend, dtypes
from tinynet.autograd import Value, modes
from tinynet.nn.hooks import Hook, Hooks, RemovableHandle
from tinynet.nn.parameter import Parameter
from tinynet.nn.state import IncompatibleKeys, load_arrays
from tinynet.tensor import Tensor

Self = TypeVar("Self", bound="Module")


class Module:
    """Base of all layers and networks: define `forward`, call the module.

    Attributes:
        training: True until `eval` is called; dropout and batch normalisation look at it.
    """

    def __init__(self) -> None:
        self.training = True
        # the names of the buffers, and whether each is part of the state_dict
        self._persistent: dict[str, bool] = {}
        self._forward_pre_hooks: Hooks = {}
        self._forward_hooks: Hooks = {}

    # --- attributes ---

    def __setattr__(self, name: str, value: Any) -> None:
        mine = vars(self)
        if isinstance(value, Parameter | Module) or name in mine:
            self._check_assignment(name, value)
        super().__setattr__(name, value)

    def _check_assignment(self, name: str, value: Any) -> None:
        mine, here = vars(self), type(self).__name__
        if "_persistent" not in mine and isinstance(value, Parameter | Module):
            raise AttributeError(
                f"{here}: call super().__init__() in __init__ before assigning the "
                f"{type(value).__name__} {name!r}"
            )
        if isinstance(value, Parameter | Module) and ("." in name or not name):
            raise ValueError(f"{here}: the name {name!r} must not be empty or contain a dot")
        if isinstance(value, Parameter | Module) and callable(getattr(type(self), name, None)):
            raise AttributeError(f"{here}: the name {name!r} is a method's; choose another")
        old = mine.get(name)
        kind: type | None = None
        if isinstance(old, Parameter | Module):
            kind = Parameter if isinstance(old, Parameter) else Module
        elif name in mine.get("_persistent", ()):
            kind = Tensor
        # A plain tensor put over a parameter would train on with nothing learnt, unnoticed.
        if kind is not None and value is not None and not isinstance(value, kind):
            raise TypeError(
                f"{here}: {name!r} is a {kind.__name__.lower()}; it can be replaced by a "
                f"{kind.__name__} or None, not by a {type(value).__name__}"
            )
        if isinstance(value, Parameter | Module):
            mine["_persistent"].pop(name, None)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._persistent.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        # only called for what is not there; must not ask for attributes itself
        here = type(self).__name__
        if name in ("_persistent", "training", "_forward_pre_hooks", "_forward_hooks"):
            text = f"{here}: call super().__init__() first thing in __init__"
        else:
            names = [n for n, v in vars(self).items() if isinstance(v, Value | Module)]
            text = f"{here} has no attribute {name!r}; it has {', '.join(names) or 'none yet'}"
        raise AttributeError(text, name=name, obj=self)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make `tensor` an attribute that is saved and moved with the parameters, but not learnt.

        Args:
            name: the attribute; must be free.
            tensor: its value; None for a buffer that is left out, as in PyTorch.
            persistent: whether it is part of the state_dict.
        """
        here = type(self).__name__
        if tensor is not None and (not isinstance(tensor, Tensor) or isinstance(tensor, Parameter)):
            raise TypeError(
                f"{here}: buffer {name!r} must be a Tensor or None, not a {type(tensor).__name__}"
            )
        if "." in name or not name:
            raise ValueError(f"{here}: the name {name!r} must not be empty or contain a dot")
        if name not in self._persistent and hasattr(self, name):
            raise ValueError(f"{here}: buffer {name!r} would hide the attribute of that name")
        self._persistent[name] = persistent
        setattr(self, name, tensor)

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """``self.name = parameter`` for a name that is computed."""
        if parameter is not None and not isinstance(parameter, Parameter):
            raise TypeError(
                f"{type(self).__name__}: parameter {name!r} must be a Parameter or None, not a "
                f"{type(parameter).__name__}"
            )
        setattr(self, name, parameter)

    # --- what it holds ---

    def _own(self, persistent_only: bool = False) -> Iterator[tuple[str, Tensor]]:
        """Its own parameters in the order of their assignment, then its own buffers."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield name, value
        for name, persistent in self._persistent.items():
            value = vars(self).get(name)
            if value is not None and (persistent or not persistent_only):
                yield name, value

    def _walk(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Itself and all modules below with the prefix of their names, parents first.

        A module that can be reached by two names comes twice.
        """
        yield prefix, self
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield from value._walk(f"{prefix}{name}.")

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Itself, under the empty name, and all modules below, each once."""
        seen = set()
        for name, module in self._walk(prefix and f"{prefix}."):
            if id(module) not in seen:
                seen.add(id(module))
                yield name[:-1], module

    def modules(self) -> Iterator[Module]:
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules right below, each once."""
        seen = set()
        for name, value in vars(self).items():
            if isinstance(value, Module) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Module]:
        return (module for _, module in self.named_children())

    def _named(self, learnt: bool, prefix: str, recurse: bool) -> Iterator[tuple[str, Tensor]]:
        seen: set[int] = set()  # of identities: == on tensors compares their entries
        for path, module in (
            self._walk(prefix and f"{prefix}.") if recurse else [(prefix and f"{prefix}.", self)]
        ):
            for name, tensor in module._own():
                if isinstance(tensor, Parameter) == learnt and id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield path + name, tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(name, parameter); one that is used in two places comes once, under its first name."""
        return self._named(True, prefix, recurse)  # type: ignore[return-value]

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """What an optimizer is given: each parameter once, also one that is used in two places."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """(name, buffer), each once, those that are not persistent too."""
        return self._named(False, prefix, recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    # --- saving and loading ---

    def _state(self) -> dict[str, Tensor]:
        return {
            path + name: tensor
            for path, module in self._walk()
            for name, tensor in module._own(persistent_only=True)
        }

    def state_dict(self) -> dict[str, Any]:
        """Copies of all parameters and persistent buffers by name: C-ordered NumPy arrays.

        They are NumPy's whatever the device, so that a file written from them opens anywhere.
        Tied parameters come under each of their names, as in PyTorch.
        """
        return {name: backend.to_numpy(t._data).copy() for name, t in self._state().items()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy arrays into parameters and buffers, which keep their identity, dtype and device.

        Args:
            state: by name: arrays, Tensors, or whatever has ``numpy()`` or ``__array__``, such as
                the state_dict of a PyTorch model.
            strict: whether names that are missing or too many are errors; if not, what fits is
                loaded, and shapes must still be equal.

        Returns:
            (missing_keys, unexpected_keys), both empty if strict.

        Raises:
            ValueError: with all missing, unexpected and mismatched names (and both shapes) in one
                message; nothing has been loaded then.
        """
        return load_arrays(type(self).__name__, self._state(), state, strict)

    # --- modes, devices, dtypes ---

    def train(self: Self, mode: bool = True) -> Self:
        """Training mode (or, with False, evaluation mode), here and in all modules below."""
        if not isinstance(mode, bool):
            raise TypeError(f"train: mode is {mode!r}; it must be True or False")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Evaluation mode: no dropout, and batch normalisation by the running statistics."""
        return self.train(False)

    def to(self: Self, *args: Any, device: str | None = None, dtype: Any = None) -> Self:
        """Move to a device ("cpu", "cuda"), convert to a float dtype, or both; in place.

        Parameters stay the same objects with new arrays, so an optimizer built before goes on
        with them. Gradients go along; buffers of integers keep their dtype.

        Raises:
            TypeError: for a dtype that is no float.
            DeviceError: for "cuda" where there is none.
        """
        for a in args:
            if isinstance(a, str) and a in ("cpu", "cuda"):
                device = a
            else:
                dtype = a
        dtype = None if dtype is None else dtypes.as_dtype(dtype)
        if dtype is not None and dtype.kind != "f":
            raise TypeError(f"{type(self).__name__}.to: dtype is {dtype}; it must be a float type")
        for tensor in [*self.parameters(), *self.buffers()]:
            for t in (tensor, tensor.grad):
                if t is None:
                    continue
                array = backend.asarray(t._data, dtype if t.dtype.kind == "f" else None, device)
                if array is not t._data:
                    t.data = array
        return self

    def cpu(self: Self) -> Self:
        return self.to("cpu")

    def cuda(self: Self) -> Self:
        return self.to("cuda")

    def float(self: Self) -> Self:
        return self.to(dtypes.float32)

    def double(self: Self) -> Self:
        return self.to(dtypes.float64)

    def zero_grad(self) -> None:
        """Forget all gradients: `grad` is None until the next backward."""
        for parameter in self.parameters():
            parameter.grad = None

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Have all parameters learnt, or none (frozen)."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module below, then on itself: to initialise, to change options."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # --- running and showing ---

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        _, watcher = modes()
        if watcher is not None:
            return watcher.module(self, args, kwargs)
        return self._run(args, kwargs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The hooks and the forward."""
        # tuples: a hook may remove itself
        for hook in tuple(self._forward_pre_hooks.values()):
            changed = hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for hook in tuple(self._forward_hooks.values()):
            changed = hook(self, args, output)
            if changed is not None:
                output = changed
        return output

    def register_forward_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(module, args)`` called before each forward, after those there already.

        `args` is the tuple of positional arguments. What the hook returns, if not None, takes
        their place; one value stands for a tuple of it. The handle's `remove` takes it off.
        """
        return RemovableHandle(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(module, args, output)`` called after each forward, after those there already.

        What it returns, if not None, takes the place of the output. ``module.forward(x)`` instead
        of ``module(x)`` leaves hooks out. The handle's `remove` takes it off.
        """
        return RemovableHandle(self._forward_hooks, hook)

    def extra_repr(self) -> str:
        """What `repr` says in the brackets: the options of a layer."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = [
            f"({name}): {value!r}".replace("\n", "\n  ")
            for name, value in vars(self).items()
            if isinstance(value, Module)
        ]
        if not lines:
            return f"{type(self).__name__}({extra})"
        inside = "".join(f"\n  {line}" for line in [extra, *lines] if line)
        return f"{type(self).__name__}({inside}\n)"
