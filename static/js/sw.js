// The worker between this device and opsmon: with a connection it stays out of the way, without one it shows the last
// that was seen of a board. BUILD, SHELL and HEADERS stand before this (opsmon/web/phone.py). Another build is another
// worker with a cache of its own: nothing of an old one outlives it.
const MOST_PAGES = 12, WAIT_MS = 3000;
const isBoard = (path) => /^\/($|b\/|wall($|\/))/.test(path);
const open = () => caches.open(BUILD);

async function keep({ url, html, assets }) {
  const cache = await open();
  await cache.delete(url);
  await cache.put(url, new Response(html, { headers: HEADERS }));
  for (const asset of assets) if (!await cache.match(asset)) await cache.add(asset);
  const pages = (await cache.keys()).filter((request) => isBoard(new URL(request.url).pathname));
  await Promise.all(pages.slice(0, -MOST_PAGES).map((request) => cache.delete(request)));
}

/** Whole, or not at all: reception may end in the middle of a page. */
async function arrived(answer) {
  if (answer.status >= 500) throw answer.status;
  return answer.ok ? new Response(await answer.blob(), answer) : answer;
}

/** From the network, unless it takes too long; then what is kept, and that says how old it is. */
async function board(request) {
  const cache = await open(), kept = await cache.match(request, { ignoreVary: true });
  const asked = fetch(request);
  if (!kept) return asked.catch(() => cache.match("/offline"));
  const late = new Promise((resolve) => setTimeout(resolve, WAIT_MS, kept));
  return Promise.race([asked.then(arrived), late]).catch(() => kept);
}

addEventListener("install", (event) => event.waitUntil(open().then((cache) => cache.addAll(SHELL)).then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name !== BUILD) await caches.delete(name);
  await clients.claim();
})()));
addEventListener("message", (event) => { if (event.data.build === BUILD) event.waitUntil(keep(event.data)); });
addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request, { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin) return;
  if (mode === "navigate" && isBoard(pathname)) event.respondWith(board(event.request));
  else if (pathname.startsWith(`/static/${BUILD}/`)) event.respondWith(caches.match(url).then((kept) => kept ?? fetch(event.request)));
});
