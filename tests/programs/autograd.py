"""Automatic differentiation: gradients, the graph, what is left out of it, Jacobian products."""

import torch
import torch.nn.functional as F

x = torch.ones(5)
y = torch.zeros(3)
w = (torch.arange(15.0).reshape(5, 3) / 10 - 0.7).requires_grad_()
b = torch.tensor([0.1, -0.2, 0.3], requires_grad=True)
z = torch.matmul(x, w) + b
loss = F.binary_cross_entropy_with_logits(z, y)
loss.backward()
print("loss", loss.item())
print("gradients", w.grad[0].tolist(), b.grad.tolist())

print("recorded", (torch.matmul(x, w) + b).requires_grad)
with torch.no_grad():
    print("not recorded", (torch.matmul(x, w) + b).requires_grad)
print("detached", z.detach().requires_grad, z.is_leaf, b.is_leaf)

inp = torch.eye(4, 5, requires_grad=True)
out = (inp + 1).pow(2).t()
out.backward(torch.ones_like(out), retain_graph=True)
print("first call", inp.grad.tolist())
out.backward(torch.ones_like(out), retain_graph=True)
print("added up", inp.grad.tolist())
inp.grad.zero_()
out.backward(torch.ones_like(out), retain_graph=True)
print("after zeroing", inp.grad.tolist())

x = torch.tensor([2.0, 3.0], requires_grad=True)
(g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
print("3 x^2", g.tolist())
(h,) = torch.autograd.grad(g.sum(), x)
print("6 x", h.tolist())

a = torch.tensor([2.0, 3.0], requires_grad=True)
q = 3 * a**3
q.retain_grad()
handle = q.register_hook(lambda grad: grad * 2)
q.sum().backward()
print("hooked", a.grad.tolist(), q.grad.tolist())
handle.remove()


@torch.no_grad()
def step(parameters, rate):
    for p in parameters:
        p -= rate * p.grad
        p.grad = None


step([a], 0.01)
print("a step", a.tolist(), a.grad)
with torch.set_grad_enabled(False):
    print("switched off", (a * 2).requires_grad, torch.is_grad_enabled())


class Exp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, i):
        result = i.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        (result,) = ctx.saved_tensors
        return grad_output * result


e = torch.tensor([0.0, 1.0], requires_grad=True)
Exp.apply(e).sum().backward()
print("own operation", e.grad.tolist())
