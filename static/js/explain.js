// What counts in a tile is said on the page of its number. It is asked for when somebody opens the fold, and stays while
// the numbers go on. Without an answer the way to that page stays where it is.
const counted = document.getElementById("counted");
const OPEN = ".definition[open]";
const texts = new Map(); // page of a number -> what counts

async function ask(page) {
  const found = new DOMParser().parseFromString(await (await fetch(page)).text(), "text/html");
  texts.set(page, found.querySelector(".explained__definition").textContent);
  draw();
}

function draw() {
  for (const fold of document.querySelectorAll(OPEN)) {
    const way = fold.querySelector(".definition__more > a:only-child");
    if (!way || !texts.has(way.pathname)) continue;
    const more = counted.content.cloneNode(true);
    more.querySelector("p").textContent = texts.get(way.pathname);
    for (const link of more.querySelectorAll("a")) link.setAttribute("href", way.pathname + link.getAttribute("href"));
    way.replaceWith(more);
  }
}

document.addEventListener("toggle", ({ target }) => {
  const way = target.matches(OPEN) && target.querySelector(".definition__more > a:only-child");
  if (way) texts.has(way.pathname) ? draw() : ask(way.pathname).catch(() => {});
}, true);
document.addEventListener("htmx:after:swap", draw); // in the same turn as the morph: nothing blank is painted
