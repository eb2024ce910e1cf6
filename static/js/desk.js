// Keys, and the text of a tile for a chat. Both are short ways: all pages and words are there without them.
const root = document.documentElement;
const off = () => { try { return localStorage.getItem("keys") === "off"; } catch { return false; } };
const go = (path) => { if (location.pathname !== path) location.assign(path); };
const press = (what) => document.querySelector(`button[data-act=${what}]`)?.click();

/** The sheet of the desk, and a field in the bar of a board: its words are those of the link at the foot. */
const link = document.querySelector(".foot a[href$=search]");
if (link) {
  const make = (tag, given) => Object.assign(document.createElement(tag), given);
  const sheet = make("link", { rel: "stylesheet", href: new URL("../css/desk.css", import.meta.url) });
  const field = make("input", { type: "search", name: "q", placeholder: link.text, ariaLabel: link.text });
  const form = make("form", { action: "/search", className: "search__form", role: "search" });
  form.dataset.place = "bar";
  form.append(field);
  sheet.onload = () => document.querySelector(".bar button").before(form);
  document.head.append(sheet);
  const paper = make("p", { className: "bar__paper", hidden: true });
  document.querySelector(".bar").append(paper);
  addEventListener("beforeprint", () => { paper.textContent = `${new Date(Number(root.dataset.now) + performance.now()).toLocaleString(root.dataset.locale, { timeZone: root.dataset.zone })}, ${root.dataset.zone}. ${location.pathname}${location.search}`; });
}

function search() {
  const field = [...document.querySelectorAll("input[name=q]")].find((one) => one.checkVisibility());
  if (field) { field.focus(); field.select(); } else go("/search");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented || off()) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
  const board = /^[1-9]$/.test(event.key) && document.querySelectorAll(".boards__link")[event.key - 1];
  const act = { "/": search, "?": () => go("/keys"), p: () => press("pause"), t: () => press("theme") }[event.key];
  if (!board && !act) return;
  event.preventDefault();
  if (board) board.click(); else if (!event.repeat) act();
});

const plain = (element) => element.innerText.replace(/\s+/g, " ").trim();
const heard = () => plain(document.querySelector(".connection time")).slice(0, -3);

/** What the tile says, as of when: its number and what it is beside, or its rows, one a line. */
function said(tile) {
  const texts = (name) => [...tile.querySelectorAll(name)].map(plain).filter(Boolean);
  const beside = texts(".comparison, .tile__note, .tile__state, .rows__empty").join(", ");
  const cadence = tile.parentElement.querySelector(".cell__long");
  const line = [...texts(".tile__label, .tile__number:not(.visually-hidden)"), beside && `(${beside})`].filter(Boolean).join(" ");
  const rows = texts(".rows tr, .rows li, .rows dl > *, .bars__caption, .spark__caption");
  return [`${line}, ${root.dataset.asOf.replace("{0}", heard())}${cadence ? ` (${cadence.textContent})` : ""}`, ...rows].join("\n");
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[href$=copied]");
  // While changes are held the page cannot say of when its numbers are; and without a clipboard the link leads to the same line.
  if (!link || root.dataset.paused === "yes" || Number(document.querySelector("select[data-act=cadence]")?.value) || !navigator.clipboard) return;
  event.preventDefault();
  await navigator.clipboard.writeText(said(link.closest(".tile")));
  link.append(" ✓");
});
document.getElementById("copied")?.addEventListener("focus", (event) => event.target.select());

const box = document.querySelector("input[data-act=keys]");
if (box) {
  box.disabled = false;
  box.checked = !off();
  box.addEventListener("change", () => { try { localStorage.setItem("keys", box.checked ? "on" : "off"); } catch {} });
}
