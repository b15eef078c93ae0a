// One line of time: forward, backward, update; live memory under it, breakpoints and trouble on it.

import { bytes, cut, element, set, svg } from "./dom.js";

const WIDE = 1000;
const BAR = { top: 17, height: 13 };
const MEMORY = { top: 36, height: 26 };
const MOST_SEGMENTS = 320; // more would be thinner than a pixel: then one bar per phase

let timelines = 0;

export class Timeline {
  constructor(actions) {
    this.actions = actions; // goTo(moment)
    this.clip = `mt-time-${Math.random().toString(36).slice(2, 8)}${timelines++}`;
    this.drawing = svg("svg", { class: "timeline", viewBox: `0 0 ${WIDE} 64`, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.lanes = element("div", { class: "lanes", "aria-hidden": "true" });
    this.hint = element("div", { class: "hint", hidden: true });
    this.element = element("div", { class: "scrubber", role: "slider", tabindex: 0, "aria-label": "time", "aria-valuemin": 1 }, this.lanes, this.drawing, this.hint);
    this.element.addEventListener("pointerdown", (event) => this.grab(event));
    this.element.addEventListener("pointermove", (event) => this.move(event));
    this.element.addEventListener("pointerup", () => (this.held = false));
    this.element.addEventListener("pointercancel", () => (this.held = false));
    this.element.addEventListener("pointerleave", () => (this.hint.hidden = true));
  }

  get step() {
    return WIDE / Math.max(1, this.moments.length);
  }

  draw(recording) {
    this.moments = recording.moments;
    const phases = this.phases();
    const bars = () => (this.moments.length <= MOST_SEGMENTS ? this.segments() : phases.map((phase) => this.bar(phase.phase, phase.start, phase.count)));
    this.reveal = svg("rect", { x: 0, y: 0, width: 0, height: 40 });
    this.now = svg("rect", { class: "now", y: BAR.top, height: BAR.height, width: Math.max(3, this.step - 1.5), rx: 2 });
    this.playhead = svg("line", { class: "playhead", y1: 12, y2: 64 });
    this.points = svg("g", { class: "points" });
    this.drawing.replaceChildren(
      svg("defs", {}, svg("clipPath", { id: this.clip }, this.reveal)),
      svg("g", { class: "coming" }, bars()), svg("g", { class: "past", "clip-path": `url(#${this.clip})` }, bars()),
      this.now, this.memory(), this.trouble(), this.points, this.playhead);
    this.lanes.replaceChildren(...phases.map((phase) => {
      const label = element("span", { class: phase.phase }, phase.phase);
      label.style.left = `${(100 * phase.start) / this.moments.length}%`;
      label.style.maxWidth = `${(100 * phase.count) / this.moments.length}%`;
      label.title = phase.phase;
      return label;
    }));
    this.element.setAttribute("aria-valuemax", this.moments.length);
  }

  phases() {
    const found = [];
    this.moments.forEach((moment, index) => {
      if (found.at(-1)?.phase === moment.phase) found.at(-1).count++;
      else found.push({ phase: moment.phase, start: index, count: 1 });
    });
    return found;
  }

  segments() {
    return this.moments.map((moment, index) => this.bar(moment.phase, index, 1));
  }

  bar(phase, start, count) {
    const gap = Math.min(3, this.step / 5);
    return svg("rect", { class: phase, x: start * this.step + gap / 2, y: BAR.top, width: count * this.step - gap, height: BAR.height, rx: Math.min(3, this.step / 4) });
  }

  // Bytes that live at each moment: what is kept for backward, gradients under way, the rest.
  memory() {
    const most = Math.max(1, ...this.moments.map((moment) => moment.memory ?? 0));
    const area = (name, top, bottom) => {
      const point = (bytesOf) => (moment, index) => `${(index + 0.5) * this.step},${MEMORY.top + MEMORY.height * (1 - bytesOf(moment) / most)}`;
      const over = this.moments.map(point(top));
      const under = this.moments.map(point(bottom)).reverse();
      return svg("polygon", { class: `memory ${name}`, points: [...over, ...under].join(" ") });
    };
    const rest = (moment) => Math.max(0, (moment.memory ?? 0) - (moment.kept ?? 0) - (moment.gradients ?? 0));
    const kept = (moment) => rest(moment) + (moment.kept ?? 0);
    const all = (moment) => kept(moment) + (moment.gradients ?? 0);
    return svg("g", {}, area("rest", rest, () => 0), area("kept", kept, rest), area("gradients", all, kept));
  }

  trouble() {
    return svg("g", { class: "flags" }, this.moments.flatMap((moment, index) => moment.flags?.length
      ? [svg("rect", { x: index * this.step, y: BAR.top + BAR.height + 1.5, width: Math.max(2.5, this.step - 1), height: 3 })] : []));
  }

  mark(breakpoints) {
    const marks = (breakpoints ?? []).flatMap((point) => point.moments.map((moment) => {
      const x = (moment + 0.5) * this.step;
      return svg("path", { class: point.enabled ? "point" : "point disabled", d: `M${x - 4.5},7 h9 v4 l-4.5,5 l-4.5,-5 z` }, svg("title", {}, cut(point.text, 200)));
    }));
    this.points.replaceChildren(...marks);
  }

  paint(position, moment) {
    const x = (position + 0.5) * this.step;
    set(this.reveal, "width", String(position * this.step));
    set(this.now, "x", String(x - this.now.getAttribute("width") / 2));
    set(this.now, "class", `now ${moment.phase}`);
    set(this.playhead, "x1", String(x));
    set(this.playhead, "x2", String(x));
    set(this.element, "aria-valuenow", String(position + 1));
    set(this.element, "aria-valuetext", cut(`${position + 1} of ${this.moments.length}: ${moment.phase}, ${moment.text}`, 300));
  }

  // ---- scrubbing ----------------------------------------------------------------------------

  momentUnder(event) {
    const frame = this.drawing.getBoundingClientRect();
    const share = (event.clientX - frame.left) / (frame.width || 1);
    return Math.min(this.moments.length - 1, Math.max(0, Math.floor(share * this.moments.length)));
  }

  grab(event) {
    if (event.button !== 0 || !this.moments.length) return;
    this.held = true;
    this.element.setPointerCapture(event.pointerId);
    this.actions.goTo(this.momentUnder(event));
  }

  move(event) {
    if (!this.moments.length) return;
    const index = this.momentUnder(event);
    if (this.held) this.actions.goTo(index);
    const moment = this.moments[index];
    this.hint.hidden = false;
    this.hint.textContent = cut(`${index + 1} · ${moment.text}`, 90) + (moment.memory ? ` · ${bytes(moment.memory)}` : "");
    const frame = this.element.getBoundingClientRect();
    const left = Math.min(Math.max(event.clientX - frame.left, 90), frame.width - 90);
    this.hint.style.left = `${left}px`;
  }
}
