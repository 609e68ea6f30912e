"""The Tensor: an array that remembers how it was computed.

Every operator and method is one line that calls an operation (`tinynet.ops`); names and signatures
are PyTorch's. What is read here is what runs: nothing is attached later.
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

# what an operand may be, beside a Tensor
Operand = Any


def _dims(given: tuple[Any, ...]) -> tuple[int, ...]:
    """``(2, 3)`` from both ``f(2, 3)`` and ``f((2, 3))``."""
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], Sequence) else given


class Tensor(Value):
    """An array with gradients; make one with `tinynet.tensor`.

    Attributes:
        data: the NumPy or CuPy array itself. Setting it, also by ``t.data += ...``, counts as a
            change in place: a backward that still needs the old numbers raises. What is done to
            the array itself, as by ``t.data[0] = 1``, goes unnoticed.
        grad: the gradient that `backward` left here, a Tensor or None.
        grad_fn: the node that computed this tensor, None for a leaf.
        requires_grad: whether operations on it are recorded; change it by `requires_grad_`.
    """

    __slots__ = ()

    # ndarray * Tensor must come to Tensor.__rmul__, not be taken apart by NumPy entry by entry.
    __array_ufunc__ = None
    # Entries compare one by one, as in NumPy and PyTorch; a set or dict goes by identity.
    __hash__ = object.__hash__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(
            "a Tensor does not turn into a NumPy array silently, since gradients would be lost; "
            "call .numpy() (after .detach() if it requires a gradient)"
        )

    # --- what it is ---

    @property
    def data(self) -> Any:
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        array = value._data if isinstance(value, Value) else backend.as_array(value)
        if not backend.is_array(array):
            raise TypeError(f"data: must be an array or a tensor, not {type(value).__name__}")
        self._data = array
        self._touch()

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
        """Whether it was made by the user and not computed from what requires a gradient."""
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
        """The number in a tensor that holds one, as Python's."""
        if self._data.size != 1:
            raise ValueError(f"item: shape {self.shape} holds {self._data.size} numbers, not one")
        return self._data.item()

    def tolist(self) -> Any:
        return self._data.tolist()

    def numpy(self) -> Any:
        """The array as NumPy's, sharing memory where it is on the CPU.

        Raises:
            RuntimeError: if it requires a gradient: what is done to the array is not recorded.
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
            raise ValueError(f"bool: shape {self.shape} is neither true nor false; use .any/.all")
        return bool(self.item())

    def __index__(self) -> int:
        if self._data.dtype.kind not in "iu" or self._data.size != 1:
            raise TypeError(f"index: a tensor {self.dtype} of shape {self.shape} is no integer")
        return int(self.item())

    def detach(self) -> Tensor:
        """The same memory, outside the graph; a change in place is seen from both."""
        return self.alias()  # type: ignore[return-value]

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.grad_fn is not None:
            raise RuntimeError("deepcopy: only leaves can be copied with their flag; use .detach()")
        out = type(self)(self._data.copy(), self.requires_grad)
        out.grad = None if self.grad is None else self.grad.__deepcopy__(memo)
        memo[id(self)] = out
        return out

    def __reduce__(self) -> Any:
        """Pickled as a leaf with a NumPy array: no graph, and readable without a GPU."""
        return _rebuild, (type(self), backend.to_numpy(self._data), self.requires_grad)

    # --- gradients ---

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        """Add d(sum of gradient * self)/d(leaf) to the `grad` of every leaf it was computed from.

        Args:
            gradient: of this tensor's shape; may be left out for a single number, where it is 1.
            retain_graph: keep what the graph holds, to walk it again; by default as create_graph.
            create_graph: record the walk itself, so that gradients can be differentiated.

        Raises:
            RuntimeError: on a tensor without a graph, without `gradient` where there is more than
                one number, through a graph that was freed, or if something that it needs was
                changed in place.
            ValueError: if `gradient` has another shape.
        """
        autograd.backward(self, gradient, retain_graph, create_graph)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Have operations on this leaf recorded, or not."""
        if requires_grad and self.dtype.kind != "f":
            raise TypeError(
                f"requires_grad: a tensor of {self.dtype} has no gradient; convert it with .float()"
            )
        if self.grad_fn is not None and not requires_grad:
            raise RuntimeError("requires_grad_: only for leaves; use .detach() for a computed one")
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Have `backward` leave the gradient in `grad` here too, although this is no leaf."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad: the tensor does not require a gradient")
        if self.grad_fn is not None:
            retained = self.grad_fn.retained = self.grad_fn.retained or {}
            retained[self.output_nr] = weakref.ref(self)

    # --- changing in place: data, leaves under no_grad ---

    def _writable(self, name: str) -> Any:
        """The array, marked as changed.

        Raises:
            RuntimeError: if the change would have to be recorded.
        """
        if self.requires_grad and (modes()[0] or self.grad_fn is not None):
            raise RuntimeError(
                f"{name}: a tensor that requires a gradient cannot be changed in place; build a "
                "new one with tinynet.where, cat or functional.pad, or change a leaf inside "
                "tinynet.no_grad()"
            )
        self._touch()
        return self._data

    def _plain(self, name: str, other: Any) -> Any:
        if isinstance(other, Value):
            return other._data
        return guards.operand(name, other)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._writable("item assignment")[indexing.plain_index(index, self._data)] = self._plain(
            "item assignment", value
        )

    def copy_(self, other: Any) -> Tensor:
        self._writable("copy_")[...] = self._plain("copy_", other)
        return self

    def fill_(self, value: float) -> Tensor:
        return self.copy_(value)

    def zero_(self) -> Tensor:
        return self.copy_(0)

    def _change(self, name: str, function: Any, other: Any) -> Tensor:
        array, other = self._writable(name), self._plain(name, other)
        try:
            function(array, other)
        except ValueError:
            raise ValueError(
                f"{name}: shape {other.shape} does not broadcast to {self.shape}, which a change "
                "in place keeps"
            ) from None
        return self

    def add_(self, other: Any, *, alpha: float = 1) -> Tensor:
        other = self._plain("add_", other)
        return self._change("add_", operator.iadd, other if alpha == 1 else other * alpha)

    def sub_(self, other: Any, *, alpha: float = 1) -> Tensor:
        return self.add_(other, alpha=-alpha)

    def mul_(self, other: Any) -> Tensor:
        return self._change("mul_", operator.imul, other)

    def div_(self, other: Any) -> Tensor:
        return self._change("div_", operator.itruediv, other)

    # x += y changes x in place where that needs no record, and is x = x + y where it does: the
    # gradients are the same. A leaf that requires a gradient is refused, as by add_.

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
        """On another device, in another dtype, or both: ``t.to("cuda")``, ``t.to("float64")``,
        or as another tensor: ``t.to(other)``.

        Itself if nothing changes. Gradients come back in the type and to the place of the source.
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
                out = Tensor(self._data.astype(wanted))  # integers have no gradient
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

    # --- comparison: tensors of booleans, never tracked ---

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
        """The sum divided by the number of entries n.

        Raises:
            ValueError: for n = 0, whose mean is 0/0.
            TypeError: for integers, whose mean would need another dtype.
        """
        return reduction.sum(self, dim=dim, keepdim=keepdim) / self._count("mean", dim)

    def var(self, dim: Dim = None, *, correction: int = 1, keepdim: bool = False) -> Tensor:
        """sum (x_i - mean)^2 / (n - correction): 1 for the unbiased estimate, 0 for the biased.

        Raises:
            ValueError: unless n > correction.
            TypeError: for integers.
        """
        n = self._count("var", dim, more_than=correction)
        centred = self - self.mean(dim, keepdim=True)
        return (centred * centred).sum(dim, keepdim) / (n - correction)

    def std(self, dim: Dim = None, *, correction: int = 1, keepdim: bool = False) -> Tensor:
        """The square root of `var`; its gradient is Inf where that is 0."""
        return self.var(dim, correction=correction, keepdim=keepdim).sqrt()

    def _count(self, name: str, dim: Dim, more_than: int = 0) -> int:
        if self.dtype.kind != "f":
            raise TypeError(f"{name}: a tensor of {self.dtype} has none; convert it with .float()")
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
        """`amax` of everything; with `dim`, the pair (values, indices) of the first largest.

        With `dim` all of the gradient goes to the entry at the index; `amax` shares it among ties.
        """
        return self.amax() if dim is None else self._at(self.argmax(dim, True), dim, keepdim)

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """`amin` of everything; with `dim`, the pair (values, indices) of the first smallest."""
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
        """The Euclidean length; of PyTorch's orders p only 2 (for 1 write ``abs().sum()``)."""
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
        """The axes from `start_dim` to `end_dim`, both included, as one."""
        if not self.ndim:
            return self.reshape(1)
        first = reduction.axis_of("flatten", start_dim, self.ndim)
        last = reduction.axis_of("flatten", end_dim, self.ndim)
        if first > last:
            raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
        n = math.prod(self.shape[first : last + 1])  # not -1, which an empty batch leaves open
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
            raise ValueError(f"T: shape {self.shape} is no matrix; use .mT or .permute")
        return self.transpose(0, 1)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return self.transpose(-2, -1)

    def expand(self, *sizes: Any) -> Tensor:
        """Axes of size 1, and missing first ones, repeated; -1 keeps a size."""
        wanted = _dims(sizes)
        lead = len(wanted) - self.ndim
        kept = tuple(
            self.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted)
        )
        return expand(self, shape=kept)

    def squeeze(self, dim: int | None = None) -> Tensor:
        """Without its axes of size 1, or without axis `dim` if that has size 1."""
        gone = reduction.axes_of("squeeze", dim, self.ndim)
        return self.reshape([n for i, n in enumerate(self.shape) if n != 1 or i not in gone])

    def unsqueeze(self, dim: int) -> Tensor:
        """With an axis of size 1 before axis `dim` (-1: at the end)."""
        at = reduction.axis_of("unsqueeze", dim, self.ndim + 1)
        return self.reshape(*self.shape[:at], 1, *self.shape[at:])

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
        """Pieces of `split_size` along `dim`, the last one smaller; or of the sizes given."""
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
        """At most `chunks` pieces along `dim`, of one size but for the last."""
        axis = reduction.axis_of("chunk", dim, self.ndim)
        if chunks < 1:
            raise ValueError(f"chunk: chunks is {chunks}; it must be at least 1")
        return self.split(max(1, -(-self.shape[axis] // chunks)), axis)

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """The slices along `dim`, which they have no more; backward costs one copy of them all."""
        return shape.unbind(self, dim=reduction.axis_of("unbind", dim, self.ndim))

    def topk(self, k: int, dim: int = -1, largest: bool = True) -> tuple[Tensor, Tensor]:
        """The k largest (or smallest) entries along `dim`, in order, and their positions."""
        axis = reduction.axis_of("topk", dim, self.ndim)
        return indexing.topk(self, k=k, dim=axis, largest=largest)

    def flip(self, *dims: Any) -> Tensor:
        return shape.flip(self, dims=_dims(dims))

    def __getitem__(self, index: Any) -> Tensor:
        return indexing.getitem(self, index=indexing.plain_index(index, self._data))

    def gather(self, dim: int, index: Any) -> Tensor:
        """y[i, j, k] = x[i, index[i, j, k], k] for dim 1, and so on.

        Args:
            index: integers >= 0; as many axes as x, and no longer than x but along `dim`.

        Raises:
            ValueError: if the index has another shape than that.
            IndexError: for a dim or an index out of range.
        """
        axis = reduction.axis_of("gather", dim, self.ndim)
        index = indexing.plain_index(index, self._data)
        return self[indexing.along("gather", index, axis, self.shape)]

    def scatter_add(self, dim: int, index: Any, src: Tensor) -> Tensor:
        """A new tensor: x with src[i, j, k] added at [i, index[i, j, k], k], for dim 1, etc.

        `index` is as for `gather`; `src` has its shape.
        """
        axis = reduction.axis_of("scatter_add", dim, self.ndim)
        index = indexing.plain_index(index, self._data)
        if tuple(src.shape) != tuple(index.shape):
            raise ValueError(f"scatter_add: src {src.shape} and index {index.shape} must be equal")
        full = indexing.along("scatter_add", index, axis, self.shape)
        return self + indexing.index_add(src, shape=self.shape, indices=(full,))


def _rebuild(cls: type[Tensor], array: Any, requires_grad: bool) -> Tensor:
    return cls(array, requires_grad)


def matmul(a: Any, b: Any) -> Any:
    """PyTorch's ``@``: matrices, batches of them, and vectors (a row before, a column after).

    y_ij = sum_k a_ik b_kj; see `tinynet.ops.linalg.matmul`.
    """
    a, b = (x if isinstance(x, Value) else Tensor(backend.asarray(x)) for x in (a, b))
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape}; a number is multiplied with *")
    if a.ndim == 1:
        y = matmul(a.unsqueeze(0), b)
        return y.squeeze(-1 if b.ndim == 1 else -2) if b.ndim > 1 else y.reshape(())
    if b.ndim == 1:
        return matmul(a, b.unsqueeze(1)).squeeze(-1)
    if b.ndim == 2 and a.ndim > 2 and a.shape[-1] == b.shape[0]:
        # one big product, and no batch of weight gradients to be summed in backward
        return linalg.matmul(a.flatten(0, -2), b).reshape(*a.shape[:-1], b.shape[1])
    return linalg.matmul(a, b)
