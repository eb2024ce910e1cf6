// ?theme= first, then what was chosen here (not on the wall), then what the page says. In the head: before the first paint.
(() => {
  const root = document.documentElement;
  const asked = new URLSearchParams(location.search).get("theme");
  let kept;
  try { kept = localStorage.getItem("theme"); } catch {}
  const theme = asked || (root.dataset.board === "wall" ? null : kept);
  if (["auto", "dark", "light"].includes(theme)) root.dataset.theme = theme;
  const metas = [...document.querySelectorAll("meta[name=theme-color]")];
  const [light, dark] = metas.map((meta) => meta.content);

  const isDark = () => root.dataset.theme === "dark" ||
    (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  const frame = () => { for (const meta of metas) meta.content = isDark() ? dark : light; }; // what the phone paints around
  if (root.dataset.theme !== "auto") frame();
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-act=theme]")) return;
    root.dataset.theme = isDark() ? "light" : "dark";
    frame();
    try { localStorage.setItem("theme", root.dataset.theme); } catch {}
  });
})();
