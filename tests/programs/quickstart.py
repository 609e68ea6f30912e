"""A first classifier: data sets and loaders, a network of three layers, training, saving."""

import os
import sys
import tempfile

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

numbers = np.load(sys.argv[1])  # 8 x 8 digits
images = torch.from_numpy(numbers["images"].astype("float32") / 16).unsqueeze(1)
labels = torch.from_numpy(numbers["labels"].astype("int64"))
training_data = TensorDataset(images[:640], labels[:640])
test_data = TensorDataset(images[640:896], labels[640:896])
train_dataloader = DataLoader(training_data, batch_size=64)
test_dataloader = DataLoader(test_data, batch_size=64)
for X, y in test_dataloader:
    print(f"X {tuple(X.shape)} y {tuple(y.shape)}", y.dtype == torch.int64)
    break

device = "cuda" if "--gpu" in sys.argv else "cpu"


class NeuralNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear_relu_stack = nn.Sequential(
            nn.Linear(8 * 8, 48), nn.ReLU(), nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, 10)
        )

    def forward(self, x):
        x = self.flatten(x)
        return self.linear_relu_stack(x)


model = NeuralNetwork().to(device)
rng = np.random.default_rng(0)
with torch.no_grad():  # the same start in every library
    for p in model.parameters():
        bound = 1 / p.shape[-1] ** 0.5
        p.copy_(torch.from_numpy(rng.uniform(-bound, bound, tuple(p.shape)).astype("float32")))

loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.5)


def train(dataloader, model, loss_fn, optimizer):
    size = len(dataloader.dataset)
    model.train()
    for batch, (X, y) in enumerate(dataloader):
        X, y = X.to(device), y.to(device)
        pred = model(X)
        loss = loss_fn(pred, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch % 5 == 0:
            loss, current = loss.item(), (batch + 1) * len(X)
            print(f"loss {loss} at {current} of {size}")


def test(dataloader, model, loss_fn):
    size, num_batches = len(dataloader.dataset), len(dataloader)
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for X, y in dataloader:
            X, y = X.to(device), y.to(device)
            pred = model(X)
            test_loss += loss_fn(pred, y).item()
            correct += (pred.argmax(1) == y).type(torch.float).sum().item()
    print(f"accuracy {correct / size} average loss {test_loss / num_batches}")


for epoch in range(3):
    print("epoch", epoch + 1)
    train(train_dataloader, model, loss_fn, optimizer)
    test(test_dataloader, model, loss_fn)

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.pth")
    torch.save(model.state_dict(), path)
    again = NeuralNetwork().to(device)
    again.load_state_dict(torch.load(path, weights_only=True))

again.eval()
x, y = test_data[0][0], test_data[0][1]
with torch.no_grad():
    pred = again(x.unsqueeze(0).to(device))
    print("predicted", pred[0].argmax(0).item(), "actual", y.item(), pred[0].tolist())
