// Questions to the kernel, each answered once; without a kernel nothing is asked.

const PATIENCE = 20_000; // milliseconds

// `send` puts a message on the wire; `receive` is to be called with what comes back.
export function makeLink(send) {
  const open = new Map();
  let count = 0;
  const ask = (message, patience = PATIENCE) =>
    new Promise((resolve, reject) => {
      const id = `q${++count}`;
      const timer = setTimeout(() => {
        open.delete(id);
        reject(new Error("the kernel does not answer: it may be busy or gone; stepping works without it"));
      }, patience);
      open.set(id, (reply) => {
        clearTimeout(timer);
        if (reply.type === "error") reject(new Error(reply.message));
        else resolve(reply);
      });
      try {
        send({ ...message, id });
      } catch {
        clearTimeout(timer);
        open.delete(id);
        reject(new Error("the kernel that recorded this has ended: run the cell again; stepping works without it"));
      }
    });
  const receive = (reply) => {
    const answer = open.get(reply.id);
    open.delete(reply.id);
    answer?.(reply);
    return Boolean(answer);
  };
  ask.online = false;
  return { ask, receive };
}

export function noLink() {
  const ask = () => Promise.reject(new Error("this needs a running kernel"));
  ask.online = false;
  return ask;
}
