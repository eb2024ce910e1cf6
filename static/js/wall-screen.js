// What a screen needs that is never switched off: it stays awake, is dimmed at night, and moves by a pixel in ten
// minutes, so that nothing burns in. What can be heard is loaded when somebody wants to hear it.
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
