// Is this screen connected? Only received bytes make it live. Where hx-sse gives up or cannot notice, this connects again.
import { eachSecond, forget, observe, timeOfDay } from "./clock.js";

const root = document.documentElement;
const live = document.getElementById("live");
const beatMs = Number(root.dataset.hb) * 1000;
const own = document.currentScript;
let connection = null;
let heardMs = Date.now(); // by the clock of the screen; the page itself counts as heard
let failures = 0;
let retry = 0;
let reloading = false;

function freshness(state) {
  if (root.dataset.fresh === state) return;
  root.dataset.fresh = state;
  const word = document.querySelector(`.connection [data-when=${state}]`)?.textContent;
  const time = document.querySelector(".connection time")?.textContent;
  if (state !== "late") document.getElementById("announce").textContent = `${word} ${time}`;
}

/** End a stream that is silent or behind; hx-sse connects again and resumes by revision. */
function hangUp() {
  forget();
  connection?.reader?.cancel();
}

/** hx-sse never tries a failed first connection again, so this does. */
function connectLater() {
  if (retry) return;
  const delayMs = Math.min(8000, 500 * 2 ** failures) * (0.5 + Math.random());
  failures += 1;
  retry = setTimeout(connectNow, delayMs);
}

function connectNow() {
  clearTimeout(retry);
  retry = 0;
  htmx.trigger(live, "ops:connect");
}

function hurry() {
  connection?.delayCanceller?.();
  if (retry) connectNow();
  check();
}

function check() {
  const ageMs = Date.now() - heardMs;
  if (ageMs < 0) heardMs = Date.now(); // the clock of the screen was set back
  if (ageMs > 2.4 * beatMs) freshness("stale");
  else if (ageMs > 1.6 * beatMs && root.dataset.fresh === "live") freshness("late");
  if (ageMs > 2.5 * beatMs) hangUp();
}

function heardAt(serverMs) {
  for (const time of document.querySelectorAll("[data-heard]")) time.textContent = timeOfDay(Number(serverMs));
}

/** What is needed only now and then comes once the page is live. Should it not arrive, the next heartbeat asks again. */
function fetchRest() {
  if (document.getElementById("rest")) return;
  const { rest: src, sheet: href } = own.dataset;
  const rest = Object.assign(document.createElement("script"), { id: "rest", src });
  rest.onerror = () => rest.remove();
  own.after(rest);
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}

live.addEventListener("hb", ({ detail }) => {
  const lagMs = observe(Number(detail.data));
  heardMs = Date.now();
  try { sessionStorage.removeItem("out"); } catch {}
  delete root.dataset.auth;
  delete root.dataset.kept;
  heardAt(detail.data); // also in the banner that is not seen yet: should scripts hang, it already says since when
  // The dead-man switch: each heartbeat starts the other animation, which ends with the banner visible.
  root.className = root.classList.contains("tick") ? "tock" : "tick";
  freshness(lagMs > 1.6 * beatMs ? "late" : "live");
  if (lagMs > 2 * beatMs) hangUp();
  fetchRest();
});

live.addEventListener("reload", ({ detail }) => {
  if (reloading) return;
  reloading = true;
  // Of the same build only the board was changed: whoever changed it looks at this screen now.
  setTimeout(() => location.reload(), Math.random() * (detail.data === root.dataset.build ? 400 : 10000));
});

/** Signed out: the page loads again, once, and is led to sign in; one that this device kept does not load itself for ever. */
function refused(status) {
  if (status !== 401 || root.dataset.auth) return;
  root.dataset.auth = "out";
  try {
    if (sessionStorage.getItem("out")) return;
    sessionStorage.setItem("out", 1);
    location.reload();
  } catch {}
}
live.addEventListener("htmx:sse:after:connection", ({ detail }) => { connection = detail.connection; failures = 0; });
live.addEventListener("htmx:sse:error", ({ detail }) => refused(detail.status));
live.addEventListener("htmx:sse:close", () => { connection = null; connectLater(); });
live.addEventListener("htmx:finally:request", ({ detail }) => {
  refused(detail.ctx.response?.status);
  if (!connection) connectLater();
});
for (const name of ["online", "focus", "pageshow"]) addEventListener(name, hurry);
heardAt(root.dataset.now);
document.getElementById("stale").setAttribute("aria-hidden", "true"); // announced when it is shown
eachSecond(check);
