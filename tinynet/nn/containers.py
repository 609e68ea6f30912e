"""Modules that contain modules: Sequential, ModuleList and ModuleDict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from tinynet.nn.module import Module

Self = TypeVar("Self", bound="_Container")


class _Container(Module):
    """Ordered modules, named "0", "1", ... by default."""

    def _items(self) -> list[tuple[str, Module]]:
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Module)]

    def _add(self, name: str, module: Module) -> None:
        if not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: item {name} is a {type(module).__name__}; it must be a "
                "Module"
            )
        setattr(self, name, module)

    def append(self: Self, module: Module) -> Self:
        """Add a module at the end, named by its index (or the next free number)."""
        number = len(self)
        while str(number) in vars(self):  # a slice keeps the names of its modules
            number += 1
        self._add(str(number), module)
        return self

    def extend(self: Self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def _name(self, i: int) -> str:
        names = [name for name, _ in self._items()]
        if not -len(names) <= i < len(names):
            raise IndexError(
                f"{type(self).__name__}: index {i} is out of range for {len(names)} modules"
            )
        return names[i]

    def __getitem__(self, index: int | slice) -> Any:
        """The module at `index`, or for a slice a container that shares the modules."""
        if isinstance(index, slice):
            return self._subset(self._items()[index])
        return vars(self)[self._name(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        self._add(self._name(index), module)

    def _place(self: Self, modules: list[Module]) -> Self:
        """Hold these modules, named by their positions."""
        for name, _ in self._items():
            delattr(self, name)
        for i, module in enumerate(modules):
            self._add(str(i), module)
        return self

    def __delitem__(self, index: int | slice) -> None:
        """Remove; the modules that are left are numbered anew."""
        modules = list(self)
        del modules[index]
        self._place(modules)

    def insert(self, index: int, module: Module) -> None:
        """Put a module before position `index`; those behind it are numbered anew."""
        modules = list(self)
        modules.insert(index, module)
        self._place(modules)

    def pop(self, index: int = -1) -> Module:
        """Remove a module and return it."""
        module: Module = self[index]
        del self[index]
        return module

    def _subset(self, modules: list[tuple[str, Module]]) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator[Module]:
        return iter([module for _, module in self._items()])


class Sequential(_Container):
    """y = f_n(... f_2(f_1(x))): each module receives the output of the previous one.

    Args:
        modules: the modules f_1, f_2, ..., or one dict of modules by name.

    A slice shares its modules with the original, under the same names.
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self._add(name, module)
        else:
            self.extend(modules)

    def _subset(self, modules: list[tuple[str, Module]]) -> Sequential:
        return Sequential(dict(modules))

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class ModuleList(_Container):
    """A list whose modules are registered, unlike those in a plain list.

    Args:
        modules: the initial modules.

    A slice is a new list, numbered from 0.
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def _subset(self, modules: list[tuple[str, Module]]) -> ModuleList:
        return ModuleList([module for _, module in modules])


class ModuleDict(Module):
    """A dict whose modules are registered, unlike those in a plain dict.

    Args:
        modules: the initial modules by name; a name must not be that of a method.
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Any) -> None:
        """Add or replace modules, from a mapping or pairs (name, module)."""
        for name, module in dict(modules).items():
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        if not isinstance(name, str) or not isinstance(module, Module):
            raise TypeError(
                f"ModuleDict: item {name!r} is a {type(module).__name__}; names must be strings "
                "and items Modules"
            )
        setattr(self, name, module)

    def __getitem__(self, name: str) -> Module:
        for found, module in self.items():
            if found == name:
                return module
        raise KeyError(f"ModuleDict: no module {name!r}; it has {', '.join(self) or 'none yet'}")

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str) -> Module:
        """Remove a module and return it."""
        module = self[name]
        delattr(self, name)
        return module

    def clear(self) -> None:
        """Remove all modules."""
        for name in self.keys():
            delattr(self, name)

    def items(self) -> list[tuple[str, Module]]:
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Module)]

    def keys(self) -> list[str]:
        return [name for name, _ in self.items()]

    def values(self) -> list[Module]:
        return [module for _, module in self.items()]

    def __len__(self) -> int:
        return len(self.items())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()
