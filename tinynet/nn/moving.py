"""Moved: the devices and dtypes of a module's parameters and buffers."""

from __future__ import annotations

from typing import Any, TypeVar

from tinynet import backend, dtypes
from tinynet.autograd import Value

Self = TypeVar("Self", bound="Moved")


class Moved:
    """The part of `Module` that moves and converts its tensors."""

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
        module: Any = self
        for tensor in [*module.parameters(), *module.buffers()]:
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
