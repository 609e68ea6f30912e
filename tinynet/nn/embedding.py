"""Tables whose rows are looked up by integers: one by one, or in bags."""

from __future__ import annotations

from typing import Any, TypeVar

from tinynet import functional
from tinynet.autograd import no_grad
from tinynet.nn import init
from tinynet.nn.layers import at_least_one, new_parameter
from tinynet.nn.module import Module
from tinynet.nn.parameter import Parameter
from tinynet.tensor import Tensor

Self = TypeVar("Self", bound="_Table")


class _Table(Module):
    weight: Parameter

    def _make(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        device: str | None,
        dtype: Any,
    ) -> None:
        name = type(self).__name__
        at_least_one(name, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"{name}: padding_idx is {padding_idx}; there are {num_embeddings} embeddings"
            )
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = new_parameter((num_embeddings, embedding_dim), 0.0, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table again; the row of `padding_idx` is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    @classmethod
    def from_pretrained(
        cls: type[Self], embeddings: Tensor, freeze: bool = True, **options: Any
    ) -> Self:
        """A layer with the table `embeddings` (V, D), whose memory it shares.

        Args:
            embeddings: the table.
            freeze: whether the table is not learnt.
            options: as for the class.
        """
        if not isinstance(embeddings, Tensor) or embeddings.ndim != 2:
            found = getattr(embeddings, "shape", type(embeddings).__name__)
            raise ValueError(f"{cls.__name__}: embeddings is {found}; it must be a Tensor (V, D)")
        layer = cls(*embeddings.shape, **options)
        layer.weight = Parameter(embeddings.detach(), requires_grad=not freeze)
        return layer

    def _options(self, *names: str) -> str:
        """The sizes, and of the options those that are not the default."""
        defaults = {"norm_type": 2.0, "scale_grad_by_freq": False}
        given = [(name, getattr(self, name)) for name in names]
        changed = [f", {name}={v!r}" for name, v in given if v != defaults.get(name)]
        return f"{self.num_embeddings}, {self.embedding_dim}" + "".join(changed)


class Embedding(_Table):
    """Look up row x_i of a table for each integer x_i; see `tinynet.functional.embedding`.

    Args:
        num_embeddings: V, the number of rows.
        embedding_dim: D, the length of a row.
        padding_idx: a row that starts at 0 and is not learnt.
        max_norm, norm_type, scale_grad_by_freq: see `tinynet.functional.embedding`.
        sparse: must be False.
        device, dtype: of the table; by default the default device and float32.

    Parameters: weight (V, D), normal numbers of mean 0 and variance 1.

    Shapes: integers from 0 to V - 1 of any shape -> (*shape, D).
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        *,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._make(num_embeddings, embedding_dim, padding_idx, device, dtype)
        self.max_norm = None if max_norm is None else float(max_norm)
        self.norm_type, self.scale_grad_by_freq = float(norm_type), scale_grad_by_freq
        self.sparse = sparse

    def forward(self, input: Any) -> Any:
        return functional.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
            self.scale_grad_by_freq, self.sparse,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return self._options("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq")


class EmbeddingBag(_Table):
    """The mean, sum or maximum of the rows in each bag; see `tinynet.functional.embedding_bag`.

    Args:
        num_embeddings, embedding_dim: V and D.
        max_norm, norm_type, scale_grad_by_freq: see `tinynet.functional.embedding`.
        mode: "mean", "sum" or "max".
        sparse: must be False.
        include_last_offset: whether the last of the offsets is the end of the last bag.
        padding_idx: an index that is left out of the bags.
        device, dtype: of the table; by default the default device and float32.

    Parameters: weight (V, D), normal numbers of mean 0 and variance 1.

    Shapes: integers (B, L), or (L,) with offsets (B,) -> (B, D).
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        *,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if mode not in ("mean", "sum", "max"):
            raise ValueError(f"EmbeddingBag: mode is {mode!r}; it must be 'mean', 'sum' or 'max'")
        self._make(num_embeddings, embedding_dim, padding_idx, device, dtype)
        self.max_norm = None if max_norm is None else float(max_norm)
        self.norm_type, self.scale_grad_by_freq = float(norm_type), scale_grad_by_freq
        self.mode, self.sparse, self.include_last_offset = mode, sparse, include_last_offset

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        return functional.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
            self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return self._options("max_norm", "norm_type", "scale_grad_by_freq", "mode", "padding_idx")
