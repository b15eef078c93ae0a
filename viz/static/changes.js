// What a large drawing need not do: repaint what a step leaves as it is, and hold what nobody sees.

const MOST_ON_STAGE = 150; // nodes; a smaller drawing is held whole

// For each moment, what looks different from the moment before it (or, stepping back, after it).
export function changesOf(view, recording) {
  const changes = Array.from({ length: recording.moments.length + 1 }, () => ({ parts: new Set(), pills: new Set(), wires: new Set() }));
  const mark = (kind, thing, ...times) => {
    for (const time of times) if (Number.isInteger(time) && time >= 0) changes[time]?.[kind].add(thing);
  };
  const pillsOf = new Map();
  for (const pill of view.pills) pillsOf.set(pill.node.id, [...(pillsOf.get(pill.node.id) ?? []), pill]);
  const touch = (id, ...times) => {
    const part = view.parts.get(view.home.get(id));
    if (part) mark("parts", part, ...times);
    for (const pill of pillsOf.get(id) ?? []) mark("pills", pill, ...times);
  };
  for (const node of recording.nodes.values()) {
    for (const time of [node.forward_at, node.backward_at, node.update_at]) if (time !== null) touch(node.id, time, time + 1);
    touch(node.id, recording.readyAt.get(node.id), recording.backwardEnd, recording.backwardEnd + 1);
  }
  const wireOf = new Map(view.wires.flatMap((wire) => wire.edges.map((edge) => [edge, wire])));
  for (const edge of recording.edges.values()) {
    touch(edge.from, edge.sent_at);
    const wire = wireOf.get(edge.id);
    if (wire) mark("wires", wire, edge.sent_at, recording.nodes.get(edge.from)?.forward_at);
  }
  recording.moments.forEach((moment, index) => {
    touch(moment.node, index, index + 1);
    for (const leaf of moment.leaves) touch(leaf, index, index + 1);
    for (const edge of [...moment.edges, ...moment.arrived]) if (wireOf.has(edge)) mark("wires", wireOf.get(edge), index, index + 1);
  });
  return changes;
}

// Of a wide drawing only what is near the view is in the page; the browser need not look at the rest.
export class Offstage {
  constructor(view) {
    const span = (place) => [place.x, place.x + place.width];
    const places = new Map([...view.parts.values()].map((part) => [part.place.id, span(part.place)]));
    this.actors = view.parts.size <= MOST_ON_STAGE ? [] : [
      ...[...view.parts.values()].map((part) => ({ span: span(part.place), elements: [part.group] })),
      ...view.pills.map((pill) => ({ span: span(pill.pill), elements: [pill.group, pill.stub] })),
      ...view.wires.map((wire) => ({ span: [places.get(wire.from)?.[0] ?? 0, places.get(wire.to)?.[1] ?? Infinity], elements: [wire.value, wire.gradient, wire.chip].filter(Boolean) })),
    ];
    this.from = this.to = NaN;
  }

  follow({ x, width }) {
    if (!this.actors.length || (x >= this.from && x + width <= this.to)) return;
    this.from = x - width;
    this.to = x + 2 * width;
    for (const actor of this.actors) {
      const here = actor.span[1] >= this.from && actor.span[0] <= this.to;
      if (here === actor.here) continue;
      actor.here = here;
      for (const each of actor.elements) each.style.display = here ? "" : "none";
    }
  }
}
