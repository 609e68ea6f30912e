"""Tensors: making, indexing, joining and changing them, and the bridge to NumPy."""

import numpy as np
import torch

data = [[1, 2], [3, 4]]
x = torch.tensor(data)
print("from a list", x.tolist(), tuple(x.shape), x.sum().item())
a = np.array(data)
print("from NumPy", torch.from_numpy(a).tolist())
print("ones like it", torch.ones_like(x).tolist())
print("float zeros like it", torch.zeros_like(x, dtype=torch.float32).tolist())
r = torch.rand_like(x, dtype=torch.float)
print("random", tuple(r.shape), bool(((r >= 0) & (r < 1)).all()))
print("ranges", torch.arange(0, 10, 3).tolist(), torch.linspace(0, 1, 5).tolist())
print("identity", torch.eye(3).tolist(), torch.full((2, 2), 7.0).tolist())

t = torch.arange(12, dtype=torch.float32).reshape(3, 4)
print("first row", t[0].tolist(), "first column", t[:, 0].tolist(), "last", t[..., -1].tolist())
t[:, 1] = 0
print("a column set to 0", t.tolist())
print("joined", torch.cat([t, t, t], dim=1).shape[1], tuple(torch.stack([t, t]).shape))

y = t @ t.T
print("the same product", torch.allclose(y, t.matmul(t.T)), torch.equal(y, torch.matmul(t, t.T)))
z = t * t
print("the same square", torch.allclose(z, t.mul(t)), torch.allclose(z, t**2))
total = t.sum()
print("a number", total.item(), type(total.item()).__name__)
t.add_(5)
print("five more", t.tolist())

print("views", t.view(4, 3).shape[0], t.view(-1).shape[0], t.t().shape[0], t.unsqueeze(0).ndim)
print("reduced", t.mean(dim=0).tolist(), t.std(dim=1).tolist(), t.argmax(dim=1).tolist())
values, indices = t.sort(dim=1, descending=True)
print("sorted", values[0].tolist(), indices[0].tolist())
print("largest", [v.tolist() for v in t.topk(2, dim=1)])
print("masked", t.masked_fill(t > 10, -1).tolist(), t[t > 10].tolist())
print("where", torch.where(t > 10, t, torch.zeros_like(t)).sum().item())
print("gathered", t.gather(1, torch.tensor([[0, 3], [1, 1], [2, 0]])).tolist())
print("chunks", [tuple(c.shape) for c in t.chunk(2, dim=1)], [c.sum().item() for c in t.unbind()])
print("outer", torch.outer(t[0], t[1])[0].tolist(), torch.dot(t[0], t[1]).item())
print("triangle", torch.tril(t).tolist(), torch.diag(torch.ones(2)).tolist())
print("types", x.dtype == torch.int64, t.dtype == torch.float32, x.float().dtype == torch.float32)

n = t.numpy()
np.add(n, 1, out=n)
print("shared with NumPy", t[0].tolist())
print("einsum", torch.einsum("ij,kj->ik", t, t)[0].tolist())
print("cumulative", t.cumsum(dim=1)[0].tolist(), torch.prod(t[0]).item())
