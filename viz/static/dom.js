// Elements and words. Text always goes in as text: nothing that a user named is parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

// Signs that turn the direction of the text after them: a name with one could look like another.
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export function visible(text) {
  return text.replace(TURNING, (sign) => `[U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on") && typeof value === "function") {
      made[name] = value; // not a listener, so that `refill` can hand it on
    } else if (name === "value" || name === "checked") {
      made[name] = value;
    } else if (value === true) {
      made.setAttribute(name, "");
    } else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, visible(String(value)));
    }
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false).map((child) => (child instanceof Node ? child : visible(String(child)))));
  return made;
}

export function element(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// Setting an attribute costs a repaint, so only when it changes.
export function set(made, name, value) {
  if (made.getAttribute(name) !== value) made.setAttribute(name, value);
}

const HANDLERS = ["onclick", "onchange", "oninput", "onsubmit", "onkeydown"];

// Let a place hold these parts. What is there already is changed where it differs and not made anew:
// the browser lays out and paints less, and the focus and what was scrolled stay where they were.
// A part with `own` set answers to elements inside itself, so it comes in whole.
export function refill(place, ...parts) {
  const wanted = parts.flat(Infinity).filter((part) => part !== null && part !== undefined && part !== false).map((part) => (part instanceof Node ? part : document.createTextNode(visible(String(part)))));
  const there = [...place.childNodes];
  wanted.forEach((made, index) => {
    const old = there[index];
    if (!old) place.append(made);
    else if (old === made) return;
    else if (old.nodeName !== made.nodeName || old.own || made.own) old.replaceWith(made);
    else become(old, made);
  });
  for (const rest of there.slice(wanted.length)) rest.remove();
}

function become(old, made) {
  if (old instanceof Text) {
    if (old.data !== made.data) old.data = made.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!made.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of made.attributes) set(old, name, value);
  for (const name of HANDLERS) if (old[name] !== made[name]) old[name] = made[name];
  refill(old, [...made.childNodes]);
}

export function cut(text, most) {
  const whole = String(text ?? "");
  return whole.length > most ? whole.slice(0, most - 1) + "…" : whole;
}

export const NOT_YET = "not yet";

// Numbers as one reads them: four significant digits, a real minus sign, a name for what is not one.
export function number(value, digits = 4) {
  if (value === null || value === undefined) return NOT_YET;
  if (typeof value === "string") return value.replace("-inf", "−∞").replace("inf", "∞").replace("nan", "NaN");
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (Number.isInteger(value) && size < 1e6) text = String(value);
  else if (size >= 1e5 || size < 1e-3) text = value.toExponential(Math.max(0, digits - 2));
  else text = value.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(size))));
  return text.replaceAll("-", "−");
}

export function signed(value, digits = 4) {
  return typeof value === "number" && value > 0 ? "+" + number(value, digits) : number(value, digits);
}

export function bytes(count) {
  if (count === null || count === undefined) return NOT_YET;
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (count >= size) return `${(count / size).toPrecision(count >= 100 * size ? 3 : 2).replace(/\.0$/, "")} ${unit}`;
  }
  return `${count} B`;
}

export function percent(share) {
  if (share === null || share === undefined) return NOT_YET;
  return share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(100 * share)} %`;
}

export function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

export function isFinite(value) {
  return typeof value === "number" && Number.isFinite(value);
}
