// Search over ops, parameters and modules.

import { cut, element } from "./dom.js";

const MOST = 12;

export class Find {
  // `actions`: recording(), select(id), highlight(ids).
  constructor(actions) {
    this.actions = actions;
    this.input = element("input", { type: "search", placeholder: "find op, parameter, module", "aria-label": "find op, parameter, module", autocomplete: "off", spellcheck: "false", oninput: () => this.search(), onkeydown: (event) => this.key(event) });
    this.results = element("ul", { class: "panel results", hidden: true, "aria-label": "found" });
    this.element = element("div", { class: "popover find" }, element("span", { "aria-hidden": "true" }, "⌕"), this.input, this.results);
    this.element.addEventListener("focusout", (event) => {
      if (!this.element.contains(event.relatedTarget)) this.results.hidden = true;
    });
  }

  search() {
    const wanted = this.input.value.trim().toLowerCase();
    const found = wanted ? this.matches(wanted) : [];
    this.actions.highlight(new Set(found.map(({ id }) => id)));
    this.results.hidden = !wanted;
    const shown = found.slice(0, MOST).map(({ id, name, where }) => element("li", {}, element("button", { type: "button", onclick: () => this.pick(id) }, cut(name, 60), where ? element("span", { class: "muted" }, ` ${cut(where, 40)}`) : null)));
    if (found.length > MOST) shown.push(element("li", { class: "muted" }, `and ${found.length - MOST} more, all marked in the graph`));
    if (wanted && !found.length) shown.push(element("li", { class: "muted" }, "nothing by that name"));
    this.results.replaceChildren(...shown);
    this.first = found[0]?.id;
  }

  matches(wanted) {
    const recording = this.actions.recording();
    return recording.payload.nodes.flatMap((node) => {
      const path = recording.pathOf(node).map((module) => module.path);
      const name = recording.nameOf(node);
      const words = [name, node.op, node.name, node.label, ...path].filter(Boolean);
      return words.some((word) => word.toLowerCase().includes(wanted)) ? [{ id: node.id, name, where: path.at(-1) ?? "" }] : [];
    });
  }

  key(event) {
    if (event.key === "Enter" && this.first) this.pick(this.first);
    if (event.key === "Escape") this.clear();
    if (event.key === "ArrowDown") this.results.querySelector("button")?.focus();
  }

  pick(id) {
    this.results.hidden = true;
    this.actions.select(id);
  }

  clear() {
    this.input.value = "";
    this.search();
  }
}
