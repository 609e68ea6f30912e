"""LeNet for 28x28 images: two convolutions with max-pooling, then two linear layers."""

from __future__ import annotations

from tinynet import nn
from tinynet.functional import max_pool2d, relu
from tinynet.tensor import Tensor


class LeNet(nn.Module):
    """The documents' LeNet for 28x28 images: 34,622 parameters.

    | layer                       | output (examples first) | parameters |
    |-----------------------------|-------------------------|------------|
    | input                       | (N, 1, 28, 28)          |            |
    | conv1, 6 filters 5x5, ReLU  | (N, 6, 24, 24)          |        156 |
    | max-pool 2x2                | (N, 6, 12, 12)          |            |
    | conv2, 16 filters 5x5, ReLU | (N, 16, 8, 8)           |      2,416 |
    | max-pool 2x2, flatten       | (N, 256)                |            |
    | fc1, 120 units, ReLU        | (N, 120)                |     30,840 |
    | fc2, the logits             | (N, 10)                 |      1,210 |

    The output is logits: softmax is part of the loss (`functional.cross_entropy`). A second softmax
    before it, as in the documents' listing, only slows learning.

    Args:
        num_classes: number of logits.

    Source: after Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-based learning applied
        to document recognition, Proc. IEEE 86 (1998), whose LeNet-5 has trainable subsampling,
        a third convolution and radial-basis outputs.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(256, 120)
        self.fc2 = nn.Linear(120, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = max_pool2d(relu(self.conv1(x)), 2)
        x = max_pool2d(relu(self.conv2(x)), 2)
        x = relu(self.fc1(x.flatten(1)))
        return self.fc2(x)
