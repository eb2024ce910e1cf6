// The pages of a wall take turns; where something is critical they stop and show it. Counts the seconds of the page's one
// timer.
import { eachSecond } from "./clock.js";

const pages = [...document.querySelectorAll(".main > .tiles")];
const turn = Number(document.documentElement.dataset.turn);
const CRITICAL = '.tile:is([data-state="error"], [data-level="crit"])';
let shown = 0;
let stayed = 0;

function show(next) {
  stayed = 0;
  pages.forEach((page, number) => { page.hidden = number !== next; });
  shown = next;
  document.querySelector(".bar__title").textContent = pages[next].dataset.title;
  document.querySelector("[data-page]").textContent = `${next + 1} / ${pages.length}`;
}

eachSecond(() => {
  // An alert that nobody sees to stands above all pages: none turns away from it.
  if (document.querySelector("#band[data-loud]")) return;
  const all = pages.map((_, number) => number);
  const critical = all.filter((number) => pages[number].querySelector(CRITICAL));
  const turning = critical.length ? critical : all;
  stayed += 1;
  if (!turning.includes(shown)) show(turning[0]);
  else if (stayed >= turn) show(turning[(turning.indexOf(shown) + 1) % turning.length]);
});
show(0);
