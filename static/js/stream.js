// The page's stream: frames of slots, each morphed into its place, and named messages for the page's scripts. Markup, wire
// and events are those of htmx 4 and its hx-sse, whose 16 KB would be more than half of a first visit.
const live = document.getElementById("live");
const FIRST_MS = 500, MOST_MS = 8000, CONNECT_MS = 4000, JITTER = 0.5;
const rests = !live.getAttribute("hx-config")?.includes("pauseOnBackground:false"); // a hidden phone closes its stream
let retryMs = FIRST_MS;
let lastId = "";
export const connection = { reader: null, hurry() {} };

const tell = (target, name, detail) => target.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));

/** Show `<hx-partial hx-target="#slot">…</hx-partial>`, any number of them, at once. */
export function swap(text) {
  const page = new DOMParser().parseFromString(text.replace(/<(\/?)hx-partial/g, "<$1template"), "text/html");
  const tasks = [...page.querySelectorAll("template[hx-target]")].map((part) =>
    ({ target: document.querySelector(part.getAttribute("hx-target")), fragment: part.content }));
  tell(live, "htmx:before:swap", { tasks });
  for (const task of tasks) {
    if (!task.target || !task.fragment.firstElementChild) continue;
    morph(task.target, task.fragment.firstElementChild);
    tell(task.target, "htmx:after:settle", { task });
  }
  tell(live, "htmx:after:swap", {});
}

const isAlike = (one, other) => one?.nodeName === other.nodeName && one.id === other.id;

/** Make an element like a fresh one. What is alike stays the same node, and so keeps focus and place. */
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) { old.nodeValue = fresh.nodeValue; return; }
  const isKept = ({ name }) => name === "open" && old.localName === "details"; // opened by the reader
  for (const one of [...old.attributes]) if (!fresh.hasAttribute(one.name) && !isKept(one)) old.removeAttribute(one.name);
  for (const one of fresh.attributes) if (old.getAttribute(one.name) !== one.value && !isKept(one)) old.setAttribute(one.name, one.value);
  const rest = [...fresh.childNodes];
  let next = old.firstChild;
  while (rest.length) {
    const child = rest[0];
    const moved = child.id && [...old.children].find((one) => isAlike(one, child));
    if (moved && moved !== next) old.insertBefore(moved, next);
    else while (!moved && next && !isAlike(next, child) && !rest.some((one) => isAlike(next, one))) next = removed(next);
    const place = moved || (isAlike(next, child) ? next : null);
    rest.shift();
    if (!place) { old.insertBefore(child, next); continue; }
    if (place === next) next = next.nextSibling;
    morph(place, child);
  }
  while (next) next = removed(next);
}

function removed(node) {
  const { nextSibling } = node;
  node.remove();
  return nextSibling;
}

/** One message: LF only, as the server writes it. */
async function hear(block) {
  const message = { event: "", data: "", id: lastId };
  const data = [];
  for (const line of block.split("\n")) {
    const [name, value] = line.split(/: ?(.*)/s);
    if (name === "data") data.push(value);
    else if (name === "retry") retryMs = Number(value);
    else if (name === "event" || name === "id") message[name] = value;
  }
  lastId = message.id;
  message.data = data.join("\n");
  const waits = [];
  tell(live, "htmx:sse:before:message", { connection, message, waitUntil: (wait) => waits.push(wait) });
  await Promise.all(waits);
  if (message.event) tell(live, message.event, { data: message.data, id: message.id });
  else swap(message.data);
}

async function read(body) {
  connection.reader = body.pipeThrough(new TextDecoderStream()).getReader();
  tell(live, "htmx:sse:after:connection", { connection });
  for (let text = ""; ;) {
    const { done, value } = await connection.reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) await hear(block);
  }
}

async function connect() {
  const given = new AbortController();
  const timer = setTimeout(() => given.abort(), CONNECT_MS);
  const answer = await fetch(live.getAttribute("hx-sse:connect"), {
    signal: given.signal, cache: "no-store", headers: { Accept: "text/event-stream", ...(lastId && { "Last-Event-ID": lastId }) },
  }).finally(() => clearTimeout(timer));
  if (!answer.ok) throw Object.assign(new Error("refused"), { status: answer.status });
  return answer.body;
}

const shown = () => new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));

/** For ever: what fails is tried again, later each time. */
async function run() {
  for (let failures = 0; ; failures += 1) {
    while (rests && document.hidden) await shown();
    try {
      const body = await connect();
      failures = 0;
      await read(body);
    } catch (error) {
      tell(live, "htmx:sse:error", { status: error.status });
    }
    connection.reader = null;
    const delayMs = Math.min(MOST_MS, retryMs * 2 ** failures) * (1 + JITTER * (2 * Math.random() - 1));
    await new Promise((resolve) => { connection.hurry = resolve; setTimeout(resolve, delayMs); });
  }
}

if (rests) document.addEventListener("visibilitychange", () => {
  if (document.hidden) connection.reader?.cancel();
  else connection.hurry();
});
run();
