"use strict";
// How a cell is computed: for each operation, the input cells of an output cell, and the terms of a
// gradient cell.
//
// `A` holds the numbers of one operation by role, as `Numbers`: its inputs and "y", their gradients
// "gx", "gy", ..., and other arrays ("col", "gcol", "argmax", "p"). A function returns
//     terms: products, each a list of [label, number], whose sum is the cell (unless `how` differs)
//     how:   the formula
//     lit:   for each role, the flat indices of the cells to highlight
//     note:  a sentence
// or null if there is only the number to show.

class Numbers {
  constructor(data, shape) {
    this.data = data;
    this.shape = shape;
    this.strides = shape.map((_, k) => shape.slice(k + 1).reduce((a, b) => a * b, 1));
  }
  flat(...index) { return index.reduce((sum, i, k) => sum + i * this.strides[k], 0); }
  at(...index) { return this.data[this.flat(...index)]; }
  index(flat) { return this.strides.map((stride, k) => Math.floor(flat / stride) % this.shape[k]); }
}

// The shortest decimal that rounds to this float32.
function show(x) {
  if (!Number.isFinite(x)) return String(x);
  for (let digits = 1; digits <= 9; digits++) {
    const text = x.toPrecision(digits);
    if (Math.fround(Number(text)) === x) return String(Number(text));
  }
  return String(x);
}

const bracket = (name, index) => index.length ? `${name}[${index.join(",")}]` : name;
const factor = (A, role, ...index) => [bracket(role, index), A[role].at(...index)];
const range = n => Array.from({length: n}, (_, k) => k);

// The taps of a window at output cell (p, q) that lie in the image: [i, j, h, w].
function taps(window, p, q, H, W) {
  const found = [];
  for (let i = 0; i < window.kernel[0]; i++) for (let j = 0; j < window.kernel[1]; j++) {
    const h = p * window.stride[0] + i * window.dilation[0] - window.padding[0];
    const w = q * window.stride[1] + j * window.dilation[1] - window.padding[1];
    if (h >= 0 && h < H && w >= 0 && w < W) found.push([i, j, h, w]);
  }
  return found;
}

// The windows that cover pixel (h, w), and the tap on it: [i, j, p, q].
function covering(window, h, w, OH, OW) {
  const found = [];
  for (let i = window.kernel[0] - 1; i >= 0; i--) for (let j = window.kernel[1] - 1; j >= 0; j--) {
    const p = (h + window.padding[0] - i * window.dilation[0]) / window.stride[0];
    const q = (w + window.padding[1] - j * window.dilation[1]) / window.stride[1];
    if (Number.isInteger(p) && Number.isInteger(q) && p >= 0 && p < OH && q >= 0 && q < OW)
      found.push([i, j, p, q]);
  }
  return found;
}

// The cells that terms name, by role: a term is a list of [role, ...index].
function lights(A, terms) {
  const lit = {};
  for (const [role, ...index] of terms.flat()) (lit[role] ||= []).push(A[role].flat(...index));
  return lit;
}

// A sum of products; `further` names more cells to highlight.
function products(A, how, terms, note = "", further = []) {
  return {how, note, lit: lights(A, [...terms, ...further]),
          terms: terms.map(term => term.map(([role, ...index]) => factor(A, role, ...index)))};
}

// The c, i, j of a row and the p, q of a column of the im2col matrix. The page has one example.
function unrolled(A, [row, column]) {
  const [, ...filter] = A.w.shape, [, , ...image] = A.y.shape;
  return [...new Numbers([], filter).index(row), ...new Numbers([], image).index(column)];
}

