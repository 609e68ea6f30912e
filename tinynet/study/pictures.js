"use strict";
// An array as a picture on a canvas: one small rectangle per number, blue below 0, orange above.
// Arrays of three or more axes are panels of their last two; a vector is wrapped into rows.

class Picture {
  // `fetch` returns the numbers on first use: most of a page is never looked at.
  constructor(canvas, shape, fetch) {
    this.canvas = canvas;
    this.fetch = fetch;
    this.role = canvas.dataset.role;
    this.cursor = 0;
    this.lit = [];
    const size = shape.reduce((a, b) => a * b, 1);
    const column = shape.length === 2 && shape[1] === 1;
    if (shape.length < 2 || shape[0] === 1 && shape.length === 2 || column) {
      this.panels = 1;
      this.columns = size > 16 ? Math.min(size, column && size === 64 ? 8 : 32) : Math.max(size, 1);
      this.rows = Math.ceil(size / this.columns);
    } else {
      [this.rows, this.columns] = shape.slice(-2);
      this.panels = size / (this.rows * this.columns);
      this.perRow = shape.length === 4 && shape[0] > 1 && shape[1] > 1 ? shape[1] : this.panels;
    }
    this.size = size;
  }

  get numbers() { return this.fetch(); }

  // Sizes in CSS pixels for the available width.
  arrange(width) {
    const longest = Math.max(this.columns, this.rows);
    const many = this.panels > 1;
    this.cell = longest <= 5 ? (this.panels > 32 ? 9 : many ? 14 : 20) : longest <= 12 ? (many ? 8 : 20)
      : longest <= 16 ? (many ? 7 : 20) : longest <= 32 ? (many ? 5 : this.rows < 12 ? 18 : 9)
      : longest <= 64 ? 6 : longest <= 160 ? 4 : 2;
    // smaller if there is less room, as long as a cell is visible
    const least = longest <= 64 ? 3 : 1.5;
    this.cell = Math.max(Math.min(this.cell, least), Math.min(this.cell, width / this.columns));
    this.gap = many ? 4 : 0;
    const fit = Math.max(1, Math.floor((width + this.gap) / (this.columns * this.cell + this.gap)));
    this.across = Math.min(this.perRow || 1, fit, this.panels);
    this.down = Math.ceil(this.panels / this.across);
    this.width = this.across * (this.columns * this.cell + this.gap) - this.gap;
    this.height = this.down * (this.rows * this.cell + this.gap) - this.gap;
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.base = null;
  }

  // The top left corner of a cell, in CSS pixels from the canvas's corner.
  corner(flat) {
    const area = this.rows * this.columns, panel = Math.floor(flat / area), within = flat % area;
    return [
      panel % this.across * (this.columns * this.cell + this.gap) + within % this.columns * this.cell,
      Math.floor(panel / this.across) * (this.rows * this.cell + this.gap) +
        Math.floor(within / this.columns) * this.cell,
    ];
  }

  // The cell at a point, or null between panels.
  cellAt(x, y) {
    const px = this.columns * this.cell + this.gap, py = this.rows * this.cell + this.gap;
    const [a, b] = [Math.floor(x / px), Math.floor(y / py)];
    const column = Math.floor((x - a * px) / this.cell), row = Math.floor((y - b * py) / this.cell);
    const panel = b * this.across + a;
    if (x < 0 || y < 0 || a >= this.across || panel >= this.panels) return null;
    if (column >= this.columns || row >= this.rows) return null;
    const flat = (panel * this.rows + row) * this.columns + column;
    return flat < this.size ? flat : null;
  }

  // Paints the numbers in the page's colours, one pixel each.
  paint(colours) {
    const area = this.rows * this.columns, {data} = this.numbers;
    let top = 0;
    for (const x of data) if (Math.abs(x) > top) top = Math.abs(x);
    this.base = range(this.panels).map(panel => {
      const sheet = document.createElement("canvas");
      sheet.width = this.columns;
      sheet.height = this.rows;
      const context = sheet.getContext("2d"), image = context.createImageData(this.columns, this.rows);
      for (let k = 0; k < area && panel * area + k < this.size; k++) {
        const x = data[panel * area + k], t = top ? Math.abs(x) / top : 0;
        const end = x < 0 ? colours.negative : colours.positive;
        for (let c = 0; c < 3; c++)
          image.data[4 * k + c] = Math.round(colours.zero[c] + t * (end[c] - colours.zero[c]));
        image.data[4 * k + 3] = 255;
      }
      context.putImageData(image, 0, 0);
      return sheet;
    });
  }

  draw(colours) {
    if (!this.base) this.paint(colours);
    const {canvas} = this, ratio = window.devicePixelRatio || 1, context = canvas.getContext("2d");
    const [width, height] = [this.width, this.height].map(n => Math.ceil(n * ratio));
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    context.imageSmoothingEnabled = false;
    this.base.forEach((sheet, panel) => {
      const [x, y] = this.corner(panel * this.rows * this.columns);
      context.drawImage(sheet, x, y, this.columns * this.cell, this.rows * this.cell);
      context.strokeStyle = colours.frame;
      context.lineWidth = 1;
      context.strokeRect(x + .5, y + .5, this.columns * this.cell - 1, this.rows * this.cell - 1);
    });
    this.outline(context, colours.lit);
    if (this.active) {
      const [x, y] = this.corner(this.cursor), size = Math.max(this.cell, 6);
      context.strokeStyle = colours.cursor;
      context.lineWidth = 2.5;
      context.strokeRect(x + (this.cell - size) / 2, y + (this.cell - size) / 2, size, size);
    }
  }

  // Outlines the lit cells: draws a side if the neighbour is not lit.
  outline(context, colour) {
    const lit = new Set(this.lit), {cell, columns, rows} = this;
    context.fillStyle = colour;
    const thick = cell >= 4 ? 2 : 1;
    for (const flat of lit) {
      const [x, y] = this.corner(flat), column = flat % columns;
      const row = Math.floor(flat / columns) % rows;
      if (cell < 3) { context.fillRect(x, y, cell, cell); continue; }
      if (row === 0 || !lit.has(flat - columns)) context.fillRect(x, y, cell, thick);
      if (row === rows - 1 || !lit.has(flat + columns)) context.fillRect(x, y + cell - thick, cell, thick);
      if (column === 0 || !lit.has(flat - 1)) context.fillRect(x, y, thick, cell);
      if (column === columns - 1 || !lit.has(flat + 1)) context.fillRect(x + cell - thick, y, thick, cell);
    }
  }

  // The cursor moved by rows and columns within its panel.
  moved(rows, columns) {
    const area = this.rows * this.columns, panel = Math.floor(this.cursor / area);
    const row = Math.floor(this.cursor % area / this.columns), column = this.cursor % this.columns;
    const to = (panel * this.rows + Math.min(Math.max(row + rows, 0), this.rows - 1)) * this.columns +
      Math.min(Math.max(column + columns, 0), this.columns - 1);
    return to < this.size ? to : this.cursor;
  }

  // The same position `step` panels further.
  panel(step) {
    const to = this.cursor + step * this.rows * this.columns;
    return to >= 0 && to < this.size ? to : this.cursor;
  }
}
