// Tells opsmon what happens on a page of the shop: no cookie, and nothing at all from browsers that ask not to be
// tracked (Do Not Track, Global Privacy Control). The page says
//   <script defer src="https://ops.example.com/pixel.js"></script>
// and with data-consent="ask" nothing is said or kept before opsmon.consent(true). More: opsmon.track(name, fields).
// Served without such lines and without indents, at most 2,048 bytes (opsmon/web/assets.py, tests/web/test_pixel.py).
(() => {
  const { src, dataset } = document.currentScript;
  const url = new URL("collect", src);
  const on = addEventListener;
  const random = () => Math.random().toString(36).slice(2) + Date.now().toString(36);
  let allowed = dataset.consent !== "ask";
  let queue = [], errors = 0, timer, visitor, path;

  // /collect reads 2,048 bytes; a character has up to three.
  const send = () => {
    timer = clearTimeout(timer);
    while (queue.length) {
      let body = "";
      while (queue.length && !body[400]) {
        const [at, said] = queue.shift();
        body += `${body && ","}{"ago":${Date.now() - at},${said}`;
      }
      body = `[${body}]`;
      if (!navigator.sendBeacon?.(url, body))
        fetch(url, { method: "POST", body, keepalive: true, mode: "no-cors", credentials: "omit" }).catch(() => {});
    }
  };

  const track = (name, fields) => {
    if (!allowed || navigator.doNotTrack > 0 || navigator.globalPrivacyControl) return;
    visitor ||= random();
    try {
      visitor = sessionStorage.opsmon ||= visitor;
    } catch {}
    const said = { id: random(), name, visitor, data: { path: location.pathname, ...fields } };
    queue.push([Date.now(), JSON.stringify(said, (_, value) => value?.slice?.(0, 80) ?? value).slice(1)]);
    timer ||= setTimeout(send, 300);
  };

  const view = () => {
    if (path !== location.pathname) {
      path = location.pathname;
      track("page.viewed");
    }
  };

  const fail = (message, where) => errors++ < 5 && track("error.occurred", { message, where });

  const consent = (yes) => {
    allowed = yes;
    queue = [];
    path = visitor = 0;
    try {
      if (!yes) delete sessionStorage.opsmon;
    } catch {}
    view();
  };

  for (const name of ["pushState", "replaceState"]) {
    const change = history[name];
    history[name] = function () {
      change.apply(this, arguments);
      view();
    };
  }
  on("popstate", view);
  on("pagehide", send);
  on("visibilitychange", send);
  on("error", (event) => fail(event.message, event.filename?.replace(/^\w+:..[^/]*/, "")));
  on("unhandledrejection", (event) => fail(event.reason + ""));
  on("load", () => setTimeout(() =>
    track("page.timed", { what: "load", ms: performance.getEntriesByType("navigation")[0].duration })));
  window.opsmon = { track, consent };
  view();
})();
