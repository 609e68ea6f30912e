"""The Tensor: an array that remembers how it was computed.

Operators call an operation of `tinynet.ops`. Methods that are functions of `tinynet` too, such as
`Tensor.exp` and `tinynet.exp`, are defined once, in `tinynet.functions`. Names and signatures are
PyTorch's. No method is attached elsewhere.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from tinynet import autograd, backend
from tinynet.autograd import Value, guards
from tinynet.autograd.hooks import Attached, RemovableHandle
from tinynet.autograd.modes import modes
from tinynet.autograd.versions import increment_version, share_version
from tinynet.changes import Changes
from tinynet.conversions import Conversions
from tinynet.functions import (
    angles,
    bounds,
    changing,
    comparing,
    copying,
    counting,
    cutting,
    diagonals,
    drawing,
    filling,
    gathering,
    logical,
    masking,
    matrices,
    norms,
    numpy_calls,
    operators,
    pointwise,
    products,
    promoting,
    reducing,
    repeating,
    rounding,
    scans,
    scattering,
    shaping,
    sorting,
    special,
    stacking,
    statistics,
)
from tinynet.functions.arguments import one_axis
from tinynet.ops import arithmetic, indexing

Operand = Any  # a Tensor, an array or a number


class Tensor(Conversions, Changes, Value):
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
        self._requires_grad = bool(requires_grad)
        return self

    def retain_grad(self) -> None:
        """Make `backward` set `grad` on this tensor too, although it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad: the tensor does not require a gradient")
        if self.grad_fn is not None:
            self._attached().retained = weakref.ref(self)

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

    def __ifloordiv__(self, other: Operand) -> Tensor:
        return self // other if self._recorded(other) else self.floor_divide_(other)

    def __imod__(self, other: Operand) -> Tensor:
        return self % other if self._recorded(other) else self.remainder_(other)

    def __ipow__(self, other: Operand) -> Tensor:
        return self**other if self._recorded(other) else self.pow_(other)

    def __iand__(self, other: Operand) -> Tensor:
        return self.bitwise_and_(other)

    def __ior__(self, other: Operand) -> Tensor:
        return self.bitwise_or_(other)

    def __ixor__(self, other: Operand) -> Tensor:
        return self.bitwise_xor_(other)

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

    def __floordiv__(self, other: Operand) -> Tensor:
        return operators.floor_divide(self, other)

    def __rfloordiv__(self, other: Operand) -> Tensor:
        return operators.floor_divide(other, self)

    def __mod__(self, other: Operand) -> Tensor:
        return operators.remainder(self, other)

    def __rmod__(self, other: Operand) -> Tensor:
        return operators.remainder(other, self)

    def __pow__(self, other: Operand) -> Tensor:
        return pointwise.pow(self, other)

    def __rpow__(self, other: Operand) -> Tensor:
        return pointwise.pow(other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return products.matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return products.matmul(other, self)

    def __neg__(self) -> Tensor:
        return operators.neg(self)

    def __pos__(self) -> Tensor:
        return operators.positive(self)

    def __abs__(self) -> Tensor:
        return operators.abs(self)

    # --- comparison and logic: boolean tensors, never recorded ---

    def __eq__(self, other: Operand) -> Tensor:  # type: ignore[override]
        return comparing.eq(self, other)

    def __ne__(self, other: Operand) -> Tensor:  # type: ignore[override]
        return comparing.ne(self, other)

    def __lt__(self, other: Operand) -> Tensor:
        return comparing.lt(self, other)

    def __le__(self, other: Operand) -> Tensor:
        return comparing.le(self, other)

    def __gt__(self, other: Operand) -> Tensor:
        return comparing.gt(self, other)

    def __ge__(self, other: Operand) -> Tensor:
        return comparing.ge(self, other)

    def __invert__(self) -> Tensor:
        return logical.bitwise_not(self)

    def __and__(self, other: Operand) -> Tensor:
        return logical.bitwise_and(self, other)

    def __or__(self, other: Operand) -> Tensor:
        return logical.bitwise_or(self, other)

    def __xor__(self, other: Operand) -> Tensor:
        return logical.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __lshift__(self, other: Operand) -> Tensor:
        return logical.bitwise_left_shift(self, other)

    def __rlshift__(self, other: Operand) -> Tensor:
        return logical.bitwise_left_shift(other, self)

    def __rshift__(self, other: Operand) -> Tensor:
        return logical.bitwise_right_shift(self, other)

    def __rrshift__(self, other: Operand) -> Tensor:
        return logical.bitwise_right_shift(other, self)

    def where(self, condition: Any, other: Operand) -> Tensor:
        """Its entries where `condition` is true, else those of `other`; see `tinynet.where`."""
        return pointwise.where(condition, self, other)

    # --- shape and indexing ---

    @property
    def T(self) -> Tensor:
        """The transpose of a matrix."""
        if self.ndim != 2:
            raise ValueError(f"T: shape {self.shape} is not a matrix; use .mT or .permute")
        return self.transpose(0, 1)

    @property
    def H(self) -> Tensor:
        """The transpose of a matrix, as PyTorch calls it for complex numbers."""
        return self.T

    @property
    def mH(self) -> Tensor:
        """The transpose of the last two axes, as PyTorch calls it for complex numbers."""
        return self.transpose(-2, -1)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on a tensor that is no leaf."""
        node = self.grad_fn
        attached = node.attached if node is not None else None
        found = attached.get(self.output_nr) if attached else None
        return found is not None and found.retained is not None

    @property
    def mT(self) -> Tensor:
        """The transpose of the last two axes."""
        return self.transpose(-2, -1)

    def __getitem__(self, index: Any) -> Tensor:
        return indexing.getitem(self, index=indexing.plain_index(index, self._data))

    # --- functions of `tinynet` that are methods too, defined in `tinynet.functions` ---

    acos = angles.acos
    acosh = angles.acosh
    arccos = angles.arccos
    arccosh = angles.arccosh
    arcsin = angles.arcsin
    arcsinh = angles.arcsinh
    arctan = angles.arctan
    arctan2 = angles.arctan2
    arctanh = angles.arctanh
    asin = angles.asin
    asinh = angles.asinh
    atan = angles.atan
    atan2 = angles.atan2
    atanh = angles.atanh
    cos = angles.cos
    cosh = angles.cosh
    deg2rad = angles.deg2rad
    hypot = angles.hypot
    rad2deg = angles.rad2deg
    sin = angles.sin
    sinc = angles.sinc
    sinh = angles.sinh
    tan = angles.tan
    tanh = angles.tanh

    clamp = bounds.clamp
    clamp_max = bounds.clamp_max
    clamp_min = bounds.clamp_min
    clip = bounds.clip
    fmax = bounds.fmax
    fmin = bounds.fmin
    maximum = bounds.maximum
    minimum = bounds.minimum
    nan_to_num = bounds.nan_to_num

    index_add_ = changing.index_add_
    index_copy_ = changing.index_copy_
    index_fill_ = changing.index_fill_
    index_put_ = changing.index_put_
    masked_fill_ = changing.masked_fill_
    masked_scatter_ = changing.masked_scatter_
    scatter_ = changing.scatter_
    scatter_add_ = changing.scatter_add_
    scatter_reduce_ = changing.scatter_reduce_

    all = comparing.all
    allclose = comparing.allclose
    any = comparing.any
    eq = comparing.eq
    equal = comparing.equal
    ge = comparing.ge
    greater = comparing.greater
    greater_equal = comparing.greater_equal
    gt = comparing.gt
    isclose = comparing.isclose
    isfinite = comparing.isfinite
    isinf = comparing.isinf
    isnan = comparing.isnan
    isneginf = comparing.isneginf
    isposinf = comparing.isposinf
    isreal = comparing.isreal
    le = comparing.le
    less = comparing.less
    less_equal = comparing.less_equal
    lt = comparing.lt
    ne = comparing.ne
    not_equal = comparing.not_equal

    adjoint = copying.adjoint
    clone = copying.clone
    detach = copying.detach
    is_nonzero = copying.is_nonzero
    is_same_size = copying.is_same_size
    is_signed = copying.is_signed

    bincount = counting.bincount
    histc = counting.histc
    histogram = counting.histogram

    chunk = cutting.chunk
    dsplit = cutting.dsplit
    hsplit = cutting.hsplit
    narrow = cutting.narrow
    select = cutting.select
    select_scatter = cutting.select_scatter
    slice_scatter = cutting.slice_scatter
    split = cutting.split
    split_with_sizes = cutting.split_with_sizes
    tensor_split = cutting.tensor_split
    unbind = cutting.unbind
    unfold = cutting.unfold
    vsplit = cutting.vsplit

    diag = diagonals.diag
    diag_embed = diagonals.diag_embed
    diagflat = diagonals.diagflat
    diagonal = diagonals.diagonal
    diagonal_scatter = diagonals.diagonal_scatter
    trace = diagonals.trace
    tril = diagonals.tril
    triu = diagonals.triu

    bernoulli = drawing.bernoulli
    bernoulli_ = drawing.bernoulli_
    exponential_ = drawing.exponential_
    multinomial = drawing.multinomial
    normal_ = drawing.normal_
    poisson = drawing.poisson
    uniform_ = drawing.uniform_

    cauchy_ = filling.cauchy_
    geometric_ = filling.geometric_
    log_normal_ = filling.log_normal_
    random_ = filling.random_

    argwhere = gathering.argwhere
    gather = gathering.gather
    index_select = gathering.index_select
    nonzero = gathering.nonzero
    put = gathering.put
    take = gathering.take
    take_along_dim = gathering.take_along_dim

    bitwise_and = logical.bitwise_and
    bitwise_left_shift = logical.bitwise_left_shift
    bitwise_not = logical.bitwise_not
    bitwise_or = logical.bitwise_or
    bitwise_right_shift = logical.bitwise_right_shift
    bitwise_xor = logical.bitwise_xor
    gcd = logical.gcd
    lcm = logical.lcm
    logical_and = logical.logical_and
    logical_not = logical.logical_not
    logical_or = logical.logical_or
    logical_xor = logical.logical_xor

    masked_fill = masking.masked_fill
    masked_scatter = masking.masked_scatter
    masked_select = masking.masked_select

    cholesky = matrices.cholesky
    det = matrices.det
    inverse = matrices.inverse
    logdet = matrices.logdet
    matrix_power = matrices.matrix_power
    pinverse = matrices.pinverse
    qr = matrices.qr
    slogdet = matrices.slogdet
    svd = matrices.svd

    dist = norms.dist
    norm = norms.norm
    pdist = norms.pdist
    renorm = norms.renorm

    abs = operators.abs
    absolute = operators.absolute
    add = operators.add
    addcdiv = operators.addcdiv
    addcmul = operators.addcmul
    div = operators.div
    divide = operators.divide
    floor_divide = operators.floor_divide
    fmod = operators.fmod
    lerp = operators.lerp
    mul = operators.mul
    multiply = operators.multiply
    neg = operators.neg
    negative = operators.negative
    positive = operators.positive
    remainder = operators.remainder
    rsub = operators.rsub
    sub = operators.sub
    subtract = operators.subtract
    true_divide = operators.true_divide

    exp = pointwise.exp
    exp2 = pointwise.exp2
    expm1 = pointwise.expm1
    float_power = pointwise.float_power
    log = pointwise.log
    log10 = pointwise.log10
    log1p = pointwise.log1p
    log2 = pointwise.log2
    logaddexp = pointwise.logaddexp
    logaddexp2 = pointwise.logaddexp2
    pow = pointwise.pow
    reciprocal = pointwise.reciprocal
    relu = pointwise.relu
    rsqrt = pointwise.rsqrt
    sqrt = pointwise.sqrt
    square = pointwise.square

    addbmm = products.addbmm
    addmm = products.addmm
    addmv = products.addmv
    addr = products.addr
    baddbmm = products.baddbmm
    bmm = products.bmm
    cross = products.cross
    dot = products.dot
    ger = products.ger
    inner = products.inner
    kron = products.kron
    matmul = products.matmul
    mm = products.mm
    mv = products.mv
    outer = products.outer
    vdot = products.vdot

    is_complex = promoting.is_complex
    is_floating_point = promoting.is_floating_point
    numel = promoting.numel

    amax = reducing.amax
    amin = reducing.amin
    aminmax = reducing.aminmax
    argmax = reducing.argmax
    argmin = reducing.argmin
    count_nonzero = reducing.count_nonzero
    log_softmax = reducing.log_softmax
    logsumexp = reducing.logsumexp
    max = reducing.max
    mean = reducing.mean
    min = reducing.min
    nanmean = reducing.nanmean
    nansum = reducing.nansum
    prod = reducing.prod
    softmax = reducing.softmax
    std = reducing.std
    std_mean = reducing.std_mean
    sum = reducing.sum
    var = reducing.var
    var_mean = reducing.var_mean

    flip = repeating.flip
    fliplr = repeating.fliplr
    flipud = repeating.flipud
    repeat = repeating.repeat
    repeat_interleave = repeating.repeat_interleave
    roll = repeating.roll
    rot90 = repeating.rot90
    tile = repeating.tile

    ceil = rounding.ceil
    copysign = rounding.copysign
    fix = rounding.fix
    floor = rounding.floor
    frac = rounding.frac
    heaviside = rounding.heaviside
    round = rounding.round
    sgn = rounding.sgn
    sign = rounding.sign
    signbit = rounding.signbit
    trunc = rounding.trunc

    cummax = scans.cummax
    cummin = scans.cummin
    cumprod = scans.cumprod
    cumsum = scans.cumsum
    diff = scans.diff
    logcumsumexp = scans.logcumsumexp

    index_add = scattering.index_add
    index_copy = scattering.index_copy
    index_fill = scattering.index_fill
    index_put = scattering.index_put
    index_reduce = scattering.index_reduce
    scatter = scattering.scatter
    scatter_add = scattering.scatter_add
    scatter_reduce = scattering.scatter_reduce

    broadcast_to = shaping.broadcast_to
    expand = shaping.expand
    expand_as = shaping.expand_as
    flatten = shaping.flatten
    moveaxis = shaping.moveaxis
    movedim = shaping.movedim
    permute = shaping.permute
    ravel = shaping.ravel
    reshape = shaping.reshape
    reshape_as = shaping.reshape_as
    squeeze = shaping.squeeze
    swapaxes = shaping.swapaxes
    swapdims = shaping.swapdims
    t = shaping.t
    transpose = shaping.transpose
    unflatten = shaping.unflatten
    unsqueeze = shaping.unsqueeze
    view = shaping.view
    view_as = shaping.view_as

    argsort = sorting.argsort
    bucketize = sorting.bucketize
    kthvalue = sorting.kthvalue
    msort = sorting.msort
    sort = sorting.sort
    topk = sorting.topk
    unique = sorting.unique
    unique_consecutive = sorting.unique_consecutive

    digamma = special.digamma
    erf = special.erf
    erfc = special.erfc
    erfinv = special.erfinv
    expit = special.expit
    lgamma = special.lgamma
    logit = special.logit
    sigmoid = special.sigmoid
    xlogy = special.xlogy

    combinations = stacking.combinations

    corrcoef = statistics.corrcoef
    cov = statistics.cov
    median = statistics.median
    mode = statistics.mode
    nanmedian = statistics.nanmedian
    nanquantile = statistics.nanquantile
    quantile = statistics.quantile


def _rebuild(cls: type[Tensor], array: Any, requires_grad: bool) -> Tensor:
    return cls(array, requires_grad)
