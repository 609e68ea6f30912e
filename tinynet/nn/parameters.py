"""ParameterList and ParameterDict: parameters that are registered, unlike those in a plain list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from tinynet.nn.module import Module
from tinynet.nn.parameter import Parameter
from tinynet.tensor import Tensor

Self = TypeVar("Self", bound="ParameterList")


def _as_parameter(owner: str, name: Any, value: Any) -> Parameter:
    if isinstance(value, Parameter):
        return value
    if isinstance(value, Tensor):
        return Parameter(value)
    raise TypeError(f"{owner}: item {name!r} is a {type(value).__name__}; it must be a Parameter")


class ParameterList(Module):
    """A list of parameters, named "0", "1", ...; a Tensor becomes a Parameter.

    Args:
        values: the initial parameters.
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def _items(self) -> list[Parameter]:
        return [value for value in vars(self).values() if isinstance(value, Parameter)]

    def append(self: Self, value: Any) -> Self:
        """Add a parameter at the end."""
        setattr(self, str(len(self)), _as_parameter("ParameterList", len(self), value))
        return self

    def extend(self: Self, values: Iterable[Any]) -> Self:
        """Add several parameters at the end."""
        for value in values:
            self.append(value)
        return self

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return ParameterList(self._items()[index])
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name(index), _as_parameter("ParameterList", index, value))

    def _name(self, index: int) -> str:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"ParameterList: index {index} is out of range for {n} parameters")
        return str(index % n)

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._items())

    def extra_repr(self) -> str:
        return ", ".join(f"{tuple(p.shape)}" for p in self)


class ParameterDict(Module):
    """Parameters by name; a Tensor becomes a Parameter.

    Args:
        parameters: the initial parameters by name; a name must not be that of a method.
    """

    def __init__(self, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def update(self, parameters: Any) -> None:
        """Add or replace parameters, from a mapping or pairs (name, parameter)."""
        for name, value in dict(parameters).items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"ParameterDict: name {name!r} must be a string")
        setattr(self, name, _as_parameter("ParameterDict", name, value))

    def __getitem__(self, name: str) -> Parameter:
        for found, parameter in self.items():
            if found == name:
                return parameter
        raise KeyError(
            f"ParameterDict: no parameter {name!r}; it has {', '.join(self) or 'none yet'}"
        )

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str) -> Parameter:
        """Remove a parameter and return it."""
        parameter = self[name]
        delattr(self, name)
        return parameter

    def items(self) -> list[tuple[str, Parameter]]:
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Parameter)]

    def keys(self) -> list[str]:
        return [name for name, _ in self.items()]

    def values(self) -> list[Parameter]:
        return [parameter for _, parameter in self.items()]

    def __len__(self) -> int:
        return len(self.items())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def extra_repr(self) -> str:
        return ", ".join(f"{name}: {tuple(p.shape)}" for name, p in self.items())
