// Pan by dragging, zoom by Ctrl+wheel (or the wheel, once the graph has the focus).

// The drawing is moved as a whole, like a sheet of paper under a window: the browser keeps what it
// has painted, where another viewBox would make it lay every text out again.
export class PanZoom {
  constructor(canvas, drawing, moved) {
    this.canvas = canvas;
    this.drawing = drawing;
    this.onMove = moved; // called with each new view
    this.home = { x: 0, y: 0, width: 1, height: 1 };
    this.view = { ...this.home };
    this.moved = 0; // how far the last drag went: a click is a drag of nothing
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.grab(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("pointerup", () => (this.held = null));
    canvas.addEventListener("pointercancel", () => (this.held = null));
  }

  // Units of the drawing per pixel on the screen.
  get unit() {
    return this.view.width / (this.home.pixels || this.view.width);
  }

  // `home`: {x, y, width, height} of the view, {pixels} its width on the screen, {sheet} the drawing.
  setHome(home) {
    this.home = home;
    this.scale = null;
    this.drawing.setAttribute("viewBox", `0 0 ${home.sheet.width} ${home.sheet.height}`);
    this.show(home);
  }

  show(view) {
    cancelAnimationFrame(this.frame);
    this.view = view;
    if (!this.home.sheet) return; // not on the screen yet
    const scale = 1 / this.unit;
    if (scale !== this.scale) {
      this.scale = scale;
      this.drawing.setAttribute("width", this.home.sheet.width * scale);
      this.drawing.setAttribute("height", this.home.sheet.height * scale);
    }
    this.onMove(view);
    this.drawing.style.transform = `translate(${-view.x * scale}px, ${-view.y * scale}px)`;
  }

  zoom(factor, centerX = this.view.x + this.view.width / 2, centerY = this.view.y + this.view.height / 2) {
    const widest = Math.max(this.home.width, this.home.full ?? 0) * 1.5;
    const width = Math.min(Math.max(this.view.width * factor, 120), widest);
    const scale = width / this.view.width;
    this.show({
      x: centerX - (centerX - this.view.x) * scale,
      y: centerY - (centerY - this.view.y) * scale,
      width,
      height: this.view.height * scale,
    });
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey && !this.canvas.matches(":focus")) return;
    event.preventDefault();
    event.stopPropagation();
    const frame = this.canvas.getBoundingClientRect();
    this.zoom(
      Math.exp(Math.max(-0.4, Math.min(0.4, event.deltaY / 300))),
      this.view.x + (event.clientX - frame.left) * this.unit,
      this.view.y + (event.clientY - frame.top) * this.unit,
    );
  }

  grab(event) {
    if (event.button !== 0) return;
    this.held = { x: event.clientX, y: event.clientY, view: { ...this.view }, unit: this.unit };
    this.moved = 0;
  }

  drag(event) {
    if (!this.held) return;
    const right = event.clientX - this.held.x;
    const down = event.clientY - this.held.y;
    this.moved = Math.max(this.moved, Math.hypot(right, down));
    if (this.moved < 4) return;
    if (!this.canvas.hasPointerCapture(event.pointerId)) this.canvas.setPointerCapture(event.pointerId);
    this.show({ ...this.held.view, x: this.held.view.x - right * this.held.unit, y: this.held.view.y - down * this.held.unit });
  }

  // Bring a box into view, gently, and only when it is not.
  reveal(box, gently, margin = 40) {
    const { x, y, width, height } = this.view;
    const slack = Math.min(margin, width / 4, height / 6);
    const seenX = box.x >= x + slack && box.x + box.width <= x + width - slack;
    const seenY = box.y >= y && box.y + box.height <= y + height;
    if ((seenX || width >= this.home.full) && seenY) return;
    const target = {
      x: seenX ? x : this.clamp(box.x + box.width / 2 - width / 2, width, this.home.full ?? width),
      y: seenY ? y : this.clamp(box.y + box.height / 2 - height / 2, height, this.home.sheet?.height ?? height),
    };
    if (gently) this.glide(target);
    else this.show({ ...this.view, ...target });
  }

  clamp(x, width, full) {
    return full <= width ? (full - width) / 2 : Math.min(Math.max(x, 0), full - width);
  }

  glide(target) {
    cancelAnimationFrame(this.frame);
    const from = { x: this.view.x, y: this.view.y };
    const begin = performance.now();
    const time = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1 : 180;
    const move = (now) => {
      const part = Math.min(1, Math.max(0, (now - begin) / time));
      const eased = 1 - (1 - part) ** 3;
      const view = { ...this.view, x: from.x + (target.x - from.x) * eased, y: from.y + (target.y - from.y) * eased };
      this.show(view);
      if (part < 1) this.frame = requestAnimationFrame(move);
    };
    this.frame = requestAnimationFrame(move);
  }
}
