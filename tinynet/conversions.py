"""Tensor's conversions: to other dtypes and devices, to numbers, and to new tensors like it."""

from __future__ import annotations

import builtins
import warnings
from typing import TYPE_CHECKING, Any

from tinynet import backend, dtypes
from tinynet.autograd import Value
from tinynet.functions.arguments import one_axis, shape_of
from tinynet.functions.copying import check_format
from tinynet.functions.public import function, shown
from tinynet.memory import is_contiguous
from tinynet.ops import conversion

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


class Conversions:
    """Methods of `Tensor`."""

    __slots__ = ()
    _data: Any

    # --- what it is ---

    def dim(self) -> int:
        """The number of axes."""
        return int(self._data.ndim)

    def ndimension(self) -> int:
        """The number of axes."""
        return int(self._data.ndim)

    def nelement(self) -> int:
        """The number of entries."""
        return int(self._data.size)

    def element_size(self) -> int:
        """The number of bytes of an entry."""
        return int(self._data.itemsize)

    @property
    def itemsize(self) -> int:
        """The number of bytes of an entry."""
        return int(self._data.itemsize)

    @property
    def nbytes(self) -> int:
        """The number of bytes of all entries."""
        return int(self._data.nbytes)

    @property
    def is_cuda(self) -> builtins.bool:
        """Whether it is on a GPU."""
        return backend.device_of(self._data) == "cuda"

    @property
    def is_cpu(self) -> builtins.bool:
        """Whether it is on the CPU."""
        return backend.device_of(self._data) == "cpu"

    def get_device(self) -> builtins.int:
        """The number of its GPU, 0, or -1 on the CPU."""
        return 0 if self.is_cuda else -1

    def data_ptr(self) -> builtins.int:
        """The address of the first entry."""
        return backend.address(self._data)

    def stride(self, dim: Any = None) -> Any:
        """How many entries in memory lie between neighbours along each axis, or along one."""
        steps = tuple([n // self._data.itemsize for n in self._data.strides])
        return steps if dim is None else steps[one_axis("stride", dim, len(steps))]

    def is_contiguous(self, memory_format: Any = "contiguous_format") -> bool:
        """Whether the entries lie in row-major order without gaps."""
        check_format("is_contiguous", memory_format)
        return is_contiguous(self._data)

    def contiguous(self: Any, memory_format: Any = "contiguous_format") -> Tensor:
        """The tensor itself if it is contiguous, else a copy that is."""
        check_format("contiguous", memory_format)
        return self if is_contiguous(self._data) else conversion.clone(self)

    # --- to other dtypes and devices ---

    @function
    def to(
        self: Any,
        *args: Any,
        device: Any = None,
        dtype: Any = None,
        non_blocking: Any = False,
        copy: Any = False,
        memory_format: Any = None,
    ) -> Tensor:
        """Convert to a device, a dtype, or both: ``t.to("cuda")``, ``t.to("float64")``.

        ``t.to(other)`` takes device and dtype from another tensor. The result is the tensor itself
        if nothing changes, unless `copy` is true. Gradients flow back in the dtype and on the
        device of the source.

        Args:
            args: a device, a dtype, both, or a Tensor; then `non_blocking` and `copy`.
            device: "cpu" or "cuda".
            dtype: an element type.
            non_blocking: no effect; copies to the GPU are always complete.
            copy: whether to copy even if nothing changes.
            memory_format: must change nothing.
        """
        check_format("to", memory_format)
        flags = [a for a in args if isinstance(a, builtins.bool)]
        if len(flags) > 1:
            copy = flags[1]
        for a in args:
            if isinstance(a, Value):
                device, dtype = backend.device_of(a._data), a._data.dtype
            elif isinstance(a, str) and backend.is_device(a):
                device = a
            elif a is not None and not isinstance(a, builtins.bool):
                dtype = a
        out = self
        if dtype is not None and (wanted := dtypes.as_dtype(dtype)) != self.dtype:
            if wanted.kind == "f" and self.dtype.kind == "f":
                out = conversion.cast(out, dtype=wanted, back=self.dtype)
            else:  # no gradient through integers
                out = self.result_type(_cast(self._data, wanted))
        if device is not None and (place := backend.as_device(device)) != out.device:
            out = conversion.move(out, device=place, back=out.device)
        return conversion.clone(out) if copy and out is self else out

    def cpu(self, memory_format: Any = None) -> Tensor:
        return self.to("cpu", memory_format=memory_format)

    def cuda(self, device: Any = None, non_blocking: Any = False) -> Tensor:
        return self.to(device="cuda" if device in (None, 0) else device)

    def half(self, memory_format: Any = None) -> Tensor:
        return self.to(dtypes.float16, memory_format=memory_format)

    def float(self, memory_format: Any = None) -> Tensor:
        return self.to(dtypes.float32, memory_format=memory_format)

    def double(self, memory_format: Any = None) -> Tensor:
        return self.to(dtypes.float64, memory_format=memory_format)

    def byte(self, memory_format: Any = None) -> Tensor:
        return self.to(dtypes.uint8, memory_format=memory_format)

    def char(self, memory_format: Any = None) -> Tensor:
        return self.to(dtypes.int8, memory_format=memory_format)

    def short(self, memory_format: Any = None) -> Tensor:
        return self.to(dtypes.int16, memory_format=memory_format)

    def int(self, memory_format: Any = None) -> Tensor:
        return self.to(dtypes.int32, memory_format=memory_format)

    def long(self, memory_format: Any = None) -> Tensor:
        return self.to(dtypes.int64, memory_format=memory_format)

    def bool(self, memory_format: Any = None) -> Tensor:
        return self.to(dtypes.bool_, memory_format=memory_format)

    def type(self, dtype: Any = None, non_blocking: Any = False) -> Any:
        """Convert to a dtype; without one, the name of the dtype."""
        return self.to(dtype) if dtype is not None else f"tinynet.{self._data.dtype}"

    def type_as(self, other: Tensor) -> Tensor:
        """Convert to the dtype and the device of another tensor."""
        if not isinstance(other, Value):
            raise TypeError(f"type_as: other is {shown(other)}; it must be a Tensor")
        return self.to(other)

    # --- new tensors of its dtype and on its device ---

    def _new(self: Any, name: str, size: Any, value: Any, dtype: Any, device: Any) -> Any:
        dtype = self._data.dtype if dtype is None else dtype
        device = backend.device_of(self._data) if device is None else device
        return self.result_type(backend.full_on(shape_of(name, size), value, dtype, device))

    @function
    def new_zeros(
        self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """Zeros of shape `size`."""
        out = self._new("new_zeros", size, 0, dtype, device)
        return out.requires_grad_(requires_grad)

    @function
    def new_empty(
        self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """Zeros of shape `size`, where PyTorch has whatever was in memory."""
        out = self._new("new_empty", size, 0, dtype, device)
        return out.requires_grad_(requires_grad)

    @function
    def new_ones(
        self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """Ones of shape `size`."""
        out = self._new("new_ones", size, 1, dtype, device)
        return out.requires_grad_(requires_grad)

    @function
    def new_full(
        self,
        size: Any,
        fill_value: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: Any = False,
    ) -> Tensor:
        """One number in the shape `size`."""
        out = self._new("new_full", (size,), fill_value, dtype, device)
        return out.requires_grad_(requires_grad)

    @function
    def new_tensor(
        self: Any, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """A tensor with a copy of `data`, by default in the dtype and on the device of this one."""
        dtype = self._data.dtype if dtype is None else dtypes.as_dtype(dtype)
        device = backend.device_of(self._data) if device is None else device
        array = backend.asarray(data._data if isinstance(data, Value) else data, dtype, device)
        return self.result_type(array.copy()).requires_grad_(requires_grad)


def _cast(array: Any, dtype: Any) -> Any:
    """The array in another dtype; what an integer does with NaN is as undefined as in C."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return array.astype(dtype)
