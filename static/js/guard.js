// Never paint backwards: a slot that is not newer than the one on screen is left out. Revisions compare only within
// one hub (a frame's id is boot.revision); another hub sends the whole board once, and that is taken as it is.
const root = document.documentElement;
let boot = root.dataset.revision.split(".")[0];
let foreign = false;

document.addEventListener("htmx:sse:before:message", ({ detail: { message } }) => {
  if (message.event || !message.id) return;
  const sender = message.id.split(".")[0];
  foreign = sender !== boot;
  boot = sender;
});

const revision = (element) => Number(element?.dataset.rev ?? -1);

document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  if (foreign) return;
  for (let i = tasks.length - 1; i >= 0; i--) {
    const { target, fragment } = tasks[i];
    if (target && revision(fragment.firstElementChild) <= revision(target)) tasks.splice(i, 1);
  }
});

// What the reader has opened stays open: the server does not know of it.
htmx.registerExtension("keep-open", {
  htmx_before_morph_attr: (element, { attrName }) => !(attrName === "open" && element.localName === "details"),
});
