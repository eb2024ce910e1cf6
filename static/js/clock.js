// The server's time, as this page knows it, and the page's only timer. Screens often have a wrong clock.
const root = document.documentElement;
const fromPage = root.dataset.kept ? 0 : Number(root.dataset.now) - Date.now(); // a kept page was made long ago
let heardMs = 0;
let best = null; // server minus screen, ms; the largest seen is the one that travelled fastest

export const serverNow = () => Date.now() + (best ?? fromPage);

/** Note the server's time in a heartbeat; return how much later it came than the fastest one, in ms. */
export function observe(serverMs) {
  heardMs = serverMs;
  const seen = serverMs - Date.now();
  best = best === null ? seen : Math.max(best, seen);
  return best - seen;
}

/** The server's time in the last heartbeat; 0 before the first. */
export const lastHeard = () => heardMs;

/** The screen's clock may have been set, or the way has changed: measure again. */
export function forget() { best = null; }

const format = (options) => new Intl.DateTimeFormat(root.dataset.locale, { timeZone: root.dataset.zone, hourCycle: root.dataset.clock || "h23", ...options });
const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const made = {};
/** Of another zone than the page's: a formatter costs more than what it writes. */
const inZone = (name, options, zone) => made[name + zone] ??= format(zone ? { ...options, timeZone: zone } : options);
export const timeOfDay = (ms) => seconds.format(ms);
export const hourAndMinute = (ms, zone = "") => inZone("time", { hour: "2-digit", minute: "2-digit" }, zone).format(ms);
export const dayOf = (ms, zone = "") => inZone("date", { weekday: "short", month: "short", day: "numeric" }, zone).format(ms);

const everySecond = [];
export function eachSecond(act) { everySecond.push(act); }
setInterval(() => everySecond.forEach((act) => act()), 1000);
