// Predict, then reveal: the result stays covered until the learner has typed what it will be.

import { element, isFinite } from "./dom.js";
import { asRows, numberGrid } from "./tensors.js";

export const MOST = 16; // elements that one can be asked to type
const TOLERANCE = 0.005; // of the largest element: three digits are enough

export function canPredict(array) {
  return array?.values !== null && array?.values !== undefined && array.shape.reduce((a, b) => a * b, 1) <= MOST;
}

export function parseGuess(text) {
  const plain = text.replaceAll("−", "-").trim();
  const numbers = plain.match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi);
  if (!numbers || /[^\d\s.,;+\-eE[\]()]/.test(plain)) return null;
  return numbers.map(Number);
}

// Right, or the difference element by element.
export function compare(guess, values) {
  const right = asRows(values);
  const flat = right.flat();
  if (guess.length !== flat.length) return { ok: false, text: `it has ${flat.length} element${flat.length > 1 ? "s" : ""}, you typed ${guess.length}` };
  const most = Math.max(...flat.filter(isFinite).map(Math.abs), 1e-12);
  const apart = flat.map((value, index) => (isFinite(value) ? guess[index] - value : value));
  const ok = apart.every((value) => isFinite(value) && Math.abs(value) <= TOLERANCE * most);
  if (ok) return { ok, text: "✓ right" };
  let next = 0;
  return { ok, text: "✗ not yet", difference: right.map((row) => row.map(() => apart[next++])) };
}

export function predictionCard(array, caption, { done }) {
  const input = element("input", { "aria-label": `your prediction for ${caption}`, size: 14, placeholder: array.size === "scalar" ? "a number" : `${array.size}: 0.1, …` });
  const answer = element("div", { class: "answer", role: "status" });
  const check = (event) => {
    event.preventDefault();
    const guess = parseGuess(input.value);
    const found = guess ? compare(guess, array.values) : { ok: false, text: "type numbers, separated by commas" };
    answer.replaceChildren(element("p", { class: found.ok ? "ok" : "bad" }, found.text));
    if (found.difference) answer.append(element("small", {}, "yours − right"), numberGrid(found.difference));
    if (found.ok) done();
  };
  const card = element("form", { class: "predict", onsubmit: check },
    element("b", {}, caption), element("div", { class: "question", "aria-hidden": "true" }, "?"), input,
    element("span", {}, element("button", { class: "primary" }, "check"), " ", element("button", { type: "button", onclick: done }, "reveal")), answer);
  card.own = true;
  return card;
}
