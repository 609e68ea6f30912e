"""The Tensor: an array that remembers how it was computed.

Operators and methods call an operation of `tinynet.ops`, most in one line; names and signatures
are PyTorch's. No method is attached elsewhere.
"""

from __future__ import annotations

import math
import operator
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from tinynet import autograd, backend, dtypes
from tinynet.autograd import Value, guards
from tinynet.autograd.modes import modes
from tinynet.autograd.versions import increment_version
from tinynet.ops import (
    arithmetic,
    conversion,
    elementary,
    indexing,
    linalg,
    reduction,
    shape,
    softmax,
)
from tinynet.ops.broadcast import expand
from tinynet.ops.reduction import Dim

Operand = Any  # a Tensor, an array or a number


def _dims(given: tuple[Any, ...]) -> tuple[int, ...]:
    """``(2, 3)`` from both ``f(2, 3)`` and ``f((2, 3))``."""
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], Sequence) else given


class Tensor(Value):
    """An array with gradients; create one with `tinynet.tensor`.

    Attributes:
        data: the NumPy or CuPy array itself. Setting it, also by ``t.data += ...``, counts as a
            change in place: a backward that still needs the old numbers raises. Changes of the
            array itself, such as ``t.data[0] = 1``, are not detected.
        grad: the gradient accumulated by `backward`, a Tensor, or None.
        grad_fn: the node that computed this tensor, None for a leaf.
        requires_grad: whether operations on it are recorded; set it with `requires_grad_`.
    """

    __slots__ = ()

    # makes ndarray * Tensor call Tensor.__rmul__; NumPy would otherwise iterate over the Tensor
    __array_ufunc__ = None
    # == compares entry by entry, so sets and dicts need identity
    __hash__ = object.__hash__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(
            "a Tensor is not converted to a NumPy array implicitly, since gradients would be lost; "
            "call .numpy() (after .detach() if it requires a gradient)"
        )

    # --- attributes ---

    @property
    def data(self) -> Any:
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        array = value._data if isinstance(value, Value) else backend.as_array(value)
        if not backend.is_array(array):
            raise TypeError(f"data is a {type(value).__name__}; it must be an array or tensor")
        self._data = array
        increment_version(self)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._data.shape)

    @property
    def dtype(self) -> Any:
        return self._data.dtype

    @property
    def ndim(self) -> int:
        return int(self._data.ndim)

    @property
    def device(self) -> str:
        return backend.device_of(self._data)

    @property
    def is_leaf(self) -> bool:
        """Whether it has no `grad_fn`: created by the user, or computed without recording."""
        return self.grad_fn is None

    def numel(self) -> int:
        return int(self._data.size)

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len: a tensor of shape () has no axis to count along")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.unbind() if len(self) else ())

    def __contains__(self, number: Any) -> bool:
        return bool((self._data == number).any())

    def __repr__(self) -> str:
        array = backend.to_numpy(self._data)
        numbers = backend.format_array(array, indent=len("tensor("))
        end = "" if array.dtype.name in ("float32", "int64", "bool") else f", dtype={array.dtype}"
        end += "" if self.device == "cpu" else f", device='{self.device}'"
        if self.grad_fn is not None:
            end += f", grad_fn={self.grad_fn.op.name}"
        elif self.requires_grad:
            end += ", requires_grad=True"
        return f"tensor({numbers}{end})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    # --- out of the graph ---

    def item(self) -> Any:
        """The only entry of the tensor, as a Python number.

        Raises:
            ValueError: unless the tensor has exactly one entry.
        """
        if self._data.size != 1:
            raise ValueError(f"item: shape {self.shape} holds {self._data.size} numbers, not one")
        return self._data.item()

    def tolist(self) -> Any:
        return self._data.tolist()

    def numpy(self) -> Any:
        """The tensor as a NumPy array, which shares its memory if it is on the CPU.

        Raises:
            RuntimeError: if it requires a gradient, since operations on the array are not recorded.
        """
        if self.requires_grad:
            raise RuntimeError("numpy: the tensor requires a gradient; call .detach().numpy()")
        return backend.to_numpy(self._data)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise ValueError(f"bool: shape {self.shape} has no truth value; use .any() or .all()")
        return bool(self.item())

    def __index__(self) -> int:
        if self._data.dtype.kind not in "iu" or self._data.size != 1:
            raise TypeError(f"index: a {self.dtype} tensor of shape {self.shape} is not an integer")
        return int(self.item())

    def detach(self) -> Tensor:
        """A tensor outside the graph that shares memory with this one."""
        return self.alias()  # type: ignore[return-value]

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.grad_fn is not None:
            raise RuntimeError("deepcopy: only leaves can be deep-copied; call .detach() first")
        out = type(self)(self._data.copy(), self.requires_grad)
        out.grad = None if self.grad is None else self.grad.__deepcopy__(memo)
        memo[id(self)] = out
        return out

    def __reduce__(self) -> Any:
        """Pickle as a leaf with a NumPy array, without the graph and readable without a GPU."""
        return _rebuild, (type(self), backend.to_numpy(self._data), self.requires_grad)

    # --- gradients ---

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        """Add d(sum of gradient * self)/d(leaf) to the `grad` of every leaf it was computed from.

        Args:
            gradient: a tensor of the same shape; defaults to 1 for a single number.
            retain_graph: keep the graph, to walk it again; defaults to `create_graph`.
            create_graph: record the walk itself, so that gradients can be differentiated.

        Raises:
            RuntimeError: if the tensor has no graph, if it has more than one number and `gradient`
                is missing, if the graph was freed, or if a value it needs was changed in place.
            ValueError: if `gradient` has another shape.
        """
        autograd.backward(self, gradient, retain_graph, create_graph)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set whether operations on this leaf are recorded, and return it.

        Raises:
            TypeError: if the tensor has no floating-point dtype.
            RuntimeError: if a computed tensor is set to False.
        """
        if requires_grad and self.dtype.kind != "f":
            raise TypeError(
                f"requires_grad: a tensor of {self.dtype} has no gradient; convert it with .float()"
            )
        if self.grad_fn is not None and not requires_grad:
            raise RuntimeError("requires_grad_: only leaves can be set to False; use .detach()")
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Make `backward` set `grad` on this tensor too, although it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad: the tensor does not require a gradient")
        if self.grad_fn is not None:
            retained = self.grad_fn.retained = self.grad_fn.retained or {}
            retained[self.output_nr] = weakref.ref(self)

    # --- changes in place: of data, and of leaves under no_grad ---

    def _writable(self, name: str) -> Any:
        """The array, marked as changed; raises if the change would have to be recorded."""
        if self.requires_grad and (modes()[0] or self.grad_fn is not None):
            raise RuntimeError(
                f"{name}: a tensor that requires a gradient cannot be changed in place; build a "
                "new one with tinynet.where, cat or functional.pad, or change a leaf inside "
                "tinynet.no_grad()"
            )
        increment_version(self)
        return self._data

    def _plain(self, name: str, other: Any) -> Any:
        if isinstance(other, Value):
            return other._data
        return guards.operand(name, other)

    def _assigned(self, name: str, other: Any) -> Any:
        """`other` as `_plain`; raises if its gradient would be lost."""
        if isinstance(other, Value) and other.requires_grad and modes()[0]:
            raise RuntimeError(
                f"{name}: the value requires a gradient, which a change in place does not record; "
                "collect the pieces and join them with tinynet.stack or cat, or give value.detach()"
            )
        return self._plain(name, other)

    def __setitem__(self, index: Any, value: Any) -> None:
        value = self._assigned("item assignment", value)
        self._writable("item assignment")[indexing.plain_index(index, self._data)] = value

    def copy_(self, other: Any) -> Tensor:
        other = self._assigned("copy_", other)
        self._writable("copy_")[...] = other
        return self

    def fill_(self, value: float) -> Tensor:
        return self.copy_(value)

    def zero_(self) -> Tensor:
        return self.copy_(0)

    def _change(self, name: str, function: Any, other: Any, alpha: float = 1) -> Tensor:
        other = self._assigned(name, other)
        other = other if alpha == 1 else other * alpha
        array = self._writable(name)
        try:
            function(array, other)
        except ValueError:
            raise ValueError(
                f"{name}: shape {other.shape} does not broadcast to {self.shape}, and a change in "
                "place cannot enlarge a tensor; compute a new one"
            ) from None
        return self

    def add_(self, other: Any, *, alpha: float = 1) -> Tensor:
        return self._change("add_", operator.iadd, other, alpha)

    def sub_(self, other: Any, *, alpha: float = 1) -> Tensor:
        return self.add_(other, alpha=-alpha)

    def mul_(self, other: Any) -> Tensor:
        return self._change("mul_", operator.imul, other)

    def div_(self, other: Any) -> Tensor:
        return self._change("div_", operator.itruediv, other)

    # x += y changes x in place if nothing has to be recorded; otherwise it is x = x + y, with the
    # same gradients. A leaf that requires a gradient raises, as in add_.

    def _recorded(self, other: Any) -> bool:
        tracked = isinstance(other, Value) and other.requires_grad and modes()[0]
        return self.grad_fn is not None or tracked

    def __iadd__(self, other: Operand) -> Tensor:
        return self + other if self._recorded(other) else self.add_(other)

    def __isub__(self, other: Operand) -> Tensor:
        return self - other if self._recorded(other) else self.sub_(other)

    def __imul__(self, other: Operand) -> Tensor:
        return self * other if self._recorded(other) else self.mul_(other)

    def __itruediv__(self, other: Operand) -> Tensor:
        return self / other if self._recorded(other) else self.div_(other)

    # --- conversion ---

    def to(self, *args: Any, device: str | None = None, dtype: Any = None) -> Tensor:
        """Convert to a device, a dtype, or both: ``t.to("cuda")``, ``t.to("float64")``.

        ``t.to(other)`` takes device and dtype from another tensor. The result is the tensor itself
        if nothing changes. Gradients flow back in the dtype and on the device of the source.
        """
        for a in args:
            if isinstance(a, Value):
                device, dtype = backend.device_of(a._data), a._data.dtype
            elif isinstance(a, str) and a in ("cpu", "cuda"):
                device = a
            else:
                dtype = a
        out = self
        if dtype is not None and dtypes.as_dtype(dtype) != self.dtype:
            wanted = dtypes.as_dtype(dtype)
            if wanted.kind == "f" and self.dtype.kind == "f":
                out = conversion.cast(out, dtype=wanted, back=self.dtype)
            else:
                out = Tensor(self._data.astype(wanted))  # no gradient through integers
        if device is not None and device != out.device:
            out = conversion.move(out, device=device, back=out.device)
        return out

    def cpu(self) -> Tensor:
        return self.to("cpu")

    def cuda(self) -> Tensor:
        return self.to("cuda")

    def float(self) -> Tensor:
        return self.to(dtypes.float32)

    def double(self) -> Tensor:
        return self.to(dtypes.float64)

    def long(self) -> Tensor:
        return self.to(dtypes.int64)

    def clone(self) -> Tensor:
        return conversion.clone(self)

    # --- arithmetic ---

    def __add__(self, other: Operand) -> Tensor:
        return arithmetic.add(self, other)

    def __radd__(self, other: Operand) -> Tensor:
        return arithmetic.add(other, self)

    def __sub__(self, other: Operand) -> Tensor:
        return arithmetic.sub(self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return arithmetic.sub(other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return arithmetic.mul(self, other)

    def __rmul__(self, other: Operand) -> Tensor:
        return arithmetic.mul(other, self)

    def __truediv__(self, other: Operand) -> Tensor:
        return arithmetic.div(self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return arithmetic.div(other, self)

    def __pow__(self, other: Operand) -> Tensor:
        return elementary.pow(self, other)

    def __rpow__(self, other: Operand) -> Tensor:
        return elementary.pow(other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return matmul(other, self)

    def __neg__(self) -> Tensor:
        return arithmetic.neg(self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return arithmetic.abs(self)

    def pow(self, exponent: Operand) -> Tensor:
        return elementary.pow(self, exponent)

    def matmul(self, other: Operand) -> Tensor:
        return matmul(self, other)

    def abs(self) -> Tensor:
        return arithmetic.abs(self)

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        return arithmetic.clamp(self, min=min, max=max)

    # --- comparison: boolean tensors, never recorded ---

    def _compare(self, name: str, function: Any, other: Any) -> Tensor:
        other = self._plain(name, other)
        try:
            return Tensor(backend.as_array(function(self._data, other)))
        except ValueError:
            raise ValueError(
                f"{name}: shapes {self.shape} and {tuple(other.shape)} do not broadcast"
            ) from None

    def __eq__(self, other: Operand) -> Tensor:  # type: ignore[override]
        return self._compare("==", operator.eq, other)

    def __ne__(self, other: Operand) -> Tensor:  # type: ignore[override]
        return self._compare("!=", operator.ne, other)

    def __lt__(self, other: Operand) -> Tensor:
        return self._compare("<", operator.lt, other)

    def __le__(self, other: Operand) -> Tensor:
        return self._compare("<=", operator.le, other)

    def __gt__(self, other: Operand) -> Tensor:
        return self._compare(">", operator.gt, other)

    def __ge__(self, other: Operand) -> Tensor:
        return self._compare(">=", operator.ge, other)

    def __invert__(self) -> Tensor:
        return Tensor(backend.as_array(~self._data))

    def __and__(self, other: Operand) -> Tensor:
        return self._compare("&", operator.and_, other)

    def __or__(self, other: Operand) -> Tensor:
        return self._compare("|", operator.or_, other)

    def any(self) -> Tensor:
        return Tensor(backend.as_array(self._data.any()))

    def all(self) -> Tensor:
        return Tensor(backend.as_array(self._data.all()))

    def sign(self) -> Tensor:
        return Tensor(backend.array_module(self._data).sign(self._data))

    def isfinite(self) -> Tensor:
        return Tensor(backend.array_module(self._data).isfinite(self._data))

    def isnan(self) -> Tensor:
        return Tensor(backend.array_module(self._data).isnan(self._data))

    # --- elementary functions ---

    def exp(self) -> Tensor:
        return elementary.exp(self)

    def log(self) -> Tensor:
        return elementary.log(self)

    def sqrt(self) -> Tensor:
        return elementary.sqrt(self)

    def square(self) -> Tensor:
        return arithmetic.mul(self, self)

    def sin(self) -> Tensor:
        return elementary.sin(self)

    def cos(self) -> Tensor:
        return elementary.cos(self)

    def tanh(self) -> Tensor:
        return elementary.tanh(self)

    def sigmoid(self) -> Tensor:
        return elementary.sigmoid(self)

    def erf(self) -> Tensor:
        return elementary.erf(self)

    def relu(self) -> Tensor:
        return elementary.relu(self)

    def softmax(self, dim: int) -> Tensor:
        return softmax.softmax(self, dim=dim)

    def log_softmax(self, dim: int) -> Tensor:
        return softmax.log_softmax(self, dim=dim)

    # --- reductions ---

    def sum(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        return reduction.sum(self, dim=dim, keepdim=keepdim)

    def mean(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The mean of the entries along `dim`, or of all entries.

        Raises:
            ValueError: if there are no entries.
            TypeError: for integers, whose mean would need another dtype.
        """
        return reduction.sum(self, dim=dim, keepdim=keepdim) / self._count("mean", dim)

    def var(self, dim: Dim = None, *, correction: int = 1, keepdim: bool = False) -> Tensor:
        """The variance sum (x_i - mean)^2 / (n - correction) of n entries.

        Args:
            dim: the axes to reduce; None for all.
            correction: 1 for the unbiased estimate, 0 for the biased one.
            keepdim: keep the reduced axes, with size 1.

        Raises:
            ValueError: unless n > correction.
            TypeError: for integers.
        """
        n = self._count("var", dim, more_than=correction)
        centred = self - self.mean(dim, keepdim=True)
        return (centred * centred).sum(dim, keepdim) / (n - correction)

    def std(self, dim: Dim = None, *, correction: int = 1, keepdim: bool = False) -> Tensor:
        """The standard deviation, sqrt(`var`); its gradient is Inf where `var` is 0."""
        return self.var(dim, correction=correction, keepdim=keepdim).sqrt()

    def _count(self, name: str, dim: Dim, more_than: int = 0) -> int:
        if self.dtype.kind != "f":
            raise TypeError(f"{name}: dtype is {self.dtype}; convert to a float with .float()")
        n = math.prod(self.shape[axis] for axis in reduction.axes_of(name, dim, self.ndim))
        if n <= more_than:
            raise ValueError(
                f"{name}: shape {self.shape} has {n} entries along dim {dim}; it needs more than "
                f"{more_than}" + (" (an empty batch?)" if n == 0 else "")
            )
        return n

    def amax(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        return reduction.amax(self, dim=dim, keepdim=keepdim)

    def amin(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        return reduction.amin(self, dim=dim, keepdim=keepdim)

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The largest entry; with `dim`, the pair (values, indices) of the first maxima along it.

        With `dim` the whole gradient goes to the entry at the index; `amax` shares it among ties.
        """
        return self.amax() if dim is None else self._at(self.argmax(dim, True), dim, keepdim)

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The smallest entry; with `dim`, the pair (values, indices), as in `max`."""
        return self.amin() if dim is None else self._at(self.argmin(dim, True), dim, keepdim)

    def _at(self, indices: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
        values = self.gather(dim, indices)
        return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """The position of the first largest entry: in the flat tensor, or along `dim`."""
        axis = None if dim is None else reduction.axis_of("argmax", dim, self.ndim)
        return Tensor(backend.as_array(self._data.argmax(axis=axis, keepdims=keepdim)))

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """The position of the first smallest entry: in the flat tensor, or along `dim`."""
        axis = None if dim is None else reduction.axis_of("argmin", dim, self.ndim)
        return Tensor(backend.as_array(self._data.argmin(axis=axis, keepdims=keepdim)))

    def norm(self, p: int = 2, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The Euclidean norm; `p` must be 2 (for p = 1 write ``abs().sum()``)."""
        if p != 2:
            raise ValueError(f"norm: p is {p}; it must be 2")
        return reduction.norm(self, dim=dim, keepdim=keepdim)

    def logsumexp(self, dim: Dim, keepdim: bool = False) -> Tensor:
        return softmax.logsumexp(self, dim=dim, keepdim=keepdim)

    def cumsum(self, dim: int) -> Tensor:
        return reduction.cumsum(self, dim=dim)

    # --- shape ---

    def reshape(self, *sizes: Any) -> Tensor:
        return shape.reshape(self, shape=_dims(sizes))

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Merge the axes from `start_dim` to `end_dim`, both included, into one."""
        if not self.ndim:
            return self.reshape(1)
        first = reduction.axis_of("flatten", start_dim, self.ndim)
        last = reduction.axis_of("flatten", end_dim, self.ndim)
        if first > last:
            raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
        n = math.prod(self.shape[first : last + 1])  # -1 is ambiguous for an empty batch
        return self.reshape(*self.shape[:first], n, *self.shape[last + 1 :])

    def permute(self, *dims: Any) -> Tensor:
        return shape.permute(self, dims=_dims(dims))

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        a = reduction.axis_of("transpose", dim0, self.ndim)
        b = reduction.axis_of("transpose", dim1, self.ndim)
        dims = list(range(self.ndim))
        dims[a], dims[b] = b, a
        return shape.permute(self, dims=tuple(dims))

    @property
    def T(self) -> Tensor:
        """The transpose of a matrix."""
        if self.ndim != 2:
            raise ValueError(f"T: shape {self.shape} is not a matrix; use .mT or .permute")
        return self.transpose(0, 1)

    @property
    def mT(self) -> Tensor:
        """The transpose of the last two axes."""
        return self.transpose(-2, -1)

    def expand(self, *sizes: Any) -> Tensor:
        """Repeat axes of size 1, and missing leading axes, to the given sizes; -1 keeps a size."""
        wanted = _dims(sizes)
        lead = len(wanted) - self.ndim
        kept = tuple(
            self.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted)
        )
        return expand(self, shape=kept)

    def squeeze(self, dim: int | None = None) -> Tensor:
        """Remove all axes of size 1, or only `dim` if it has size 1."""
        axes = reduction.axes_of("squeeze", dim, self.ndim)
        return self.reshape([n for i, n in enumerate(self.shape) if n != 1 or i not in axes])

    def unsqueeze(self, dim: int) -> Tensor:
        """Insert an axis of size 1 at position `dim` (-1: at the end)."""
        at = reduction.axis_of("unsqueeze", dim, self.ndim + 1)
        return self.reshape(*self.shape[:at], 1, *self.shape[at:])

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
        """Split along `dim` into pieces of one size (the last may be smaller) or of given sizes."""
        axis = reduction.axis_of("split", dim, self.ndim)
        n = self.shape[axis]
        if isinstance(split_size, int):
            if split_size < 1:
                raise ValueError(f"split: split_size is {split_size}; it must be at least 1")
            sizes = [min(split_size, n - start) for start in range(0, n, split_size)] or [0]
        else:
            sizes = list(split_size)
        return shape.split(self, sizes=tuple(sizes), dim=axis)

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """Split along `dim` into at most `chunks` pieces of equal size; the last may be smaller."""
        axis = reduction.axis_of("chunk", dim, self.ndim)
        if chunks < 1:
            raise ValueError(f"chunk: chunks is {chunks}; it must be at least 1")
        return self.split(max(1, -(-self.shape[axis] // chunks)), axis)

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """All slices along `dim`, without that axis; backward costs one copy of x in total."""
        return shape.unbind(self, dim=reduction.axis_of("unbind", dim, self.ndim))

    def topk(self, k: int, dim: int = -1, largest: bool = True) -> tuple[Tensor, Tensor]:
        """The k largest (or smallest) entries along `dim`, in order, and their indices."""
        axis = reduction.axis_of("topk", dim, self.ndim)
        return indexing.topk(self, k=k, dim=axis, largest=largest)

    def flip(self, *dims: Any) -> Tensor:
        return shape.flip(self, dims=_dims(dims))

    def __getitem__(self, index: Any) -> Tensor:
        return indexing.getitem(self, index=indexing.plain_index(index, self._data))

    def gather(self, dim: int, index: Any) -> Tensor:
        """Gather entries along `dim`: y[i, j, k] = x[i, index[i, j, k], k] for dim 1.

        Args:
            dim: the axis to index.
            index: integers >= 0, with as many axes as x; only axis `dim` may be longer than x's.

        Raises:
            ValueError: if the shape of `index` does not fit.
            IndexError: if `dim` or an index is out of range.
        """
        axis = reduction.axis_of("gather", dim, self.ndim)
        index = indexing.plain_index(index, self._data)
        return self[indexing.along("gather", index, axis, self.shape)]

    def scatter_add(self, dim: int, index: Any, src: Tensor) -> Tensor:
        """A copy of x with src[i, j, k] added at [i, index[i, j, k], k] for dim 1.

        `dim` and `index` are as in `gather`; `src` has the shape of `index`.
        """
        axis = reduction.axis_of("scatter_add", dim, self.ndim)
        index = indexing.plain_index(index, self._data)
        full = indexing.along("scatter_add", index, axis, self.shape)
        if tuple(src.shape) != tuple(index.shape):
            raise ValueError(f"scatter_add: src {src.shape} and index {index.shape} must be equal")
        return self + indexing.index_add(src, shape=self.shape, indices=(full,))


def _rebuild(cls: type[Tensor], array: Any, requires_grad: bool) -> Tensor:
    return cls(array, requires_grad)


def matmul(a: Any, b: Any) -> Any:
    """The matrix product y_ij = sum_k a_ik b_kj, of matrices, batches of them, and vectors.

    As in PyTorch, a vector is a row on the left and a column on the right; see
    `tinynet.ops.linalg.matmul`.
    """
    a, b = (x if isinstance(x, Value) else Tensor(backend.asarray(x)) for x in (a, b))
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"matmul: shapes are {a.shape} and {b.shape}; multiply numbers with *")
    if a.ndim == 1:
        y = matmul(a.unsqueeze(0), b)
        return y.squeeze(-1 if b.ndim == 1 else -2) if b.ndim > 1 else y.reshape(())
    if b.ndim == 1:
        return matmul(a, b.unsqueeze(1)).squeeze(-1)
    if b.ndim == 2 and a.ndim > 2 and a.shape[-1] == b.shape[0]:
        # one large product, so that backward need not sum a batch of weight gradients
        return linalg.matmul(a.flatten(0, -2), b).reshape(*a.shape[:-1], b.shape[1])
    return linalg.matmul(a, b)
