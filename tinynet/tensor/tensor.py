"""The Tensor: an array that remembers how it was computed.

What it is, how its numbers leave the graph, its gradients and its parts are here. The other methods
are in files of their own: `operators` (``x + y``), `changes` (``x += y``, ``x[0] = 1``),
`conversions` (`to`, `float`), and the tables of the functions of tinynet that are methods too,
`methods` (``x.exp()``) and `methods_in_place` (``x.exp_()``). Names and signatures are PyTorch's.
No method is attached elsewhere.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from tinynet import autograd, backend
from tinynet.autograd import Value
from tinynet.autograd.hooks import Attached, RemovableHandle
from tinynet.autograd.versions import increment_version, share_version
from tinynet.functions import numpy_calls, pointwise
from tinynet.functions.arguments import one_axis
from tinynet.functions.public import shown
from tinynet.ops import indexing
from tinynet.tensor.changes import Changes
from tinynet.tensor.conversions import Conversions
from tinynet.tensor.methods import Methods
from tinynet.tensor.operators import Operators


class Tensor(Operators, Changes, Conversions, Methods, Value):
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
    __array_ufunc__ = numpy_calls.ArrayUfunc()
    __array_function__ = numpy_calls.array_function

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
            raise TypeError(
                f"data: data is a {type(value).__name__}; it must be an array or tensor"
            )
        array = backend.plain_array(array)
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
    def grad_fn(self) -> Any:
        """The node that computed it, None for a leaf."""
        return self._source[0] if isinstance(self._source, tuple) else self._source

    @property
    def output_nr(self) -> int:
        """Its position among the outputs of that node."""
        return self._source[1] if isinstance(self._source, tuple) else 0

    @property
    def is_leaf(self) -> bool:
        """Whether it has no `grad_fn`: created by the user, or computed without recording."""
        return self.grad_fn is None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` accumulates: a Tensor of the same shape and dtype, or None.

        Raises:
            TypeError: if set to anything else, or to a Tensor of another dtype.
            ValueError: if set to a Tensor of another shape.
        """
        return self._grad

    @grad.setter
    def grad(self, g: Tensor | None) -> None:
        if g is not None:
            if not isinstance(g, Value) or g._data.dtype != self._data.dtype:
                raise TypeError(
                    f"grad: it is set to {shown(g)}; it must be a Tensor of {self.dtype}, or None"
                )
            if g._data.shape != self._data.shape:
                raise ValueError(
                    f"grad: it is set to a Tensor of shape {g.shape}; it must have that of the "
                    f"tensor, {self.shape}"
                )
        self._grad = g

    @property
    def requires_grad(self) -> bool:
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[one_axis("size", dim, self.ndim)]

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

    def numpy(self, *, force: bool = False) -> Any:
        """The tensor as a NumPy array, which shares its memory if it is on the CPU.

        Args:
            force: detach a tensor that requires a gradient.

        Raises:
            RuntimeError: if it requires a gradient, since operations on the array are not recorded.
        """
        if self.requires_grad and not force:
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

    def __copy__(self) -> Tensor:
        """Another tensor with the same memory, version, graph and gradient."""
        out = type(self)(self._data, self._requires_grad)
        share_version(out, self)
        out._source, out.grad = self._source, self.grad
        return out

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.grad_fn is not None:
            raise RuntimeError("deepcopy: only leaves can be deep-copied; call .detach() first")
        out = type(self)(self._data.copy(), self.requires_grad)
        out.grad = None if self.grad is None else self.grad.__deepcopy__(memo)
        memo[id(self)] = out
        return out

    def __reduce__(self) -> Any:
        """Pickle as a leaf with a NumPy array, without the graph and readable without a GPU."""
        return type(self), (backend.to_numpy(self._data), self.requires_grad)

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
        self._requires_grad = bool(requires_grad)
        return self

    def retain_grad(self) -> None:
        """Make `backward` set `grad` on this tensor too, although it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad: the tensor does not require a gradient")
        if self.grad_fn is not None:
            self._attached().retained = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on a tensor that is no leaf."""
        node = self.grad_fn
        attached = node.attached if node is not None else None
        found = attached.get(self.output_nr) if attached else None
        return found is not None and found.retained is not None

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call ``hook(grad)`` whenever the gradient with respect to this tensor is computed.

        The hook of a leaf is called before its `grad` changes; that of another tensor before the
        gradient is propagated further and before `retain_grad` keeps it. Hooks are called in the
        order of registration.

        Args:
            hook: may return a gradient of the same shape to take the place, or None. It must not
                change its argument, whose memory other gradients may share.

        Returns:
            A handle whose `remove` removes the hook.

        Raises:
            RuntimeError: if the tensor does not require a gradient.

        >>> import tinynet as tn
        >>> x = tn.tensor([1.0, 2.0], requires_grad=True)
        >>> handle = x.register_hook(lambda g: g * 10.0)
        >>> x.sum().backward()
        >>> x.grad
        tensor([10., 10.])
        """
        if not self.requires_grad:
            raise RuntimeError("register_hook: the tensor does not require a gradient")
        if self.grad_fn is None:
            self._hooks = {} if self._hooks is None else self._hooks
            return RemovableHandle(self._hooks, hook)
        return RemovableHandle(self._attached().hooks, hook)

    def _attached(self) -> Attached:
        """What is attached to this tensor at its node, which outlives it."""
        node = self.grad_fn
        node.attached = {} if node.attached is None else node.attached
        attached: Attached = node.attached.setdefault(self.output_nr, Attached(self.result_type))
        return attached

    # --- its transpose and its parts ---

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

    @property
    def H(self) -> Tensor:
        """The transpose of a matrix, as PyTorch calls it for complex numbers."""
        return self.T

    @property
    def mH(self) -> Tensor:
        """The transpose of the last two axes, as PyTorch calls it for complex numbers."""
        return self.mT

    def __getitem__(self, index: Any) -> Tensor:
        return indexing.getitem(self, index=indexing.plain_index(index, self._data))

    def where(self, condition: Any, other: Any) -> Tensor:
        """Its entries where `condition` is true, else those of `other`; see `tinynet.where`."""
        return pointwise.where(condition, self, other)
