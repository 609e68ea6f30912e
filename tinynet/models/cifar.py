"""The documents' two networks for CIFAR-10: colour images of 32x32 pixels, ten classes."""

from __future__ import annotations

from tinynet import nn
from tinynet.functional import max_pool2d, relu
from tinynet.tensor import Tensor


class CifarCNN(nn.Module):
    """A CNN with 32, 64 and 64 filters of 3x3: 122,570 parameters, 4,548,608 multiply-adds.

    | layer                        | output (examples first) | parameters | multiply-adds |
    |------------------------------|-------------------------|------------|---------------|
    | input                        | (N, 3, 32, 32)          |            |               |
    | conv1, 32 filters 3x3, ReLU  | (N, 32, 30, 30)         |        896 |       777,600 |
    | max-pool 2x2                 | (N, 32, 15, 15)         |            |               |
    | conv2, 64 filters 3x3, ReLU  | (N, 64, 13, 13)         |     18,496 |     3,115,008 |
    | max-pool 2x2                 | (N, 64, 6, 6)           |            |               |
    | conv3, 64 filters 3x3, ReLU  | (N, 64, 4, 4)           |     36,928 |       589,824 |
    | flatten                      | (N, 1024)               |            |               |
    | fc1, 64 units, ReLU          | (N, 64)                 |     65,600 |        65,536 |
    | fc2, the logits              | (N, 10)                 |        650 |           640 |

    The layers are those of the document's listing, whose third convolution has no pool. Its text
    says that a pool follows each convolution, which would leave 256 numbers instead of 1,024.

    Args:
        num_classes: number of logits.

    Source: the third document, section 5.2.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.conv3 = nn.Conv2d(64, 64, 3)
        self.fc1 = nn.Linear(64 * 4 * 4, 64)
        self.fc2 = nn.Linear(64, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = max_pool2d(relu(self.conv1(x)), 2)
        x = max_pool2d(relu(self.conv2(x)), 2)
        x = relu(self.conv3(x))
        x = relu(self.fc1(x.flatten(1)))
        return self.fc2(x)


class CifarLeNet(nn.Module):
    """LeNet-5 with ReLU, max-pools and colour: 62,006 parameters, 651,720 multiply-adds.

    | layer                       | output (examples first) | parameters | multiply-adds |
    |-----------------------------|-------------------------|------------|---------------|
    | input                       | (N, 3, 32, 32)          |            |               |
    | conv1, 6 filters 5x5, ReLU  | (N, 6, 28, 28)          |        456 |       352,800 |
    | max-pool 2x2                | (N, 6, 14, 14)          |            |               |
    | conv2, 16 filters 5x5, ReLU | (N, 16, 10, 10)         |      2,416 |       240,000 |
    | max-pool 2x2, flatten       | (N, 400)                |            |               |
    | fc1, 120 units, ReLU        | (N, 120)                |     48,120 |        48,000 |
    | fc2, 84 units, ReLU         | (N, 84)                 |     10,164 |        10,080 |
    | fc3, the logits             | (N, 10)                 |        850 |           840 |

    Two lines differ from the document's listing, which cannot be trained on CIFAR-10 as printed:
    its first convolution has one input channel instead of three. Its `view` would mix the examples
    of a batch of images of another size; `flatten` keeps them apart.

    Args:
        num_classes: number of logits.

    Source: the first document, section 5.2, after LeCun et al. (1998), as `tinynet.models.LeNet`.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = max_pool2d(relu(self.conv1(x)), 2)
        x = max_pool2d(relu(self.conv2(x)), 2)
        x = relu(self.fc1(x.flatten(1)))
        x = relu(self.fc2(x))
        return self.fc3(x)
