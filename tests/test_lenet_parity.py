"""LeNet against PyTorch's: the same weights and batches give the same losses."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet as tn
from tinynet import models, optim
from tinynet.functional import cross_entropy

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'peers')")
torch.set_num_threads(1)  # on a busy machine its threads wait for each other more than they work


class TorchLeNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 6, 5)
        self.conv2 = torch.nn.Conv2d(6, 16, 5)
        self.fc1 = torch.nn.Linear(256, 120)
        self.fc2 = torch.nn.Linear(120, 10)

    def forward(self, x):
        pool = torch.nn.functional.max_pool2d
        x = pool(torch.relu(self.conv1(x)), 2)
        x = pool(torch.relu(self.conv2(x)), 2)
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


OPTIMIZERS = {
    "SGD": {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-3},
    "SGD Nesterov": {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    "Adam": {"lr": 2e-3, "weight_decay": 1e-3},
    "AdamW": {"lr": 2e-3, "weight_decay": 1e-2},
    "RMSprop": {"lr": 1e-3, "momentum": 0.5, "centered": True},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_twenty_steps_have_pytorch_s_losses(name):
    torch.manual_seed(0)
    theirs = TorchLeNet().double()
    ours = models.LeNet().double()
    ours.load_state_dict(theirs.state_dict())
    kind, options = name.split()[0], OPTIMIZERS[name]
    their_optimizer = getattr(torch.optim, kind)(theirs.parameters(), **options)
    our_optimizer = getattr(optim, kind)(ours.parameters(), **options)
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = rng.random((16, 1, 28, 28)), rng.integers(0, 10, 16)
        loss = cross_entropy(ours(tn.tensor(x)), tn.tensor(y))
        our_optimizer.zero_grad()
        loss.backward()
        our_optimizer.step()
        their_loss = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
        their_optimizer.zero_grad()
        their_loss.backward()
        their_optimizer.step()
        assert loss.item() == pytest.approx(their_loss.item(), abs=1e-10)


def test_weights_move_the_other_way_without_a_map():
    theirs, ours = TorchLeNet(), models.LeNet()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    x = np.random.default_rng(0).random((4, 1, 28, 28), "float32")
    expected = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours(tn.tensor(x)).detach().numpy(), expected, atol=1e-6)
