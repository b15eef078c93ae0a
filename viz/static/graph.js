// The graph: drawn once from its layout; a step only changes class names.

import { changesOf, Offstage } from "./changes.js";
import { cut, element, number, set, svg } from "./dom.js";
import { PanZoom } from "./panzoom.js";

const LEAST_SCALE = 0.85; // below this the labels cannot be read, so the view follows the step
const MOST_SCALE = 1.15;
const TALLEST = 400;
const LOWEST = 120;
const MARGIN = 14; // left and right of the drawing
const TRIM = 8; // of the margin that the drawing has above and below
const MOST_GLIDING = 120; // nodes; a larger drawing is too slow to move frame by frame

let drawings = 0;

export class GraphView {
  constructor(actions) {
    this.actions = actions; // select(id), toggle(module), jump(id)
    this.marks = `mt${Math.random().toString(36).slice(2, 8)}${drawings++}`;
    this.drawing = svg("svg", { class: "drawing", role: "group", "aria-label": "nodes" });
    this.canvas = element("div", { class: "canvas", role: "application", tabindex: 0, "aria-label": "computation graph: arrow keys step, shift and arrow keys walk from node to node, Enter goes to the node's moment" }, this.drawing);
    this.note = element("p", { class: "note", hidden: true });
    this.element = element("section", { class: "graph", "aria-label": "graph" }, this.canvas, this.note, this.zoomButtons());
    this.view = new PanZoom(this.canvas, this.drawing, (view) => this.offstage?.follow(view));
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.canvas.addEventListener("dblclick", (event) => this.click(event, true));
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(this.element);
  }

  zoomButtons() {
    const button = (text, title, act) => element("button", { type: "button", title, "aria-label": title, onclick: act }, text);
    return element("div", { class: "zoom" },
      button("+", "zoom in", () => this.view.zoom(0.8)),
      button("−", "zoom out", () => this.view.zoom(1.25)),
      button("⤢", "see the whole graph", () => this.fit()));
  }

  // ---- drawing ------------------------------------------------------------------------------

  draw(layout, recording) {
    this.layout = layout;
    this.recording = recording;
    this.parts = new Map(); // layout id -> {place, group, dots, nodes}
    this.pills = [];
    this.wires = [];
    this.home = new Map(); // node id -> layout id
    this.note.hidden = !layout.note;
    this.note.textContent = layout.note ?? "";
    this.element.classList.toggle("as-table", layout.engine === "none");
    if (layout.engine === "none") return this.drawTable(recording);
    const boxes = svg("g", {}, layout.boxes.map((box) => this.drawBox(box)));
    const wires = svg("g", {}, layout.edges.map((wire) => this.drawWire(wire)));
    this.stubs = svg("g", {});
    const nodes = svg("g", {}, layout.nodes.map((place) => this.drawNode(place)));
    const chips = svg("g", {}, this.wires.map((wire) => wire.chip));
    this.drawing.replaceChildren(this.arrowheads(), boxes, wires, this.stubs, nodes, chips);
    this.changes = changesOf(this, recording);
    this.painted = null;
    this.offstage = new Offstage(this);
    this.resize(true);
  }

