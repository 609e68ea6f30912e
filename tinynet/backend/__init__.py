"""The only part that distinguishes NumPy from CuPy.

Everything else finds its array module from the arrays it was given::

    xp = array_module(x)        # numpy, or cupy when x lives on a GPU
    y = xp.exp(x)

and uses this part for functions that differ between the two, for new arrays (`empty`, `zeros`,
`full`, ...), and for `check`, the only way to read a value on the host. CuPy is imported only when
a GPU is first requested.

Devices are named as in PyTorch: ``"cpu"`` and ``"cuda"``.

>>> x = asarray([1.0, 2.0], dtype="float32")
>>> array_module(x).__name__, device_of(x), x.dtype.name
('numpy', 'cpu', 'float32')
"""

from tinynet.backend.arrays import (
    address,
    arange,
    array_of,
    as_array,
    asarray,
    check,
    constant,
    empty,
    eye,
    full,
    full_on,
    generic,
    index_add,
    may_share_memory,
    ndarray,
    plain_array,
    quiet_range,
    quiet_underflow,
    sequence_on,
    special,
    to_device,
    to_numpy,
    zeros,
)
from tinynet.backend.devices import (
    Array,
    DeviceError,
    array_module,
    as_device,
    check_device,
    default_device,
    device,
    device_of,
    empty_cache,
    is_array,
    is_device,
    probe,
    set_default_device,
    synchronize,
)
from tinynet.backend.printing import (
    format_array,
    set_printoptions,
)

__all__ = [
    "Array", "DeviceError", "address", "arange", "array_module", "array_of", "as_array",
    "as_device", "asarray", "check", "check_device", "constant", "default_device", "device",
    "device_of", "empty", "empty_cache", "eye", "format_array", "full", "full_on", "generic",
    "index_add", "is_array", "is_device", "may_share_memory", "ndarray", "plain_array", "probe",
    "quiet_range", "quiet_underflow", "sequence_on", "set_default_device", "set_printoptions",
    "special", "synchronize", "to_device", "to_numpy", "zeros",
]  # fmt: skip
