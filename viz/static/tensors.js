// Pictures of one array: a heat map or an image, a grid of numbers when it is small, a histogram.

import { bytes, element, isFinite, number, NOT_YET, svg } from "./dom.js";

const GRID_ROWS = 6;
const GRID_COLUMNS = 6;

// Pixels per element, shared by the pictures of one formula so that equal dimensions look equal.
export function cellSize(arrays, longest) {
  const sides = arrays.filter(Boolean).flatMap((array) => [array.thumb?.width ?? 1, array.thumb?.height ?? 1]);
  return Math.min(22, longest / Math.max(1, ...sides));
}

export function tensorFigure(array, { caption, role = "plain", cell, strong = false, open } = {}) {
  const figure = element("figure", { class: `tensor ${role}${strong ? " strong" : ""}` }, element("figcaption", {}, caption));
  if (!array) {
    figure.append(element("div", { class: "missing" }, NOT_YET));
    return figure;
  }
  const words = `${caption}, ${array.size}, from ${number(array.min)} to ${number(array.max)}`;
  const picture = pictureOf(array, cell ?? cellSize([array], 100));
  figure.append(element("button", { type: "button", class: "picture", "aria-label": `${words}: show the numbers`, title: "show the numbers", onclick: () => open?.(array, caption) }, picture));
  figure.append(element("small", {}, array.size === "scalar" ? "" : array.size, rangeLine(array)));
  if (array.nan || array.inf) figure.append(element("small", { class: "bad" }, troubleWords(array)));
  if (array.thumb?.note) figure.append(element("small", {}, array.thumb.note));
  return figure;
}

function rangeLine(array) {
  if (array.size === "scalar" || fitsGrid(array)) return null;
  const limit = array.thumb?.limit;
  return limit === undefined || limit === null || array.thumb.kind === "image" ? null : element("span", {}, `±${number(limit, 3)}`);
}

export function troubleWords(array) {
  return [array.nan && `${array.nan} NaN`, array.inf && `${array.inf} infinite`].filter(Boolean).join(", ");
}

export function pictureOf(array, cell) {
  if (fitsGrid(array)) return numberGrid(array.values, array.thumb?.limit);
  const thumb = array.thumb;
  if (!thumb) return element("div", { class: "missing" }, "empty");
  const side = (count) => Math.max(18, Math.round(count * cell));
  return element("img", { src: thumb.png.startsWith("data:image/png;base64,") ? thumb.png : null, alt: "", class: thumb.kind === "image" ? "photo" : "heat", width: side(thumb.width), height: side(thumb.height), draggable: "false" });
}

export function fitsGrid(array) {
  if (array.values === null || array.values === undefined) return false;
  const rows = asRows(array.values);
  return rows !== null && rows.length <= GRID_ROWS && rows.length > 0 && rows[0].length > 0 && rows[0].length <= GRID_COLUMNS;
}

// A number, a vector or a matrix as rows; deeper arrays as the rows of all their matrices.
export function asRows(values) {
  if (!Array.isArray(values)) return [[values]];
  if (!values.some(Array.isArray)) return [values];
  if (!values.some((row) => row.some?.(Array.isArray))) return values;
  return values.flatMap(asRows);
}

// Each row of the grid by its place in the array: of a matrix "3", of a deeper array "0, 1, 3".
export function rowNames(values, before = []) {
  if (!Array.isArray(values) || !values.some(Array.isArray)) return [before.join(", ")];
  return values.flatMap((part, index) => rowNames(part, [...before, index]));
}

// `heads`: {rows, column}: the rows' names, and the number of the first column.
export function numberGrid(values, limit, digits = 3, heads = null) {
  const rows = asRows(values);
  const finite = rows.flat().filter(isFinite).map(Math.abs);
  const most = limit || Math.max(...finite, 1e-30);
  const write = sameForm(most, digits);
  const corner = heads?.rows.some(Boolean);
  const head = heads && element("thead", {}, element("tr", {}, corner && element("th", { "aria-hidden": "true" }), (rows[0] ?? []).map((_, index) => element("th", { scope: "col" }, index + heads.column))));
  return element("table", { class: "grid" }, head, element("tbody", {}, rows.map((row, index) =>
    element("tr", {}, corner && element("th", { scope: "row" }, heads.rows[index]), row.map((value) => numberCell(value, most, write))))));
}