const conv2d = {
  y(A, flat, {window}) {
    const [n, o, p, q] = A.y.index(flat), [, C, H, W] = A.x.shape, column = p * A.y.shape[3] + q;
    const terms = range(C).flatMap(c => taps(window, p, q, H, W).map(
      ([i, j, h, w]) => [["w", o, c, i, j], ["x", n, c, h, w]]));
    if (A.b) terms.push([["b", o]]);
    return products(A, `Σ w·x over the window${A.b ? " + b" : ""}`, terms,
      `Filter ${o} covers the highlighted window, which is column ${column} of the im2col matrix, ` +
      "so y is one row of w times one column.", range(A.col.shape[0]).map(r => [["col", r, column]]));
  },
  x(A, flat, {window}) {
    const [n, c, h, w] = A.x.index(flat), [, OC, OH, OW] = A.y.shape, [KH, KW] = window.kernel;
    const covers = covering(window, h, w, OH, OW);
    const lit = lights(A, covers.map(([i, j, p, q]) =>
      [["col", (c * KH + i) * KW + j, p * OW + q], ...range(OC).map(o => ["y", n, o, p, q])]));
    return {lit, note: `${covers.length} windows cover this cell, so im2col copies it ` +
                       `${covers.length} times, and it enters ${covers.length * OC} cells of y.`};
  },
  w(A, flat) {
    const [o] = A.w.index(flat), [, , OH, OW] = A.y.shape;
    return {lit: {y: range(OH * OW).map(k => A.y.flat(0, o, 0, 0) + k)},
            note: `The same weight is used at all ${OH * OW} positions of map ${o}.`};
  },
  b(A, flat) { return conv2d.w({y: A.y, w: new Numbers([], [A.b.shape[0], 1, 1, 1])}, flat); },
  col(A, flat, {window}) {
    const [c, i, j, p, q] = unrolled(A, A.col.index(flat)), [, , H, W] = A.x.shape;
    const copied = taps(window, p, q, H, W).filter(tap => tap[0] === i && tap[1] === j);
    return products(A, "a copy", copied.map(([, , h, w]) => [["x", 0, c, h, w]]),
      `Row (c,i,j) = (${c},${i},${j}), column (p,q) = (${p},${q}).`,
      range(A.y.shape[1]).map(o => [["y", 0, o, p, q], ["w", o, c, i, j]]));
  },
  gcol(A, flat) {
    const [c, i, j, p, q] = unrolled(A, A.gcol.index(flat));
    return products(A, "Σ over the maps o of w·gy",
      range(A.gy.shape[1]).map(o => [["w", o, c, i, j], ["gy", 0, o, p, q]]));
  },
  gx(A, flat, {window}) {
    const [n, c, h, w] = A.gx.index(flat), [, OC, OH, OW] = A.gy.shape, [KH, KW] = window.kernel;
    const covers = covering(window, h, w, OH, OW);
    return products(A, "col2im: Σ over the windows that cover the cell",
      covers.map(([i, j, p, q]) => [["gcol", (c * KH + i) * KW + j, p * OW + q]]),
      `${covers.length} windows cover x[${[n, c, h, w]}], so im2col copied it ` +
      `${covers.length} times; the gradient is the sum of its copies' gradients. ` +
      "Each gcol is itself Σ over the maps o of w·gy.",
      covers.flatMap(([i, j, p, q]) => range(OC).map(o => [["w", o, c, i, j], ["gy", n, o, p, q]])));
  },
  gw(A, flat, {window}) {
    const [o, c, i, j] = A.gw.index(flat), [, , OH, OW] = A.gy.shape, [, , H, W] = A.x.shape;
    const terms = [];
    for (let p = 0; p < OH; p++) for (let q = 0; q < OW; q++) {
      const tap = taps(window, p, q, H, W).find(t => t[0] === i && t[1] === j);
      if (tap) terms.push([["gy", 0, o, p, q], ["x", 0, c, tap[2], tap[3]]]);
    }
    return products(A, "Σ gy·x over all positions", terms,
      "A weight is used at every position of its map, so its gradient has a term for " +
      "each: gy there times the x that the weight was multiplied by.");
  },
  gb(A, flat) {
    const [, , OH, OW] = A.gy.shape;
    return products(A, "Σ gy over all positions",
      range(OH).flatMap(p => range(OW).map(q => [["gy", 0, flat, p, q]])),
      `b[${flat}] was added at all ${OH * OW} positions of map ${flat}, so its ` +
      "gradient sums them: one number for each map, the shape of b.");
  },
};

