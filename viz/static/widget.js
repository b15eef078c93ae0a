// The debugger as a notebook widget: the recording comes as a trait, questions go as messages.

import { Debugger } from "./debugger.js";
import { makeLink } from "./link.js";

export default {
  render({ model, el }) {
    const { ask, receive } = makeLink((message) => model.send(message));
    const tell = {
      position: (at) => { model.set("position", at); model.save_changes(); },
      select: (id) => { model.set("selection", id); model.save_changes(); },
      download: () => download(),
    };
    const view = new Debugger(el, model.get("payload"), ask, tell);
    view.goTo(model.get("position"), model.get("selection"), true);

    const download = async () => {
      try {
        const { html, name } = await ask({ type: "save" }, 120_000);
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([html], { type: "text/html" }));
        link.download = name;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      } catch (error) {
        view.complain(error.message);
      }
    };

    const heard = (message) => {
      if (receive(message)) return;
      if (message.type === "breakpoints") view.setBreakpoints(message.breakpoints);
      if (message.type === "watches") view.setWatches(message.watches);
    };
    const moved = () => model.get("position") !== view.position && view.goTo(model.get("position"), view.selected, true);
    const picked = () => model.get("selection") !== view.selected && view.select(model.get("selection"), true);
    const replaced = () => view.show(model.get("payload"), model.get("payload").start ?? 0);
    model.on("msg:custom", heard);
    model.on("change:position", moved);
    model.on("change:selection", picked);
    model.on("change:payload", replaced);
    // A saved notebook has no kernel to ask: whoever answers is there.
    ask({ type: "hello" }, 15_000).then(() => { ask.online = true; view.setOnline(true); view.drawSteps(); view.drawNotices(); }, () => view.setOnline(false));
    return () => {
      model.off("msg:custom", heard);
      model.off("change:position", moved);
      model.off("change:selection", picked);
      model.off("change:payload", replaced);
      view.close();
    };
  },
};
