"""The sine between -pi and pi, fitted by a polynomial of degree 3 in five ways."""

import math

import torch

x = torch.linspace(-math.pi, math.pi, 500)
y = torch.sin(x)
START = [0.3, -0.2, 0.1, 0.05]
STEPS = 200


def show(name, loss, numbers):
    print(name, loss, *numbers)


def by_hand():
    a, b, c, d = START
    for _ in range(STEPS):
        error = a + b * x + c * x**2 + d * x**3 - y
        g = 2.0 * error
        a -= 1e-5 * g.sum().item()
        b -= 1e-5 * (g * x).sum().item()
        c -= 1e-5 * (g * x**2).sum().item()
        d -= 1e-5 * (g * x**3).sum().item()
    show("by hand", error.pow(2).sum().item(), [a, b, c, d])


def with_autograd():
    parameters = [torch.tensor(v, requires_grad=True) for v in START]
    a, b, c, d = parameters
    for _ in range(STEPS):
        loss = (a + b * x + c * x**2 + d * x**3 - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= 1e-5 * p.grad
                p.grad = None
    show("autograd", loss.item(), [p.item() for p in parameters])


class LegendrePolynomial3(torch.autograd.Function):
    """P3(x) = (5 x^3 - 3 x) / 2."""

    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


def with_an_own_function():
    parameters = [torch.full((), v, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3)]
    a, b, c, d = parameters
    for _ in range(STEPS):
        loss = (a + b * LegendrePolynomial3.apply(c + d * x) - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= 5e-6 * p.grad
                p.grad = None
    show("own function", loss.item(), [p.item() for p in parameters])


def with_a_network():
    powers = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([START[1:]]))
        model[0].bias.fill_(START[0])
    loss_fn = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    for _ in range(STEPS):
        loss = loss_fn(model(powers), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    show("network", loss.item(), [model[0].bias.item(), *model[0].weight[0].tolist()])


class Polynomial3(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = (torch.nn.Parameter(torch.tensor(v)) for v in START)

    def forward(self, x):
        return self.a + self.b * x + self.c * x**2 + self.d * x**3

    def string(self):
        return f"y = {self.a.item():.3f} + {self.b.item():.3f} x"


def with_a_module():
    model = Polynomial3()
    criterion = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-5)
    for _ in range(STEPS):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    show("module", loss.item(), [p.item() for p in model.parameters()])
    print(model.string(), len(list(model.parameters())))


by_hand()
with_autograd()
with_an_own_function()
with_a_network()
with_a_module()
