"""Module: a container for named parameters, buffers and submodules.

They are ordinary attributes of the module, found by their type::

    class Net(Module):
        def __init__(self):
            super().__init__()
            self.fc = Linear(4, 2)                       # a submodule
            self.scale = Parameter(tn.ones(2))           # a parameter: learnt, saved, moved
            self.register_buffer("seen", tn.zeros(2))    # a buffer: saved and moved, not learnt
            self.hidden = tn.zeros(2)                    # a plain attribute: none of these

`state_dict` has PyTorch's names, order and shapes, so weights can be exchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from tinynet import backend, dtypes
from tinynet.autograd import Value, modes
from tinynet.nn.hooks import HOOKS, Hooked
from tinynet.nn.parameter import Parameter
from tinynet.nn.state import IncompatibleKeys, assign_arrays, load_arrays
from tinynet.tensor import Tensor

Self = TypeVar("Self", bound="Module")
T = TypeVar("T")


def _distinct(named: Iterable[tuple[str, T]], wanted: bool = True) -> Iterator[tuple[str, T]]:
    """The (name, object) pairs without repeated objects, if that is `wanted`."""
    seen = set()  # of identities, because == on tensors compares entries
    for name, a in named:
        if not wanted or id(a) not in seen:
            seen.add(id(a))
            yield name, a


class Module(Hooked):
    """Base class of all layers and networks: define `forward`, call the module.

    Attributes:
        training: True until `eval` is called; dropout and batch normalisation depend on it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.training = True
        # for each buffer whether it is part of the state_dict
        self._persistent: dict[str, bool] = {}

    # --- attributes ---

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter | Module) or name in vars(self):
            self._check_assignment(name, value)
        if isinstance(value, backend.generic):  # an option, which would promote float32
            value = value.item()
        super().__setattr__(name, value)

    def _check_assignment(self, name: str, value: Any) -> None:
        attributes, here = vars(self), type(self).__name__
        registered = isinstance(value, Parameter | Module)
        if registered and "_persistent" not in attributes:
            raise AttributeError(
                f"{here}: call super().__init__() in __init__ before assigning the "
                f"{type(value).__name__} {name!r}"
            )
        if registered and ("." in name or not name):
            raise ValueError(f"{here}: the name {name!r} must not be empty or contain a dot")
        if registered and callable(getattr(type(self), name, None)):
            raise AttributeError(f"{here}: {name!r} is the name of a method; choose another")
        old, kinds = attributes.get(name), (Parameter, Module)
        kind: type | None = next((k for k in kinds if isinstance(old, k)), None)
        if kind is None and name in attributes.get("_persistent", ()):
            kind = Tensor
        # a plain tensor in place of a parameter would silently not be trained
        if kind is not None and value is not None and not isinstance(value, kind):
            raise TypeError(
                f"{here}: {name!r} is a {kind.__name__.lower()}; it can be replaced by a "
                f"{kind.__name__} or None, not by a {type(value).__name__}"
            )
        if registered:
            attributes["_persistent"].pop(name, None)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._persistent.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        # called only for missing attributes; must not access attributes that may be missing
        here = type(self).__name__
        if name in ("_persistent", "training", *HOOKS):
            text = f"{here}: call super().__init__() at the start of __init__"
        else:
            names = [n for n, v in vars(self).items() if isinstance(v, Value | Module)]
            text = f"{here} has no attribute {name!r}; it has {', '.join(names) or 'none yet'}"
        raise AttributeError(text, name=name, obj=self)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a buffer: a tensor that is saved and moved with the parameters but not learnt.

        Args:
            name: the name of the attribute, not yet in use.
            tensor: its value, or None for no buffer, as in PyTorch.
            persistent: whether it is part of the state_dict.

        Raises:
            TypeError: unless `tensor` is a Tensor (not a Parameter) or None.
            ValueError: if the name is empty, contains a dot, or is in use.
        """
        here = type(self).__name__
        if tensor is not None and (not isinstance(tensor, Tensor) or isinstance(tensor, Parameter)):
            raise TypeError(
                f"{here}: buffer {name!r} must be a Tensor or None, not a {type(tensor).__name__}"
            )
        if "." in name or not name:
            raise ValueError(f"{here}: the name {name!r} must not be empty or contain a dot")
        if name not in self._persistent and hasattr(self, name):
            raise ValueError(f"{here}: buffer {name!r} would hide an existing attribute")
        self._persistent[name] = persistent
        setattr(self, name, tensor)

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Set ``self.<name> = parameter``, for a computed name."""
        if parameter is not None and not isinstance(parameter, Parameter):
            raise TypeError(
                f"{type(self).__name__}: parameter {name!r} must be a Parameter or None, not a "
                f"{type(parameter).__name__}"
            )
        setattr(self, name, parameter)

    def add_module(self, name: str, module: Module | None) -> None:
        """Set ``self.<name> = module``, for a computed name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: module {name!r} must be a Module or None, not a "
                f"{type(module).__name__}"
            )
        setattr(self, name, module)

    register_module = add_module

    # --- parameters, buffers and submodules ---

    def _own(self, persistent_only: bool = False) -> Iterator[tuple[str, Tensor]]:
        """The module's own parameters, in the order of assignment, then its own buffers."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield name, value
        for name, persistent in self._persistent.items():
            value = vars(self).get(name)
            if value is not None and (persistent or not persistent_only):
                yield name, value

    def _walk(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """(prefix, module) for itself and all submodules, parents first, once per path."""
        yield prefix, self
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield from value._walk(f"{prefix}{name}.")

    def named_modules(
        self, memo: Any = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(name, module) for itself, named "", and all submodules, each once.

        `memo` exists for compatibility with PyTorch and has no effect.
        """
        walk = ((path[:-1], m) for path, m in self._walk(prefix and f"{prefix}."))
        return _distinct(walk, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) for the direct submodules, each once."""
        return _distinct((name, m) for name, m in vars(self).items() if isinstance(m, Module))

    def children(self) -> Iterator[Module]:
        return (module for _, module in self.named_children())

    def _named(
        self, learnt: bool, prefix: str, recurse: bool, distinct: bool
    ) -> Iterator[tuple[str, Tensor]]:
        prefix = prefix and f"{prefix}."
        walk = self._walk(prefix) if recurse else [(prefix, self)]
        named = (
            (path + name, tensor)
            for path, module in walk
            for name, tensor in module._own()
            if isinstance(tensor, Parameter) == learnt
        )
        return _distinct(named, distinct)

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(name, parameter) for each parameter; a shared one comes once, under its first name."""
        return self._named(True, prefix, recurse, remove_duplicate)  # type: ignore[return-value]

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, for an optimizer; a shared one comes once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(name, buffer) for each buffer, including those that are not persistent."""
        return self._named(False, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _find(self, path: str, kind: type[T]) -> T:
        """What the dotted name leads to, which must be of this kind."""
        found: Any = self
        for name in path.split(".") if path else ():
            children = vars(found) if isinstance(found, Module) else {}
            if name not in children:
                raise AttributeError(
                    f"{type(self).__name__}: no {kind.__name__.lower()} {path!r}; "
                    f"{type(found).__name__} has no {name!r}"
                )
            found = children[name]
        if not isinstance(found, kind):
            raise AttributeError(
                f"{type(self).__name__}: {path!r} is a {type(found).__name__}, not a "
                f"{kind.__name__}"
            )
        return found

    def get_submodule(self, target: str) -> Module:
        """The submodule with a dotted name, such as "body.0"; "" is the module itself."""
        return self._find(target, Module)

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module in the place of the one with a dotted name.

        Args:
            target: the name, such as "body.0".
            module: the new module.
            strict: whether a module of that name must exist already.
        """
        path, _, name = target.rpartition(".")
        if strict or path:
            self._find(target if strict else path, Module)
        if not name or not isinstance(module, Module):
            raise ValueError(
                f"{type(self).__name__}: set_submodule needs a name and a Module, not {target!r} "
                f"and a {type(module).__name__}"
            )
        self._find(path, Module).add_module(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name, such as "body.0.weight"."""
        return self._find(target, Parameter)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a dotted name, such as "norm.running_mean"."""
        path, _, name = target.rpartition(".")
        if name not in self._find(path, Module)._persistent:
            raise AttributeError(f"{type(self).__name__}: no buffer {target!r}")
        return self._find(target, Tensor)

    # --- saving and loading ---

    def _state(self) -> dict[str, Tensor]:
        return {
            path + name: tensor
            for path, module in self._walk()
            for name, tensor in module._own(persistent_only=True)
        }

    def state_dict(
        self,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """Copies of all parameters and persistent buffers by name, as C-ordered NumPy arrays.

        They are NumPy arrays on any device, so that a file of them can be read anywhere. A shared
        parameter has an entry for each of its names, as in PyTorch.

        Args:
            destination: a dict to add them to; by default a new one.
            prefix: put before each name.
            keep_vars: give the parameters and buffers themselves instead of copies.
        """
        state = {} if destination is None else destination
        for name, t in self._state().items():
            state[prefix + name] = t if keep_vars else backend.to_numpy(t._data).copy()
        return state

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy arrays into parameters and buffers, which keep their identity, dtype and device.

        Args:
            state_dict: by name, arrays, Tensors, or objects with ``numpy()`` or ``__array__``, such
                as the state_dict of a PyTorch model.
            strict: whether missing and unexpected names are errors; if not, the common names are
                loaded. Shapes must be equal in either case.
            assign: put new parameters and buffers in their places instead, with the dtype and
                device of what is given. An optimizer must be made afterwards.

        Returns:
            (missing_keys, unexpected_keys), both empty if strict.

        Raises:
            ValueError: if names or shapes do not fit; the message lists all of them, and nothing
                is loaded.
        """
        name, tensors = type(self).__name__, self._state()
        if assign:
            return assign_arrays(name, tensors, state_dict, strict, self._replace)
        return load_arrays(name, tensors, state_dict, strict)

    def _replace(self, target: str, tensor: Tensor) -> None:
        path, _, name = target.rpartition(".")
        setattr(self._find(path, Module), name, tensor)

    # --- modes, devices, dtypes ---

    def train(self: Self, mode: bool = True) -> Self:
        """Set training mode (or, with False, evaluation mode) here and in all submodules."""
        if not isinstance(mode, bool):
            raise TypeError(f"train: mode is {mode!r}; it must be True or False")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Set evaluation mode: no dropout, batch normalisation with running statistics."""
        return self.train(False)

    def to(
        self: Self, *args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False
    ) -> Self:
        """Move to a device ("cpu", "cuda"), convert to a float dtype, or both, in place.

        ``m.to(tensor)`` takes both from a tensor. `non_blocking` changes nothing.

        Parameters stay the same objects with new arrays, so an existing optimizer stays valid.
        Gradients are converted too; integer buffers keep their dtype.

        Raises:
            TypeError: if the dtype is not a float type.
            DeviceError: for "cuda" if it is unavailable.
        """
        for a in args:
            if isinstance(a, Value):
                device, dtype = backend.device_of(a._data), a._data.dtype
            elif isinstance(a, str) and backend.is_device(a):
                device = a
            elif a is not None and not isinstance(a, bool):  # non_blocking, by position
                dtype = a
        device = None if device is None else backend.as_device(device)
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

    def cuda(self: Self, device: Any = None) -> Self:
        return self.to("cuda" if device in (None, 0) else device)

    def float(self: Self) -> Self:
        return self.to(dtypes.float32)

    def double(self: Self) -> Self:
        return self.to(dtypes.float64)

    def half(self: Self) -> Self:
        return self.to("float16")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set `grad` of all parameters to None, or to 0."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad.detach().zero_()

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Set whether all parameters require a gradient; False freezes them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every submodule, then on itself, e.g. to initialise weights."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # --- running ---

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        _, watcher = modes()
        if watcher is not None:
            return watcher.module(self, args, kwargs)
        if (
            self._forward_pre_hooks
            or self._forward_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
        ):
            return self._run(args, kwargs)
        return self.forward(*args, **kwargs)

    def extra_repr(self) -> str:
        """The options of a layer, shown by `repr`."""
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
