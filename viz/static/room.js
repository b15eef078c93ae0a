// How tall the debugger may be: as tall as what one sees of the page or notebook, so that graph,
// numbers and time are on the screen together. What does not fit scrolls inside its own panel.

const LEAST = 470; // pixels; below this nothing could be read
const FULL = 620; // with less room than this under the notices, only the line at work is shown of the source

// The notebook scrolls in a box of its own. An output that is as tall as what is in it is none.
function windowOn(root) {
  let found = null;
  for (let box = root.parentElement; box && box !== document.body; box = box.parentElement) {
    const scrolls = /auto|scroll/.test(getComputedStyle(box).overflowY);
    const isBound = box.scrollHeight > box.clientHeight + 1 || box.clientHeight > root.offsetHeight + 60;
    if (scrolls && isBound && box.clientHeight > 200 && box.clientHeight <= window.innerHeight) found = box;
  }
  return found;
}

// `arrange` is called whenever the width may have changed; `notices` take their height from the rest.
export function fitRoom(root, notices, arrange) {
  const apply = () => {
    if (!root.isConnected || !root.offsetWidth) return;
    arrange();
    const box = windowOn(root);
    const around = box ? 24 : 2 * Math.max(0, root.offsetTop) + (root.nextElementSibling?.offsetHeight ?? 0);
    const room = Math.max(LEAST, Math.floor((box?.clientHeight ?? window.innerHeight) - around));
    if (room !== apply.last) root.style.setProperty("--room", `${room}px`);
    apply.last = room;
    root.classList.toggle("low", room - notices.offsetHeight < FULL);
  };
  const observer = new ResizeObserver(apply);
  observer.observe(root);
  observer.observe(notices);
  window.addEventListener("resize", apply);
  return () => {
    observer.disconnect();
    window.removeEventListener("resize", apply);
  };
}
