// Keeps this board on the device as it stands, for when there is no connection (sw.js): once it is live, each minute
// (a browser that is closed may not wait for the last one), and when it is left. The copy says since when it is not live.
import { eachSecond, lastHeard } from "./clock.js";

const root = document.documentElement;
const live = document.getElementById("live");
const workers = navigator.serviceWorker; // none where the page did not come by https or from this machine
let registered = null;
let seconds = 0;

function copy() {
  const page = root.cloneNode(true);
  page.className = "tick"; // with `stale`: grey from the first paint
  Object.assign(page.dataset, { kept: "yes", fresh: "stale", now: lastHeard() });
  const stream = page.querySelector("#live");
  stream.setAttribute("hx-sse:connect", stream.getAttribute("hx-sse:connect").replace(/&since=[^&]*/, ""));
  for (const shown of page.querySelectorAll("#away, #paused")) shown.hidden = true;
  return `<!doctype html>${page.outerHTML}`;
}

function keep() {
  if (!lastHeard() || root.dataset.paused === "yes") return;
  const assets = [...document.querySelectorAll("script[src], link[rel=stylesheet], link[rel=icon]")].map((e) => e.src || e.href);
  registered?.active?.postMessage({ build: root.dataset.build, url: location.href, html: copy(), assets });
}

live.addEventListener("hb", keep, { once: true }); // of a kept page: now it is another one
workers?.register("/sw.js");
workers?.ready.then((found) => { registered = found; keep(); });
workers?.addEventListener("controllerchange", keep);
eachSecond(() => { if (++seconds % 60 === 0 && root.dataset.fresh === "live") keep(); });
document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });
