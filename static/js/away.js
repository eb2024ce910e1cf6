// While you were away: what the day's totals have gained since this device last showed them, and which sources went
// silent meanwhile. Totals begin anew with the day: across one it says what there is so far.
import { eachSecond, hourAndMinute, lastHeard } from "./clock.js";

const AWAY_MS = 5 * 60000;
const root = document.documentElement;
const box = document.getElementById("away");
let asked = true;
let caughtUpMs = lastHeard() && Date.now();

const day = new Intl.DateTimeFormat(root.dataset.locale, { timeZone: root.dataset.zone, weekday: "short" });
const when = (ms) => (lastHeard() - ms > 72e6 ? `${day.format(ms)} ` : "") + hourAndMinute(ms);
const names = () => [...document.querySelectorAll(".source[data-state=silent] .source__name")].map((name) => name.textContent);

/** The day's totals on this page: tile -> its number, its unit, and when its day began. */
function totals() {
  return Object.fromEntries([...document.querySelectorAll('[data-sums]:not([data-sums=""])')].map((e) =>
    [e.closest("article").id, { number: Number(e.value), unit: e.dataset.sums, from: e.dataset.from }]));
}

function read() { try { return JSON.parse(localStorage.getItem("seen")); } catch { return null; } }

function remember() {
  const seen = totals();
  if (!lastHeard() || root.dataset.paused === "yes" || !Object.keys(seen).length) return;
  try { localStorage.setItem("seen", JSON.stringify({ at: lastHeard(), totals: seen, silent: names() })); } catch {}
}

function amount(number, unit, signDisplay) {
  const money = unit === "count" ? {} : { style: "currency", currency: unit };
  const format = new Intl.NumberFormat(root.dataset.locale, { ...money, signDisplay });
  return format.format(unit === "count" ? number : number / 10 ** format.resolvedOptions().maximumFractionDigits);
}

function tell({ at, totals: before, silent }) {
  let isNew = false;
  const said = [];
  for (const [id, { number, unit, from }] of Object.entries(totals())) {
    if (before[id]?.unit !== unit) continue;
    const isOther = before[id].from !== from;
    isNew ||= isOther;
    const gained = isOther ? number : number - before[id].number;
    if (gained || isOther) said.push(`${document.querySelector(`#${id} .tile__label`).textContent} ${amount(gained, unit, isOther ? "auto" : "exceptZero")}`);
  }
  const gone = names().filter((name) => !silent.includes(name));
  if (gone.length) said.push(`${box.dataset.silent} ${gone.join(", ")}`);
  if (!said.length) return;
  box.hidden = false;
  box.querySelector("b").textContent = box.dataset[isNew ? "anew" : "since"].replace("{at}", when(at));
  box.querySelector("span").textContent = said.join("\n");
}

box.addEventListener("click", ({ target }) => { if (target.closest("button")) box.hidden = true; });
document.getElementById("live").addEventListener("hb", () => { caughtUpMs ||= Date.now(); });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) remember();
  else { asked = true; caughtUpMs = 0; }
});
// What was missed comes right behind the first heartbeat.
eachSecond(() => {
  if (!asked || !caughtUpMs || Date.now() - caughtUpMs < 500 || root.dataset.paused === "yes") return;
  asked = false;
  const seen = read();
  if (seen && lastHeard() - seen.at > AWAY_MS) tell(seen);
});