const max_pool2d = {
  y(A, flat, {window}) {
    const [n, c, p, q] = A.y.index(flat), [, , H, W] = A.x.shape;
    const terms = taps(window, p, q, H, W).map(([, , h, w]) => [["x", n, c, h, w]]);
    const ties = terms.filter(([[, ...cell]]) => A.x.at(...cell) === A.y.data[flat]).length;
    const note = `The maximum is at tap ${A.argmax.data[flat]}, counted from 0 in row-major order.` +
      (ties > 1 ? ` ${ties} cells tie; the first of them takes the gradient.` : "");
    const further = [[["argmax", n, c, p, q]]];
    return {...products(A, "the maximum of the window", terms, note, further), max: true};
  },
  argmax(A, flat, options) { return {...max_pool2d.y(A, flat, options), terms: null, how: ""}; },
  gx(A, flat, {window}) {
    const [n, c, h, w] = A.gx.index(flat), [, , OH, OW] = A.gy.shape, terms = [];
    const covers = covering(window, h, w, OH, OW);
    let note = "No window covers this cell: its gradient is 0.";
    for (const [i, j, p, q] of covers) {
      const k = A.gy.flat(n, c, p, q), won = A.argmax.data[k] === i * window.kernel[1] + j;
      terms.push([[`[x won]`, won ? 1 : 0], factor(A, "gy", n, c, p, q)]);
      const x = A.x.data[flat], y = A.y.data[k];
      note = won ? "This cell is its window's maximum (the first, if several tie): it takes all of gy."
        : x === y ? `This cell ties with the window's first maximum, ${show(y)}, and gets nothing: ` +
                    "gy is passed on once, not to each."
        : `This cell is ${show(x)} and the window's maximum ${show(y)}: a small change here ` +
          "changes nothing, so the gradient is 0.";
    }
    const lit = lights(A, covers.map(([, , ...pq]) => ["gy", "y", "argmax"].map(role => [role, n, c, ...pq])));
    return {terms, lit: {...lit, x: [flat]}, how: "gy at the maximum, 0 elsewhere", note};
  },
};

const linear = {
  y(A, flat) {
    const [n, j] = A.y.index(flat);
    const terms = range(A.x.shape[1]).map(i => [["x", n, i], ["w", j, i]]);
    if (A.b) terms.push([["b", j]]);
    return products(A, "Σ x·w" + (A.b ? " + b" : ""), terms, `Output ${j} uses row ${j} of w.`);
  },
  gx(A, flat) {
    const [n, i] = A.gx.index(flat), J = A.gy.shape[1];
    return products(A, "Σ gy·w", range(J).map(j => [["gy", n, j], ["w", j, i]]),
      `x[${n},${i}] enters all ${J} outputs, through column ${i} of w.`);
  },
  gw(A, flat) {
    const [j, i] = A.gw.index(flat);
    return products(A, "gy·x", range(A.gy.shape[0]).map(n => [["gy", n, j], ["x", n, i]]),
      "One term for each example of the batch; here there is one.");
  },
  gb(A, flat) {
    return products(A, "Σ gy over the batch", range(A.gy.shape[0]).map(n => [["gy", n, flat]]),
      `b[${flat}] was added to output ${flat} of every example (here one), so its ` +
      "gradient sums over the batch: the shape of b.");
  },
};

const matmul = {
  y(A, flat) {
    const [i, j] = A.y.index(flat);
    return products(A, "Σ a·b", range(A.a.shape[1]).map(k => [["a", i, k], ["b", k, j]]));
  },
  ga(A, flat) {
    const [i, k] = A.ga.index(flat);
    return products(A, "Σ gy·b", range(A.gy.shape[1]).map(j => [["gy", i, j], ["b", k, j]]),
      "A row of gy times a row of b: gy bᵀ. One term for each example of the batch.");
  },
  gb(A, flat) {
    const [k, j] = A.gb.index(flat);
    return products(A, "Σ a·gy", range(A.gy.shape[0]).map(i => [["a", i, k], ["gy", i, j]]),
      "A column of a times a column of gy: aᵀ gy.");
  },
};

