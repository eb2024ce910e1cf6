// Pause updates (WCAG 2.2.2). The newest of each slot is held, and shown on resume: one string a slot, no queue.
const root = document.documentElement;
const button = document.querySelector("[data-act=pause]");
const held = new Map();
let changes = 0;

document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  if (root.dataset.paused !== "yes") return;
  for (const { target, fragment } of tasks.splice(0)) {
    if (!target || !fragment.firstElementChild) continue;
    held.set(target.id, fragment.firstElementChild.outerHTML);
    changes += 1;
  }
  button.querySelector("[data-held]").textContent = changes || "";
});

button?.addEventListener("click", () => {
  const pause = root.dataset.paused !== "yes";
  root.dataset.paused = pause ? "yes" : "no";
  button.setAttribute("aria-pressed", String(pause));
  if (pause) return;
  const live = document.getElementById("live");
  for (const [id, text] of held) {
    const target = document.getElementById(id);
    target.removeAttribute("data-rev"); // what is held is newer, whichever hub it came from
    htmx.swap({ text, target, swap: "outerMorph", sourceElement: live });
  }
  held.clear();
  changes = 0;
  button.querySelector("[data-held]").textContent = "";
});
