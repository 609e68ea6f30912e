"""Copies: in another dtype, on another device, or just a copy."""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op
from tinynet.backend import to_device


@Op
def cast(x: Any, *, dtype: Any, back: Any) -> Any:
    """y = x rounded to the floating-point type `dtype`; `back` is the dtype of x.

    Derivation: rounding counts as the identity, dy = dx, so <gy, dy> = <gy, dx>.
        gx = cast(gy, dtype=back, back=dtype)
    Jacobian: the identity.
    Kinks: none. (The true derivative of rounding, a staircase, is 0 almost everywhere.)
    Cost: one copy forward and backward; keeps nothing.
    Shapes: any; gx has the dtype `back`.
    Source: IEEE 754-2019, section 4.3, for the rounding.
    """
    return x.astype(dtype)


@cast.rule("x")
def cast_gx(gy: Any, dtype: Any, back: Any) -> Any:
    return cast(gy, dtype=back, back=dtype)


@Op
def move(x: Any, *, device: str, back: str) -> Any:
    """y = x on another device; `back` is the device of x.

    Derivation: dy = dx, so <gy, dy> = <gy, dx>.
        gx = move(gy, device=back, back=device)
    Jacobian: the identity.
    Kinks: none; linear.
    Cost: one transfer forward and backward; keeps nothing.
    Shapes: any; dtype of x. Errors: DeviceError if the device cannot be used.
    Source: none needed: the numbers do not change.
    """
    return to_device(x, device)


@move.rule("x")
def move_gx(gy: Any, device: str, back: str) -> Any:
    return move(gy, device=back, back=device)


@Op
def clone(x: Any) -> Any:
    """y = x, in new memory.

    Derivation: dy = dx, so <gy, dy> = <gy, dx>.
        gx = gy
    Jacobian: the identity.
    Kinks: none; linear.
    Cost: one copy forward, nothing backward; keeps nothing.
    Shapes: any; dtype of x.
    Source: none needed: the numbers do not change.
    """
    return x.copy()


@clone.rule("x")
def clone_gx(gy: Any) -> Any:
    return gy
