// Pause updates, or have them at most once in 10 or 60 s (WCAG 2.2.2). The newest of each slot is held, and shown when it is time:
// one string a slot, no queue. How often is remembered on this device.
import { eachSecond } from "./clock.js";
import { held } from "./guard.js";

const root = document.documentElement;
const button = document.querySelector("[data-act=pause]");
const choice = document.querySelector("[data-act=cadence]");
const line = document.getElementById("paused");
const minutes = new Intl.NumberFormat(root.dataset.locale, { style: "unit", unit: "minute" });
let changes = 0;
let pausedMs = 0;
let shownMs = 0;

const isPaused = () => root.dataset.paused === "yes";
const isReleased = ({ target }) => target && !target.hasAttribute("data-rev");
const isTime = () => !isPaused() && Date.now() - shownMs >= 1000 * (choice?.value ?? 0);

document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  if (tasks.every(isReleased)) return;
  if (isTime() && !held.size) { shownMs = Date.now(); return; }
  for (const { target, fragment } of tasks.splice(0)) {
    if (!target || !fragment.firstElementChild) continue;
    held.set(target.id, fragment.firstElementChild.outerHTML);
    changes += 1;
  }
  say();
});

function show() {
  shownMs = Date.now();
  const waiting = [...held];
  held.clear();
  changes = 0;
  for (const [id, text] of waiting) {
    const target = document.getElementById(id);
    target.removeAttribute("data-rev"); // let through: it is newer, whichever hub it came from
    htmx.swap({ text, target, swap: "outerMorph", sourceElement: document.getElementById("live") });
  }
}

function say() {
  if (!line) return;
  line.hidden = !isPaused();
  line.querySelector("[data-for]").textContent = minutes.format(Math.floor((Date.now() - pausedMs) / 60000));
  const word = line.querySelector("[data-held]");
  word.textContent = `${changes} ${changes === 1 ? word.dataset.one : word.dataset.many}`;
}

for (const part of document.querySelectorAll("[data-act=pause]")) part.addEventListener("click", () => {
  const pause = !isPaused();
  root.dataset.paused = pause ? "yes" : "no";
  pausedMs = Date.now();
  button.setAttribute("aria-pressed", String(pause));
  if (!pause) show();
  say();
});

choice?.addEventListener("change", () => { try { localStorage.setItem("cadence", choice.value); } catch {} });
try { if (choice) choice.value = localStorage.getItem("cadence") ?? "0"; } catch {}

eachSecond(() => {
  if (isPaused()) say();
  else if (held.size && isTime()) show();
});

if (!matchMedia("(pointer: coarse)").matches) import("./desk.js"); // a phone has no keys, and counts bytes
