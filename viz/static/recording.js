// One recorded training step, indexed: who is there at which moment, and where to go from here.

import { cut } from "./dom.js";

// The states of a node as words; "idle" needs none.
const STATES = { future: "not computed yet", valued: "computed", waiting: "waits for its gradient", ready: "ready: its gradient is complete", now: "happens now", done: "its gradient is done", updated: "updated", missed: "no gradient reached it", error: "failed" };

export class Recording {
  constructor(payload) {
    this.payload = payload;
    this.moments = payload.moments;
    this.last = Math.max(0, payload.moments.length - 1);
    this.nodes = new Map(payload.nodes.map((node) => [node.id, node]));
    this.edges = new Map(payload.edges.map((edge) => [edge.id, edge]));
    this.modules = new Map(payload.modules.map((module) => [module.id, module]));
    this.out = new Map(payload.nodes.map((node) => [node.id, []]));
    this.into = new Map(payload.nodes.map((node) => [node.id, []]));
    for (const edge of payload.edges) {
      this.out.get(edge.from)?.push(edge);
      this.into.get(edge.to)?.push(edge);
    }
    this.readyAt = new Map(payload.nodes.map((node) => [node.id, this.lastSent(node)]));
    this.arrays = payload.arrays;
    this.inspections = payload.inspections;
    this.updateStart = this.moments.findIndex((moment) => moment.phase === "update");
    this.backwardEnd = this.moments.findLastIndex((moment) => moment.phase === "backward");
  }

  at(position) {
    return this.moments[position] ?? { phase: "forward", act: "none", node: null, text: "nothing was recorded", stack: [], edges: [], arrived: [], leaves: [], flags: [] };
  }

  hasValue(node, position) {
    return node.forward_at === null ? node.op === null || node.kind !== "op" : node.forward_at <= position;
  }

  hasGradient(node, position) {
    return node.backward_at !== null && node.backward_at <= position;
  }

  // Only what can be known by now: a gradient's trouble is none before the gradient is there.
  isInTrouble(node, position) {
    if (node.flags?.length > 0 && this.hasValue(node, position)) return true;
    if (!this.hasGradient(node, position)) return false;
    return node.gradient_flags?.length > 0 || (node.kind === "op" && this.at(node.backward_at).flags.includes("nonfinite"));
  }

  // Every gradient that could arrive has had its chance.
  isBackwardOver(position) {
    return this.backwardEnd >= 0 && position >= this.backwardEnd;
  }

  stateOf(node, position) {
    const moment = this.at(position);
    if (moment.act === "error" && moment.node === node.id) return "error";
    if (moment.node === node.id || moment.leaves?.includes(node.id)) return "now";
    if (moment.phase === "forward") return this.hasValue(node, position) ? "valued" : "future";
    if (!node.wants_grad) return "idle";
    if (node.update_at !== null && node.update_at < position) return "updated";
    if (this.hasGradient(node, position)) return "done";
    if (node.backward_at === null && this.isBackwardOver(position)) return "missed";
    return this.readyAt.get(node.id) <= position ? "ready" : "waiting";
  }

  // Kahn's rule: a node is ready once every consumer has sent its gradient. The last to send tells.
  lastSent(node) {
    const sent = this.out.get(node.id).filter((edge) => edge.wants_grad).map((edge) => edge.sent_at ?? Infinity);
    return sent.length ? Math.max(...sent) : Infinity;
  }

  // The moment whose inspection explains a node as it stands now.
  momentOf(node, position) {
    if (node.update_at !== null && node.update_at <= position) return node.update_at;
    if (this.hasGradient(node, position) && node.kind === "op") return node.backward_at;
    if (node.forward_at !== null && node.forward_at <= position) return node.forward_at;
    return null;
  }

  callOf(node) {
    return node && node.module ? this.modules.get(node.module) ?? null : null;
  }

  nameOf(node) {
    if (!node) return "";
    return node.op ? `${node.op} #${node.number}` : node.name ?? node.label;
  }

  // A node in words, for those who do not see the picture.
  describe(node, position) {
    const named = (edges, end) => edges.map((edge) => this.nameOf(this.nodes.get(edge[end]))).join(", ");
    const parts = [
      `${this.nameOf(node)} ${node.size}`, STATES[this.stateOf(node, position)],
      this.into.get(node.id).length > 0 && `from ${named(this.into.get(node.id), "from")}`,
      this.out.get(node.id).length > 0 && `to ${named(this.out.get(node.id).slice(0, 6), "to")}`,
      this.isInTrouble(node, position) && "in trouble: look at its numbers",
    ];
    return cut(parts.filter(Boolean).join("; "), 300);
  }

  pathOf(node) {
    const path = [];
    for (let module = this.callOf(node); module; module = this.modules.get(module.parent)) path.unshift(module);
    return path;
  }

  // ---- stepping, as debuggers do it ---------------------------------------------------------

  // The next moment that is not deeper in modules than this one.
  over(position) {
    const depth = this.at(position).stack;
    const inside = (stack) => stack.length > depth.length && depth.every((id, i) => stack[i] === id);
    return this.firstFrom(position + 1, (moment) => !inside(moment.stack)) ?? this.last;
  }

  // The next moment outside of the module that this one is in.
  out_of(position) {
    const innermost = this.at(position).stack.at(-1);
    if (innermost === undefined) return this.endOfPhase(position);
    return this.firstFrom(position + 1, (moment) => !moment.stack.includes(innermost)) ?? this.last;
  }

  endOfPhase(position) {
    const phase = this.at(position).phase;
    return this.firstFrom(position + 1, (moment) => moment.phase !== phase) ?? this.last;
  }

  firstFrom(start, wanted) {
    for (let index = start; index <= this.last; index++) if (wanted(this.moments[index])) return index;
    return null;
  }

  stops() {
    const all = (this.payload.breakpoints ?? []).filter((point) => point.enabled).flatMap((point) => point.moments);
    return [...new Set(all)].sort((a, b) => a - b);
  }

  nextStop(position) {
    return this.stops().find((moment) => moment > position) ?? null;
  }

  previousStop(position) {
    return this.stops().findLast((moment) => moment < position) ?? null;
  }
}