// As many decimals for all as the largest needs, so that columns line up; what would be 0 then is
// written out.
function sameForm(most, digits) {
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(most)));
  if (most >= 1e4 || decimals > 4) return (value) => number(value, digits);
  return (value) => {
    if (!isFinite(value) || Number.isInteger(value)) return number(value);
    const text = value.toFixed(decimals);
    return Number(text) === 0 ? number(value, 1) : text.replace("-", "−");
  };
}

function numberCell(value, most, write) {
  const cell = element("td", {}, write(value));
  if (!isFinite(value)) cell.className = "bad";
  else {
    const share = Math.min(100, Math.round((100 * Math.abs(value)) / most));
    cell.style.background = `color-mix(in srgb, var(${value < 0 ? "--below" : "--above"}) ${share}%, #fff)`;
    cell.style.color = share > 55 ? "#fff" : "#1c2430";
  }
  return cell;
}

export function histogram(hist, role) {
  if (!hist) return element("span", { class: "muted" }, "–");
  const most = Math.max(...hist.counts, 1);
  const wide = 150 / hist.counts.length;
  const bars = hist.counts.flatMap((count, index) => (count ? `M${(index * wide).toFixed(1)},34v${(-Math.max(1, (32 * count) / most)).toFixed(1)}h${(wide - 0.8).toFixed(1)}V34z` : []));
  const zero = hist.low < 0 && hist.high > 0 ? (150 * -hist.low) / (hist.high - hist.low) : null;
  const words = `histogram from ${number(hist.low)} to ${number(hist.high)}`;
  return element("div", { class: `hist ${role}` },
    svg("svg", { viewBox: "0 0 150 35", role: "img", "aria-label": words }, svg("path", { d: bars.join("") }), zero !== null && svg("line", { x1: zero, x2: zero, y1: 0, y2: 35 })),
    element("div", { class: "ends" }, element("span", {}, number(hist.low, 2)), element("span", {}, number(hist.high, 2))));
}

// The numbers themselves, in a panel over the inspector; what is not in the page is asked for.
export class Lens {
  constructor(ask) {
    this.ask = ask;
    this.body = element("div", { class: "numbers-table", tabindex: 0 });
    this.title = element("b");
    this.note = element("span", { class: "muted" });
    this.places = element("span", { class: "places" });
    this.element = element("div", { class: "lens", role: "dialog", "aria-label": "exact numbers", hidden: true },
      element("div", { class: "lens-head" }, this.title, this.note, this.places, element("button", { type: "button", "aria-label": "close the numbers", onclick: () => this.close() }, "✕")), this.body);
  }

  async open(id, array, caption) {
    this.returnTo = this.element.getRootNode().activeElement ?? document.activeElement;
    this.element.hidden = false;
    this.title.textContent = caption;
    this.note.textContent = `${array.size} · ${array.dtype} · ${bytes(array.bytes)}`;
    this.body.replaceChildren();
    this.places.replaceChildren();
    this.body.focus();
    if (array.values !== null && array.values !== undefined) return this.show(array.values, array.thumb?.limit);
    if (!this.ask.online) return this.say("Only a summary and the picture are in this page. With a running kernel the numbers can be read here.");
    this.say("asking…");
    await this.turnTo(id, array, {});
  }

  // A part of a large array: one matrix of it, from a row and a column on.
  async turnTo(id, array, place) {
    try {
      const reply = await this.ask({ type: "values", array: id, ...place });
      this.note.textContent = [array.size, array.dtype, bytes(array.bytes), reply.note].filter(Boolean).join(" · ");
      this.show(reply.values, array.thumb?.limit, reply.at, reply.from);
      this.drawPlaces(reply.places, (changed) => this.turnTo(id, array, { ...place, ...changed }));
    } catch (error) {
      this.say(error.message);
    }
  }

  drawPlaces(places, turn) {
    if (this.places.childElementCount) return; // they stay as the reader has set them
    this.places.replaceChildren(...places.map(({ name, words, last }) => element("label", {}, `${words} `,
      element("input", { type: "number", min: 0, max: last, value: 0, onchange: (event) => turn({ [name]: Number(event.target.value) }) }))));
  }

  show(values, limit, at = [], [row, column] = [0, 0]) {
    const rows = at.length || row ? asRows(values).map((_, index) => [...at, row + index].join(", ")) : rowNames(values);
    this.body.replaceChildren(numberGrid(values, limit, 5, Array.isArray(values) ? { rows, column } : null));
  }

  say(words) {
    this.body.replaceChildren(element("p", { class: "muted" }, words));
  }

  close() {
    if (this.element.hidden) return false;
    this.element.hidden = true;
    this.returnTo?.focus?.();
    return true;
  }
}
