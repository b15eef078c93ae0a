// The transport buttons and the speed of playing.

import { element, svg } from "./dom.js";

const BUTTONS = [
  ["first", "first moment (Home)", "M2,2h2v10h-2zM12,2v10l-7,-5z"],
  ["reverse", "back to the breakpoint before (r)", "M13,2v10l-6,-5zM7,2v10l-6,-5z"],
  ["back", "step back (b)", "M11,2v10l-8,-5z"],
  ["play", "play, pause (space)", "M3,2v10l8,-5z"],
  ["step", "step (n)", "M3,2l6,5l-6,5zM10,2h2v10h-2z"],
  ["continue", "continue to the next breakpoint (c)", "M1,2v10l6,-5zM7,2v10l6,-5z"],
  ["last", "last moment (End)", "M10,2h2v10h-2zM2,2v10l7,-5z"],
];
const PAUSE = "M3,2h3v10h-3zM8,2h3v10h-3z";
const SPEEDS = [0.5, 1, 2, 4, 10];

export function transport(run, onSpeed) {
  const icons = {};
  const buttons = BUTTONS.map(([command, title, path]) => {
    icons[command] = svg("path", { d: path });
    return element("button", { type: "button", title, "aria-label": title, class: command === "play" ? "primary" : null, "data-command": command, onclick: () => run(command) },
      svg("svg", { viewBox: "0 0 14 14", width: 14, height: 14, "aria-hidden": "true" }, icons[command]));
  });
  const speed = element("select", { "aria-label": "speed", onchange: onSpeed }, SPEEDS.map((times) => element("option", { value: times, selected: times === 1 }, `${times}×`)));
  return {
    element: element("div", { class: "transport" }, buttons, speed),
    speed: () => Number(speed.value),
    playing: (on) => icons.play.setAttribute("d", on ? PAUSE : BUTTONS[3][2]),
  };
}
