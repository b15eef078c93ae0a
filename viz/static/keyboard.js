// Keys, while the debugger has the focus. Jupyter's own shortcuts are not triggered.

export const KEYS = [
  [["n", "ArrowRight"], "step", "one step on"],
  [["b", "ArrowLeft"], "back", "one step back"],
  [["o", "ArrowDown"], "over", "over the module"],
  [["u", "ArrowUp"], "out", "out of the module"],
  [["c"], "continue", "on to the next breakpoint"],
  [["r"], "reverse", "back to the breakpoint before"],
  [[" "], "play", "play, pause"],
  [["Home"], "first", "the first moment"],
  [["End"], "last", "the last moment"],
  [["Enter"], "here", "on to the selected node"],
  [["m"], "module", "open or fold this node's module"],
  [["f"], "fold", "fold or open all modules"],
  [["/"], "find", "find"],
  [["p"], "predict", "predict, then reveal"],
  [["Escape"], "escape", "close, deselect"],
  [["?"], "help", "these keys"],
];

const WALKS = { ArrowLeft: "into", ArrowRight: "out", ArrowUp: "previous", ArrowDown: "next" };

const COMMANDS = new Map(KEYS.flatMap(([keys, command]) => keys.map((key) => [key, command])));

export function listen(root, run, walk) {
  root.addEventListener("keydown", (event) => {
    event.stopPropagation(); // whatever is typed here is not meant for the notebook
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input:not([type=checkbox]):not([type=range]), textarea, select");
    if (typing && event.key !== "Escape") return;
    if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    if ((event.key === " " || event.key === "Enter") && event.target.closest("button, summary, input")) return;
    if (event.shiftKey && WALKS[event.key]) {
      event.preventDefault();
      return walk(WALKS[event.key]);
    }
    const command = COMMANDS.get(event.key);
    if (!command) return;
    event.preventDefault();
    run(command);
  });
}

export function keyName(key) {
  return { ArrowRight: "→", ArrowLeft: "←", ArrowDown: "↓", ArrowUp: "↑", " ": "space", Escape: "Esc" }[key] ?? key;
}
