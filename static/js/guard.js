// Never paint backwards: a slot that is not newer than the one on screen is left out. Revisions compare only within
// one hub (a frame's id is boot.revision); another hub sends the whole board once, and that is taken as it is.
// A paused page keeps the newest of each slot back (pause.js): then that is what has to be newer.
export const held = new Map(); // slot id -> HTML
let boot = document.documentElement.dataset.revision.split(".")[0];
let foreign = false;

document.addEventListener("htmx:sse:before:message", ({ detail: { message } }) => {
  if (message.event || !message.id) return;
  const sender = message.id.split(".")[0];
  foreign = sender !== boot;
  boot = sender;
});

const revision = (element) => Number(element?.dataset.rev ?? -1);
const known = (target) => held.has(target.id) ? Number(/ data-rev="(\d+)"/.exec(held.get(target.id))?.[1]) : revision(target);

document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  if (foreign) return;
  for (let i = tasks.length - 1; i >= 0; i--) {
    const { target, fragment } = tasks[i];
    if (target && revision(fragment.firstElementChild) <= known(target)) tasks.splice(i, 1);
  }
});

// What the reader has opened stays open: the server does not know of it.
htmx.registerExtension("keep-open", {
  htmx_before_morph_attr: (element, { attrName }) => !(attrName === "open" && element.localName === "details"),
});
