// What a screen needs that nobody touches: it stays awake, is dimmed at night, moves by a pixel in ten minutes, so that
// nothing burns in, and is never lost. What can be heard is loaded when somebody wants to hear it.
import { eachSecond, serverNow } from "./clock.js";

const root = document.documentElement;
const [from, to] = root.dataset.night.split("-");
const time = new Intl.DateTimeFormat("en-GB", { timeZone: root.dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const button = document.querySelector("[data-act=sound]");

function isNight(now) {
  return from < to ? from <= now && now < to : from <= now || now < to;
}

function set(name, value) { if (root.dataset[name] !== value) root.dataset[name] = value; }

function tend() {
  const now = serverNow();
  set("dim", from && isNight(time.format(now)) ? "yes" : "no");
  set("shift", String(Math.floor(now / 600000) % 8));
}

// A lock ends whenever the page is hidden: asked for again when it is seen.
async function stayAwake() {
  if (document.hidden) return;
  try { await navigator.wakeLock.request("screen"); } catch {}
}

document.addEventListener("visibilitychange", stayAwake);
stayAwake();

// After an update the page loads itself again, but only when a file of the new build can be had: one that did so while
// the server was away would be an error page for good. Before live.js hears of it, which reloads without asking.
let looking = false;
document.addEventListener("reload", (event) => {
  event.stopPropagation();
  if (looking) return;
  looking = true;
  setTimeout(() => {
    const file = new Image();
    file.onload = () => location.reload();
    file.onerror = () => { looking = false; };
    file.src = `/static/${event.detail.data}/icons/opsmon.svg?${Date.now()}`;
  }, Math.random() * (event.detail.data === root.dataset.build ? 400 : 10000));
}, true);

// A paired screen says which one it is, and once it was removed it goes where it is let in again.
document.addEventListener("identify", ({ detail }) => {
  root.dataset.identify = detail.data;
  setTimeout(() => { delete root.dataset.identify; }, 10000);
}, true);
const turnedAway = (status) => { if (status === 401 && root.dataset.screen) location.reload(); };
document.addEventListener("htmx:sse:error", ({ detail }) => turnedAway(detail.status), true);
document.addEventListener("htmx:finally:request", ({ detail }) => turnedAway(detail.ctx.response?.status), true);

let sound = null;
async function listen(act) {
  sound ??= await import("./wall-sound.js");
  sound[act](button);
}

eachSecond(() => { tend(); sound?.second(); });
tend();
let kept = null;
try { kept = localStorage.getItem("sound"); } catch {}
if (kept === "on") listen("begin");
button.addEventListener("click", () => listen("press"));