// Elementwise operations on inputs that broadcast: the value from the inputs' numbers, and for each
// input the factor of gy, as [label, number].
function elementwise(how, slopes) {
  const inputs = Object.keys(slopes);
  // the cell of an input that enters an output cell, as in a term
  const source = (A, role, index) => {
    const {shape} = A[role], lead = index.length - shape.length;
    return [role, ...shape.map((n, k) => n === 1 ? 0 : index[k + lead])];
  };
  const op = {y(A, flat) {
    const sources = inputs.map(role => source(A, role, A.y.index(flat)));
    return {how: how(...sources.map(([role, ...cell]) => factor(A, role, ...cell))),
            lit: lights(A, [sources])};
  }};
  for (const input of inputs) op["g" + input] = (A, flat) => {
    const terms = [], lit = [];
    for (let k = 0; k < A.gy.data.length; k++) {
      const index = A.gy.index(k), [, ...own] = source(A, input, index);
      if (A[input].flat(...own) !== flat) continue;
      const sources = inputs.map(role => source(A, role, index));
      const numbers = sources.map(([role, ...cell]) => factor(A, role, ...cell));
      terms.push([factor(A, "gy", ...index), slopes[input](...numbers, A.y.data[k])]);
      lit.push([["gy", ...index], ["y", ...index], ...sources]);
    }
    const many = terms.length > 1;
    return {terms, lit: lights(A, lit), how: many ? "Σ gy·slope" : "gy·slope", note: many ?
      `It was broadcast to ${terms.length} places, so its gradient sums over them.` : ""};
  };
  return op;
}

const OPERATIONS = {
  conv2d, max_pool2d, linear, matmul,
  relu: elementwise(x => `max(${show(x[1])}, 0)`, {x: (x, y) => ["[y > 0]", y > 0 ? 1 : 0]}),
  sigmoid: elementwise(x => `1 / (1 + e^(${show(-x[1])}))`, {x: (x, y) => ["y (1 - y)", y * (1 - y)]}),
  add: elementwise((a, b) => `${show(a[1])} + ${show(b[1])}`, {a: () => ["1", 1], b: () => ["1", 1]}),
  sub: elementwise((a, b) => `${show(a[1])} - ${show(b[1])}`, {a: () => ["1", 1], b: () => ["-1", -1]}),
  mul: elementwise((a, b) => `${show(a[1])} · ${show(b[1])}`, {a: (a, b) => b, b: a => a}),
  div: elementwise((a, b) => `${show(a[1])} / ${show(b[1])}`,
    {a: (a, b) => [`1/${b[0]}`, 1 / b[1]], b: (a, b, y) => [`-y/${b[0]}`, -y / b[1]]}),
  reshape: {
    y: (A, flat) => products(A, "the same entry in C order", [[["x", ...A.x.index(flat)]]]),
    gx: (A, flat) => products(A, "the same entry in C order", [[["gy", ...A.gy.index(flat)]]]),
  },
  sum: {
    y: A => products(A, "Σ x", range(A.x.data.length).map(k => [["x", ...A.x.index(k)]])),
    gx: A => products(A, "gy, repeated", [[["gy"]]]),
  },
  cross_entropy_rows: {
    y(A, flat) {
      const C = range(A.x.shape[1]), cells = C.map(c => A.x.flat(flat, c));
      return {how: "Σ q·(-ln p)", lit: {x: cells, p: cells, q: cells},
              terms: cells.map(k => [[bracket("q", A.q.index(k)), A.q.data[k]],
                                     [`-ln ${bracket("p", A.p.index(k))}`, -Math.log(A.p.data[k])]]),
              note: "q is 1 for the right digit and 0 elsewhere, so only its - ln p counts."};
    },
    p(A, flat) {
      const [n] = A.p.index(flat), cells = range(A.x.shape[1]).map(c => A.x.flat(n, c));
      return {how: "e^x / Σ e^x", lit: {x: cells}, note: "Softmax: positive numbers that add up to 1."};
    },
    gx(A, flat) {
      const [n] = A.gx.index(flat), p = A.p.data[flat], q = A.q.data[flat];
      return {terms: [[factor(A, "gy", n), ["(p - q)", p - q]]], how: "gy·(p - q)",
              lit: {gy: [n], p: [flat], q: [flat], x: [flat]},
              note: `p - q = ${show(p)} - ${show(q)}: softmax minus one-hot.`};
    },
  },
};
