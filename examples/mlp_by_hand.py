"""Forward and backward equations of a multilayer perceptron, layer by layer, beside autograd.

    python examples/mlp_by_hand.py --sizes 3 5 4 2 --batch 6

With a⁽⁰⁾ = x, one column for each of m examples, and the loss J = ½ Σ (a⁽ᴸ⁾ - y)² / m:

    forward     z⁽ˡ⁾ = W⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾          a⁽ˡ⁾ = σ(z⁽ˡ⁾)
    backward    δ⁽ᴸ⁾ = (a⁽ᴸ⁾ - y) ⊙ σ'(z⁽ᴸ⁾) / m   δ⁽ˡ⁾ = (W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾) ⊙ σ'(z⁽ˡ⁾)
    gradients   ∂J/∂W⁽ˡ⁾ = δ⁽ˡ⁾ a⁽ˡ⁻¹⁾ᵀ            ∂J/∂b⁽ˡ⁾ = δ⁽ˡ⁾ summed over the batch

Three places differ from the documents, as shapes and finite differences require: δ⁽ˡ⁾ has the
transpose of W⁽ˡ⁺¹⁾ (without it the shapes do not fit if two layers differ in size) and σ' at layer
l's own z, and ∂J/∂W⁽ˡ⁾ has a⁽ˡ⁻¹⁾ᵀ, the activation that enters layer l rather than the one that
leaves it.
"""

from __future__ import annotations

import argparse

import numpy as np

import tinynet as tn


def sigmoid(z: np.ndarray) -> np.ndarray:
    """σ(z) = 1 / (1 + e⁻ᶻ), whose derivative is σ'(z) = σ(z) (1 - σ(z))."""
    return 1 / (1 + np.exp(-z))


def forward_backward_by_hand(W: dict, b: dict, x: np.ndarray, y: np.ndarray) -> tuple:
    """J, ∂J/∂W⁽ˡ⁾ and ∂J/∂b⁽ˡ⁾ from the equations above, l = 1 ... L."""
    L, m = len(W), x.shape[1]
    z, a, delta, dW, db = {}, {0: x}, {}, {}, {}
    for l in range(1, L + 1):
        z[l] = W[l] @ a[l - 1] + b[l]
        a[l] = sigmoid(z[l])
    J = 0.5 * np.sum((a[L] - y) ** 2) / m

    for l in range(L, 0, -1):
        slope = sigmoid(z[l]) * (1 - sigmoid(z[l]))
        error = (a[L] - y) / m if l == L else W[l + 1].T @ delta[l + 1]
        delta[l] = error * slope
        dW[l] = delta[l] @ a[l - 1].T
        db[l] = delta[l].sum(axis=1, keepdims=True)
    return J, dW, db


def forward_backward_by_autograd(W: dict, b: dict, x: np.ndarray, y: np.ndarray) -> tuple:
    """The same, from the forward equations alone."""
    W = {l: tn.tensor(v, requires_grad=True) for l, v in W.items()}
    b = {l: tn.tensor(v, requires_grad=True) for l, v in b.items()}
    a = tn.tensor(x)
    for l in W:
        a = (W[l] @ a + b[l]).sigmoid()
    J = 0.5 * (a - y).square().sum() / x.shape[1]
    J.backward()
    return J.item(), {l: v.grad.data for l, v in W.items()}, {l: v.grad.data for l, v in b.items()}


def main() -> None:
    tn.console.spell_out()  # where the terminal lacks θ, ∂ or β
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[3, 5, 4, 2], metavar="N",
                        help="units of each layer, input first (default: 3 5 4 2)")  # fmt: skip
    parser.add_argument("--batch", type=int, default=6, help="number of examples (default: 6)")
    parser.add_argument("--seed", type=int, default=0, help="for weights and data (default: 0)")
    options = parser.parse_args()
    if len(options.sizes) < 2 or min(*options.sizes, options.batch) < 1:
        parser.error("--sizes needs two or more sizes, and all sizes and --batch must be positive")

    rng = np.random.default_rng(options.seed)
    sizes, L = options.sizes, len(options.sizes) - 1
    W = {l: rng.standard_normal((sizes[l], sizes[l - 1])) for l in range(1, L + 1)}
    b = {l: rng.standard_normal((sizes[l], 1)) for l in range(1, L + 1)}
    x = rng.standard_normal((sizes[0], options.batch))
    y = rng.random((sizes[-1], options.batch))

    J, dW, db = forward_backward_by_hand(W, b, x, y)
    J_auto, dW_auto, db_auto = forward_backward_by_autograd(W, b, x, y)
    print(f"J by hand {J:.16g}, by autograd {J_auto:.16g}\n")
    print("layer  ∂J/∂W shape   largest entry   largest difference   the same for ∂J/∂b")
    for l in range(1, L + 1):
        differences = [abs(p - q).max() for p, q in ((dW[l], dW_auto[l]), (db[l], db_auto[l]))]
        print(f"{l:5d}  {dW[l].shape!s:12s}  {abs(dW[l]).max():13.6e}   "
              f"{differences[0]:18.1e}   {differences[1]:18.1e}")  # fmt: skip


if __name__ == "__main__":
    main()
