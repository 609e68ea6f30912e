"""Modules that hold modules: one after the other, or as a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from tinynet.nn.module import Module

Self = TypeVar("Self", bound="_Numbered")


class _Numbered(Module):
    """Modules in an order, under the names "0", "1", ... unless they were given others."""

    def _modules_in_order(self) -> list[tuple[str, Module]]:
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Module)]

    def append(self: Self, module: Module) -> Self:
        """Add a module at the end, named by its number (or the next that is free)."""
        if not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: item {len(self)} is a {type(module).__name__}; it must "
                "be a Module"
            )
        number = len(self)
        while str(number) in vars(self):  # a slice keeps the names that its modules had
            number += 1
        setattr(self, str(number), module)
        return self

    def extend(self: Self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def _name(self, i: int) -> str:
        names = [name for name, _ in self._modules_in_order()]
        if not -len(names) <= i < len(names):
            raise IndexError(
                f"{type(self).__name__}: index {i} is out of range for {len(names)} modules"
            )
        return names[i]

    def __getitem__(self, index: int | slice) -> Any:
        """Module number `index`, or for a slice a container of the same modules."""
        if isinstance(index, slice):
            return self._of(self._modules_in_order()[index])
        return vars(self)[self._name(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), module)

    def _of(self, modules: list[tuple[str, Module]]) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._modules_in_order())

    def __iter__(self) -> Iterator[Module]:
        return iter([module for _, module in self._modules_in_order()])


class Sequential(_Numbered):
    """y = f_n(... f_2(f_1(x))): each module is given the result of the one before.

    Args:
        modules: the modules f_1, f_2, ...; or one dict of them by name, in its order.

    A slice shares its modules with the whole, under the same names.
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                if not isinstance(module, Module):
                    raise TypeError(
                        f"Sequential: {name!r} is a {type(module).__name__}; it must be a Module"
                    )
                setattr(self, name, module)
        else:
            self.extend(modules)

    def _of(self, modules: list[tuple[str, Module]]) -> Sequential:
        return Sequential(dict(modules))

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list whose modules are registered; those in a plain list would not be found.

    Args:
        modules: what it holds at first.

    A slice is a new list, numbered from 0.
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def _of(self, modules: list[tuple[str, Module]]) -> ModuleList:
        return ModuleList([module for _, module in modules])
