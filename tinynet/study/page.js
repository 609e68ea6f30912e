"use strict";
// The page: draws pictures of the embedded numbers, and handles clicks, keys and hovering.

(() => {
  const {arrays, operations} = JSON.parse(document.getElementById("numbers").textContent);
  const decoded = new Map();

  // Little-endian float32 in base64, decoded on first use; browsers' machines are little-endian.
  function numbers(key) {
    if (!decoded.has(key)) {
      const {shape, data} = arrays[key], bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
      decoded.set(key, new Numbers(new Float32Array(bytes.buffer), shape));
    }
    return decoded.get(key);
  }

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const named = name => style.getPropertyValue(name).trim();
    const rgb = name => [1, 3, 5].map(k => parseInt(named(name).slice(k, k + 2), 16));
    return {zero: rgb("--zero"), positive: rgb("--positive"), negative: rgb("--negative"),
            frame: named("--frame"), lit: named("--lit"), cursor: named("--cursor")};
  }
  let palette = colours();

  // --- one operation, forward or backward: its pictures and the text below them ---

  class Part {
    constructor(article) {
      this.article = article;
      this.operation = operations[article.dataset.operation];
      this.readout = article.querySelector(".readout-text");
      this.pictures = [...article.querySelectorAll("canvas")].map(canvas =>
        new Picture(canvas, arrays[canvas.dataset.numbers].shape, () => numbers(canvas.dataset.numbers)));
      // the first picture of each role; gy is drawn once for each rule
      this.byRole = Object.fromEntries([...this.pictures].reverse().map(p => [p.role, p]));
      // includes arrays that are not drawn here, such as y in the backward of a ReLU
      this.numbers = new Proxy({}, {get: (_, role) => {
        const key = this.operation && this.operation.roles[role];
        return this.byRole[role] ? this.byRole[role].numbers : key ? numbers(key) : undefined;
      }});
      this.pinned = false;
      for (const picture of this.pictures) this.listen(picture);
      article.querySelectorAll("[data-move]").forEach(button => button.addEventListener("click", () => {
        const [rows, columns] = button.dataset.move.split(" ").map(Number);
        if (this.current) this.select(this.current, this.current.moved(rows, columns), true);
      }));
    }

    listen(picture) {
      const {canvas} = picture;
      const cell = event => picture.cellAt(event.offsetX, event.offsetY);
      canvas.addEventListener("pointermove", event => {
        if (event.pointerType !== "mouse" || this.pinned) return;
        const flat = cell(event);
        if (flat !== null && (this.current !== picture || picture.cursor !== flat))
          this.select(picture, flat, false);
      });
      canvas.addEventListener("pointerleave", () => { if (!this.pinned) this.clear(); });
      canvas.addEventListener("click", event => {
        const flat = cell(event);
        if (flat !== null) this.select(picture, flat, true);
      });
      canvas.addEventListener("focus", () => {
        if (!this.pinned && canvas.matches(":focus-visible")) this.select(picture, picture.cursor, true);
      });
      const targets = {
        ArrowLeft: () => picture.moved(0, -1), ArrowRight: () => picture.moved(0, 1),
        ArrowUp: () => picture.moved(-1, 0), ArrowDown: () => picture.moved(1, 0),
        PageDown: () => picture.panel(1), PageUp: () => picture.panel(-1),
        Home: () => 0, End: () => picture.size - 1,
        Enter: () => picture.cursor, " ": () => picture.cursor,
      };
      canvas.addEventListener("keydown", event => {
        if (event.key === "Escape") this.clear();
        else if (targets[event.key]) this.select(picture, targets[event.key](), true);
        else return;
        event.preventDefault();
      });
    }

    clear() {
      this.pinned = false;
      this.current = null;
      for (const picture of this.pictures) { picture.lit = []; picture.active = false; }
      this.readout.textContent = this.readout.dataset.empty;
      this.readout.parentElement.classList.remove("active");
      this.draw();
    }

    select(picture, flat, pin) {
      this.pinned = pin;
      this.current = picture;
      for (const other of this.pictures) { other.lit = []; other.active = false; }
      picture.cursor = flat;
      picture.active = true;
      const role = picture.role, rules = this.operation ? OPERATIONS[this.operation.name] : undefined;
      const rule = rules && Object.hasOwn(rules, role) ? rules[role] : null;
      const found = rule ? rule(this.numbers, flat, this.operation.options) : null;
      if (found) for (const other of this.pictures) other.lit = found.lit[other.role] || [];
      this.readout.replaceChildren(...this.lines(picture, flat, found));
      this.readout.parentElement.classList.add("active");
      if (pin) for (const other of this.pictures) reveal(other);
      this.draw();
    }

    lines(picture, flat, found) {
      const name = bracket(picture.role, picture.numbers.index(flat));
      const value = picture.numbers.data[flat], nodes = [];
      const add = (tag, text, kind) => {
        const node = document.createElement(tag);
        if (kind) node.className = kind;
        node.textContent = text;
        nodes.push(node);
      };
      const terms = found && found.terms;
      const how = found && found.how ? ` = ${found.how}` : "";
      add("p", `${name}${how} = ${show(value)}`, "value");
      if (found && found.note) add("p", found.note, "note");
      if (terms && (terms.length > 1 || terms[0] && terms[0].length > 1)) {
        const totals = terms.map(term => term.reduce((product, [, x]) => product * x, 1));
        const texts = terms.map((term, k) => {
          const labels = term.map(([label]) => label).join(" · ");
          const values = term.map(([, x]) => show(x)).map((x, i) => i && x[0] === "-" ? `(${x})` : x);
          return `${labels} = ${values.join(" · ")}` +
            (term.length > 1 ? ` = ${Number(totals[k].toPrecision(7))}` : "");
        });
        add("pre", texts.join("\n"), "terms");
        if (!found.max) {
          const total = totals.reduce((a, b) => a + b, 0);
          add("p", `The sum of ${terms.length === 1 ? "this term" : `these ${terms.length} terms`}` +
            ` in float64 is ${Number(total.toPrecision(9))}; float32 rounds at each step.`, "note");
        }
      }
      return nodes;
    }

    draw() { for (const picture of this.pictures) picture.draw(palette); }

    // Sizes all pictures at once, so nothing moves later; they are drawn when they come into view.
    arrange(width) {
      for (const picture of this.pictures) picture.arrange(width);
      if (this.near) this.draw();
    }
  }

  // Scrolls a wide picture sideways within its frame to the first lit cell.
  function reveal(picture) {
    const frame = picture.canvas.parentElement, flat = picture.active ? picture.cursor : picture.lit[0];
    if (flat === undefined || frame.scrollWidth <= frame.clientWidth) return;
    const [x] = picture.corner(flat);
    if (x < frame.scrollLeft || x > frame.scrollLeft + frame.clientWidth - 10)
      frame.scrollLeft = x - frame.clientWidth / 2;
  }

  const parts = new Map([...document.querySelectorAll("[data-operation]")].map(a => [a.id, new Part(a)]));

  const someFrame = document.querySelector(".pictures");
  function arrange() {
    palette = colours();
    for (const part of parts.values()) part.arrange(someFrame.clientWidth - 8);
  }
  arrange();
  const observer = new IntersectionObserver(entries => {
    for (const entry of entries) {
      const part = parts.get(entry.target.id);
      part.near = entry.isIntersecting;
      if (part.near) part.draw();
    }
  }, {rootMargin: "400px"});
  for (const part of parts.values()) observer.observe(part.article);
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    arrange();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", arrange);

  // On a phone the graph would push everything else down.
  if (window.innerWidth < 960) document.querySelector("nav .whole").open = false;

  // "Show me": data-show="article role flat"
  document.querySelectorAll("[data-show]").forEach(button => button.addEventListener("click", () => {
    const [id, role, flat] = button.dataset.show.split(" "), part = parts.get(id);
    const picture = part.byRole[role];
    picture.canvas.focus({preventScroll: true});
    picture.canvas.scrollIntoView({block: "center"});
    part.select(picture, Number(flat), true);
  }));

  // For tests and the console: lit cells, and the position of a cell.
  window.study = {
    select: (id, role, flat) => parts.get(id).select(parts.get(id).byRole[role], flat, true),
    lit: id => Object.fromEntries(parts.get(id).pictures.map(p => [p.role, [...p.lit]])),
    place: (id, role, flat) => {
      const picture = parts.get(id).byRole[role], [x, y] = picture.corner(flat);
      return [x + picture.cell / 2, y + picture.cell / 2, picture.width, picture.height];
    },
    cursor: (id, role) => parts.get(id).byRole[role].cursor,
    numbers: key => [...numbers(key).data],
  };
})();
