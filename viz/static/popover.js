// A button with a panel under it, closed by Escape, by a click elsewhere or by its button.

import { element } from "./dom.js";

export class Popover {
  constructor(label, title, draw) {
    this.draw = draw;
    this.button = element("button", { type: "button", title, "aria-expanded": "false", "aria-haspopup": "true", onclick: () => this.toggle() }, label);
    this.panel = element("div", { class: "panel", hidden: true });
    this.element = element("div", { class: "popover" }, this.button, this.panel);
    this.element.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.element.contains(event.relatedTarget)) this.close();
    });
  }

  toggle() {
    if (this.panel.hidden) this.open();
    else this.close();
  }

  open() {
    this.refresh();
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.panel.querySelector("input, select, button")?.focus();
  }

  refresh() {
    this.panel.replaceChildren(...[this.draw()].flat());
  }

  close() {
    if (this.panel.hidden) return false;
    const inside = this.panel.contains(this.element.getRootNode().activeElement);
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (inside) this.button.focus();
    return true;
  }
}
