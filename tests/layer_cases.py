"""Every layer and loss with its options, and what it is given."""

from __future__ import annotations

import numpy as np

# expression (of `nn`, in both libraries), shape of the input
LAYERS = [
    ("Linear(4, 3)", (5, 4)),
    ("Linear(4, 3, bias=False)", (2, 5, 4)),
    ("Conv2d(4, 6, 3)", (2, 4, 7, 6)),
    ("Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2))", (2, 4, 9, 8)),
    ("Conv2d(4, 6, 3, padding='same', groups=2, bias=False)", (2, 4, 7, 6)),
    ("Conv2d(2, 3, (2, 3), padding='same', dilation=2)", (2, 2, 7, 6)),
    ("Conv2d(3, 3, 2, padding='valid', groups=3)", (2, 3, 5, 4)),
    ("MaxPool2d(2)", (2, 3, 7, 6)),
    ("MaxPool2d(3, stride=2, padding=1)", (2, 3, 7, 6)),
    ("MaxPool2d((2, 3), stride=1, dilation=2)", (2, 3, 7, 6)),
    ("AvgPool2d(2)", (2, 3, 7, 6)),
    ("AvgPool2d(3, stride=2, padding=1)", (2, 3, 7, 6)),
    ("AvgPool2d(3, stride=2, padding=1, count_include_pad=False)", (2, 3, 7, 6)),
    ("AdaptiveAvgPool2d((3, 4))", (2, 3, 7, 6)),
    ("AdaptiveAvgPool2d(1)", (2, 3, 7, 6)),
    ("Flatten()", (2, 3, 4)),
    ("Flatten(0, 1)", (2, 3, 4)),
    ("Identity()", (2, 3)),
    ("BatchNorm1d(4)", (6, 4)),
    ("BatchNorm1d(4, momentum=None, eps=1e-3)", (6, 4, 3)),
    ("BatchNorm1d(4, affine=False)", (6, 4)),
    ("BatchNorm1d(4, bias=False)", (6, 4)),
    ("BatchNorm2d(3, momentum=0.3)", (4, 3, 2, 5)),
    ("BatchNorm2d(3, track_running_stats=False)", (4, 3, 2, 5)),
    ("LayerNorm(4)", (5, 3, 4)),
    ("LayerNorm((3, 4), eps=1e-3, bias=False)", (5, 3, 4)),
    ("LayerNorm(4, elementwise_affine=False)", (5, 3, 4)),
    ("ReLU()", (5, 4)),
    ("LeakyReLU(0.2)", (5, 4)),
    ("ELU(1.5, inplace=False)", (5, 4)),
    ("GELU()", (5, 4)),
    ("GELU('tanh')", (5, 4)),
    ("SiLU()", (5, 4)),
    ("Sigmoid()", (5, 4)),
    ("Tanh()", (5, 4)),
    ("Softplus(beta=2.0)", (5, 4)),
    ("Softmax(dim=1)", (5, 4, 2)),
    ("LogSoftmax(dim=-1)", (5, 4)),
    ("Sequential(Linear(4, 5), ReLU(), Linear(5, 3), BatchNorm1d(3))", (6, 4)),
]

_rng = np.random.default_rng(4)
LOGITS = _rng.normal(size=(6, 3)) * 2
TARGETS = {
    "numbers": _rng.normal(size=(6, 3)),
    "shares": _rng.random((6, 3)),
    "labels": _rng.integers(0, 3, 6),
    "distribution": _rng.dirichlet([1.0, 2.0, 0.5], 6),
}
# expression, kind of target
LOSSES = [
    ("MSELoss()", "numbers"),
    ("MSELoss(reduction='sum')", "numbers"),
    ("L1Loss()", "numbers"),
    ("HuberLoss(delta=0.4)", "numbers"),
    ("HuberLoss('none')", "numbers"),
    ("BCEWithLogitsLoss()", "shares"),
    ("CrossEntropyLoss()", "labels"),
    ("CrossEntropyLoss(ignore_index=1, reduction='sum')", "labels"),
    ("CrossEntropyLoss(label_smoothing=0.2, ignore_index=2)", "labels"),
    ("CrossEntropyLoss(label_smoothing=0.2)", "distribution"),
]