  arrowheads() {
    const head = (name) => svg("marker", { id: `${this.marks}-${name}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 12, markerHeight: 12, markerUnits: "userSpaceOnUse", orient: "auto" },
      svg("path", { class: `head ${name}`, d: "M0,0.8 L7.5,4 L0,7.2z" }));
    return svg("defs", {}, head("value"), head("gradient"));
  }

  drawBox(box) {
    return svg("g", { class: "box", "data-module": box.id },
      svg("rect", { x: box.x, y: box.y, width: box.width, height: box.height, rx: 10 }),
      svg("text", { x: box.x + 10, y: box.y + 15, "data-fold": box.id }, `▾ ${cut(box.label, Math.max(6, Math.floor((box.width - 24) / 6.2)))}`),
      svg("title", {}, `${cut(box.label, 300)}: click its name to fold it`));
  }

  drawWire(wire) {
    const path = (kind, line) => line && svg("path", { class: `wire ${kind}`, d: line, "marker-end": `url(#${this.marks}-${kind})` });
    const drawn = { ...wire, value: path("value", wire.forward), gradient: path("gradient", wire.backward) };
    drawn.label = svg("text", { x: wire.chip?.[0] ?? 0, y: (wire.chip?.[1] ?? 0) + 4 });
    drawn.pad = svg("rect", { y: (wire.chip?.[1] ?? 0) - 10, height: 19, rx: 9.5 });
    drawn.chip = svg("g", { class: "chip off" }, drawn.pad, drawn.label);
    this.wires.push(drawn);
    return [drawn.value, drawn.gradient].filter(Boolean);
  }

  drawNode(place) {
    const { recording } = this;
    const members = place.members?.length ? place.members : [place.id];
    for (const id of members) this.home.set(id, place.id);
    this.home.set(place.id, place.id);
    const round = place.kind === "op" || place.kind === "module" ? 9 : place.height / 2;
    const middle = place.x + place.width / 2;
    const center = place.y + place.height / 2;
    const dots = (place.dots ?? []).slice(0, 6).map((edge, index) =>
      svg("circle", { class: "dot", cx: place.x + place.width - 10 - 11 * index, cy: place.y, r: 4.6, "data-edge": edge }));
    const more = (place.dots ?? []).length - dots.length;
    const wide = Math.floor((place.width - 10) / 7.2);
    const label = (place.openable ? "▸ " : "") + (place.label ?? "") + (place.times > 1 ? ` ×${place.times}` : "");
    const group = svg("g", { class: `node ${place.kind}`, "data-id": place.id, role: "img", "aria-label": this.describe(place) },
      place.times > 1 && svg("rect", { class: "behind", x: place.x + 4, y: place.y + 4, width: place.width, height: place.height, rx: round }),
      svg("rect", { class: "face", x: place.x, y: place.y, width: place.width, height: place.height, rx: round }),
      svg("text", { class: "name", x: middle, y: place.sub ? center - 2 : center + 5 }, cut(label, Math.max(4, wide))),
      place.sub && svg("text", { class: "size", x: middle, y: center + 13 }, cut(place.sub, Math.max(5, Math.floor(place.width / 5.6)))),
      svg("g", { class: "tick" }, svg("circle", { cx: place.x + 9, cy: place.y, r: 6.5 }), svg("path", { d: `M${place.x + 5.8},${place.y + 0.2} l2.4,2.4 l4,-4.8` })),
      svg("g", { class: "alarm" }, svg("circle", { cx: place.x + 9, cy: place.y + place.height, r: 6.5 }), svg("text", { x: place.x + 9, y: place.y + place.height + 3.6 }, "!")),
      dots,
      more > 0 && svg("text", { class: "more", x: place.x + place.width - 12 - 11 * 6, y: place.y + 3.5 }, `+${more}`),
      svg("title", {}, this.describe(place)));
    const nodes = members.map((id) => recording.nodes.get(id)).filter(Boolean);
    this.parts.set(place.id, { place, group, dots, nodes });
    return [group, (place.pills ?? []).map((pill) => this.drawPill(pill, place))];
  }

  describe(place) {
    const node = this.recording.nodes.get(place.id);
    if (!node) return cut(`${place.label}${place.times > 1 ? `, ${place.times} alike in a row` : ""}: double click to open it`, 300);
    return cut(`${this.recording.nameOf(node)}: ${node.size} ${node.dtype ?? ""}`, 300);
  }

  drawPill(pill, place) {
    const below = pill.y > place.y;
    const x = pill.x + pill.width / 2;
    const [from, to] = below ? [place.y + place.height, pill.y] : [place.y, pill.y + pill.height];
    const stub = svg("path", { class: "wire stub", d: `M${x},${from} L${x},${to}` });
    this.stubs.append(stub);
    const isInput = pill.kind === "input";
    const text = isInput || !pill.sub ? pill.label : `${pill.label} ${pill.sub}`;
    const center = pill.y + pill.height / 2;
    const title = cut(this.recording.nameOf(this.recording.nodes.get(pill.id)) || pill.label, 300);
    const group = svg("g", { class: `node pill ${pill.kind}`, "data-id": pill.id, role: "img", "aria-label": title },
      svg("rect", { class: "face", x: pill.x, y: pill.y, width: pill.width, height: pill.height, rx: isInput ? pill.height / 2 : Math.min(10, pill.height / 2) }),
      svg("text", { class: isInput ? "name" : "size", x, y: isInput && pill.sub ? center - 2 : center + 4 }, cut(text, Math.max(4, Math.floor((pill.width - 6) / 6)))),
      isInput && pill.sub && svg("text", { class: "size", x, y: center + 13 }, cut(pill.sub, 20)),
      svg("title", {}, title));
    const node = this.recording.nodes.get(pill.id);
    if (node) this.pills.push({ pill, group, node, stub });
    if (!this.home.has(pill.id)) this.home.set(pill.id, place.id);
    return group;
  }

  // Without an engine to lay it out, the graph is a table: nothing is missing but the arrows.
  drawTable(recording) {
    const rows = recording.payload.nodes.map((node) => {
      const inputs = recording.into.get(node.id).map((edge) => recording.nameOf(recording.nodes.get(edge.from)));
      const row = element("tr", { class: `node ${node.kind}`, "data-id": node.id, tabindex: -1, onclick: () => this.actions.select(node.id) },
        element("td", {}, cut(recording.nameOf(node), 60)), element("td", {}, node.size), element("td", {}, cut(inputs.join(", "), 80)));
      this.parts.set(node.id, { place: { id: node.id, kind: node.kind, x: 0, y: 0, width: 1, height: 1 }, group: row, dots: [], nodes: [node] });
      this.home.set(node.id, node.id);
      return row;
    });
    const head = element("tr", {}, ["node", "shape", "from"].map((word) => element("th", {}, word)));
    this.table?.remove();
    this.table = element("div", { class: "table" }, element("table", {}, head, rows));
    this.element.append(this.table);
  }

  // ---- painting a moment --------------------------------------------------------------------

  paint(position, selected, follow = true) {
    const { recording } = this;
    if (!recording || !this.layout) return;
    const moment = recording.at(position);
    set(this.canvas, "data-phase", moment.phase);
    const near = this.painted && this.painted.selected === selected && this.painted.found === this.found && this.painted.phase === moment.phase && Math.abs(this.painted.position - position) === 1;
    const touched = near ? this.changes[Math.max(position, this.painted.position)] : null;
    this.painted = { position, selected, found: this.found, phase: moment.phase };
    for (const part of touched?.parts ?? this.parts.values()) this.paintPart(part, position, selected);
    for (const pill of touched?.pills ?? this.pills) this.paintPill(pill, position, selected);
    const lit = new Set(moment.edges);
    const arrived = new Set(moment.arrived);
    for (const wire of touched?.wires ?? this.wires) this.paintWire(wire, moment, position, lit, arrived);
    if (follow) this.reveal(selected ?? moment.node);
  }

  paintPart(part, position, selected) {
    set(part.group, "class", this.classOf(part.place.kind, part.nodes, position, part.place.id === this.home.get(selected)));
    for (const dot of part.dots) {
      const edge = this.recording.edges.get(dot.dataset.edge);
      set(dot, "class", edge && edge.sent_at !== null && edge.sent_at <= position ? "dot full" : "dot");
    }
  }

  paintPill({ pill, group, node, stub }, position, selected) {
    set(group, "class", this.classOf(`pill ${pill.kind}`, [node], position, selected === node.id));
    set(stub, "class", `wire stub ${pill.kind} ${this.recording.stateOf(node, position)}`);
  }

  classOf(kind, nodes, position, selected) {
    const states = nodes.map((node) => this.recording.stateOf(node, position));
    const state = states.length === 1 ? states[0] : this.together(states);
    const trouble = nodes.some((node) => this.recording.isInTrouble(node, position));
    return `node ${kind} ${state}${selected ? " selected" : ""}${trouble ? " trouble" : ""}${nodes.some((node) => this.found?.has(node.id)) ? " found" : ""}`;
  }

  // A folded module is what its members are; while they differ, it is under way.
  together(states) {
    for (const state of ["error", "now"]) if (states.includes(state)) return state;
    const different = new Set(states.filter((state) => state !== "idle"));
    if (different.size === 1) return [...different][0];
    if (different.size === 0) return "idle";
    return different.has("future") ? "future" : different.has("done") ? "partly" : "waiting";
  }

  paintWire(wire, moment, position, lit, arrived) {
    const edges = wire.edges.map((id) => this.recording.edges.get(id)).filter(Boolean);
    const backward = moment.phase !== "forward";
    const isLit = wire.edges.some((id) => lit.has(id));
    if (wire.value) {
      const there = edges.some((edge) => this.recording.hasValue(this.recording.nodes.get(edge.from), position));
      set(wire.value, "class", `wire value${wire.detached ? " detached" : ""}${there ? "" : " future"}${!backward && isLit ? " now" : ""}`);
    }
    if (!wire.gradient) return;
    const sent = edges.some((edge) => edge.sent_at !== null && edge.sent_at <= position);
    const coming = wire.edges.filter((id) => arrived.has(id));
    let state = sent ? "done" : "off";
    if (backward && isLit) state = "next";
    if (coming.length) state = "now";
    set(wire.gradient, "class", `wire gradient ${state}`);
    this.paintChip(wire, coming);
  }

  paintChip(wire, coming) {
    const norms = coming.map((id) => this.recording.edges.get(id).norm).filter((norm) => norm !== null);
    const shown = norms.length > 0 && wire.chip && wire.edges.length > 0;
    set(wire.chip, "class", shown ? "chip" : "chip off");
    if (!shown) return;
    const text = norms.map((norm) => number(norm, 3)).join(" + ");
    if (wire.label.textContent === text) return;
    wire.label.textContent = text;
    const width = 16 + 7 * text.length;
    wire.pad.setAttribute("x", wire.label.getAttribute("x") - width / 2);
    wire.pad.setAttribute("width", width);
  }

  // ---- the view -----------------------------------------------------------------------------

  // It asks for the height of the whole drawing; what it gets may be less, on a low screen.
  resize(fresh = false) {
    const wide = this.element.clientWidth;
    if (!this.layout || this.layout.engine === "none" || !wide) return;
    const full = this.layout.width + 2 * MARGIN;
    const high = this.layout.height - 2 * TRIM;
    const within = (scale) => Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));
    const wished = within(wide / full);
    set(this.element, "style", `--tall: ${Math.ceil(Math.min(TALLEST, Math.max(LOWEST, high * wished)))}px`);
    const tall = this.canvas.clientHeight;
    if (!fresh && wide === this.wide && tall === this.tall) return;
    this.wide = wide;
    this.tall = tall;
    const scale = Math.min(wished, within(tall / high));
    const width = wide / scale;
    const height = tall / scale;
    this.view.setHome({ x: full < width ? (full - width) / 2 - MARGIN : -MARGIN, y: Math.min(TRIM, (this.layout.height - height) / 2), width, height, full: this.layout.width + MARGIN, pixels: wide, sheet: this.layout });
    this.reveal(this.revealed);
  }

  fit() {
    const { width, height } = this.layout;
    const ratio = this.canvas.clientHeight / this.canvas.clientWidth;
    const wide = Math.max(width + 28, (height + 28) / ratio);
    this.view.show({ x: (width - wide) / 2, y: (height - wide * ratio) / 2, width: wide, height: wide * ratio });
  }

  reveal(id) {
    this.revealed = id;
    const part = this.parts?.get(this.home?.get(id));
    if (!part) return;
    if (this.layout.engine === "none") part.group.scrollIntoView({ block: "nearest" });
    else this.view.reveal(this.pills.find(({ node }) => node.id === id)?.pill ?? part.place, this.parts.size <= MOST_GLIDING);
  }

  highlight(ids) {
    this.found = ids;
  }

  // The module that a node is folded into, else the innermost open one around it.
  moduleOf(node) {
    const folded = this.parts.get(this.home.get(node.id))?.place;
    if (folded?.openable) return folded.id;
    const drawn = new Set(this.layout.boxes.map((box) => box.id));
    return this.recording.pathOf(node).findLast((module) => drawn.has(module.id))?.id;
  }

  // ---- pointing -----------------------------------------------------------------------------

  click(event, twice = false) {
    if (this.view.moved >= 4) return;
    const fold = event.target.closest("[data-fold]");
    if (fold) {
      if (!twice) this.actions.toggle(fold.dataset.fold);
      return;
    }
    const id = event.target.closest("[data-id]")?.dataset.id;
    if (!id) {
      if (twice) this.fit();
      else this.actions.select(null);
      return;
    }
    const part = this.parts.get(id);
    const folded = part?.place.openable;
    const onLabel = event.target.classList.contains("name") && part?.place.kind === "module";
    if (folded && (twice || onLabel)) this.actions.toggle(id);
    else if (twice) this.actions.jump(id);
    else this.actions.select(part && part.place.kind === "module" ? part.nodes[0]?.id ?? null : id);
  }

  close() {
    this.resizer.disconnect();
  }
}
