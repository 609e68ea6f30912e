"""CTCLoss as a module; the formula is documented in `tinynet.functional`."""

from __future__ import annotations

from typing import Any

from tinynet import functional
from tinynet.nn.losses import _Loss


class CTCLoss(_Loss):
    """-ln P(target) for unaligned frames and labels; see `tinynet.functional.ctc_loss`."""

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        return functional.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction,
            self.zero_infinity,
        )  # fmt: skip
