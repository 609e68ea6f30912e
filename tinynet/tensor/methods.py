"""The functions of tinynet that are methods of `Tensor` too: a table, family by family.

Every public function whose first parameter is called `input` is in it. ``acos = angles.acos`` says
that ``x.acos()`` is ``tinynet.acos(x)``, which is defined in `tinynet.functions.angles`.
"""

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


class Methods:
    """Methods of `Tensor`."""

    __slots__ = ()

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
