// Draws what moves with time alone: ages, times of day and the clock. Slots carry epoch ms, never "3 s ago".
import { dayOf, eachSecond, hourAndMinute, serverNow, timeOfDay } from "./clock.js";

const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto", style: "narrow" });

/** Steps of 10 s at first: a wall that counts seconds is restless. */
function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 10) return words.format(0, "second");
  if (s < 60) return words.format(-(s - s % 10), "second");
  if (s < 3600) return words.format(-Math.floor(s / 60), "minute");
  if (s < 86400) return words.format(-Math.floor(s / 3600), "hour");
  return words.format(-Math.floor(s / 86400), "day");
}

function write(element, text) { if (element.textContent !== text) element.textContent = text; }

function draw() {
  const now = serverNow();
  for (const time of document.querySelectorAll("time[data-age]")) write(time, age(now - Number(time.dataset.age)));
  for (const time of document.querySelectorAll("time[data-at]:not([data-age])")) write(time, timeOfDay(Number(time.dataset.at)));
  for (const time of document.querySelectorAll("time[data-clock]")) write(time, hourAndMinute(now, time.dataset.clock));
  for (const time of document.querySelectorAll("time[data-date]")) write(time, dayOf(now, time.dataset.date));
}

if (document.documentElement.dataset.kept) for (const time of document.querySelectorAll("[data-kept-age]")) time.dataset.age = document.documentElement.dataset.now;
eachSecond(draw);
document.addEventListener("htmx:after:swap", draw); // in the same turn as the morph: nothing blank is painted
draw();
