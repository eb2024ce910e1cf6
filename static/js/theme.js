// ?theme= first, then what was chosen here (not on the wall), then what the page says. In the head: before the first paint.
(() => {
  const root = document.documentElement;
  const asked = new URLSearchParams(location.search).get("theme");
  const key = `theme${root.dataset.theme.replace("auto", "")}`; // chosen here over what the page says, until that is another
  let kept;
  try { kept = localStorage.getItem(key); } catch {}
  const theme = asked || (root.dataset.board === "wall" ? null : kept);
  if (["auto", "dark", "light"].includes(theme)) root.dataset.theme = theme;
  const metas = [...document.querySelectorAll("meta[name=theme-color]")];
  const [light, dark] = metas.map((meta) => meta.content);

  const isAuto = () => root.dataset.theme === "auto";
  const prefersDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = () => isAuto() ? prefersDark() : root.dataset.theme === "dark";
  // What the phone paints around.
  const frame = () => metas.forEach((meta, dusk) => { meta.content = (isAuto() ? dusk : isDark()) ? dark : light; });
  frame();
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-act=theme]")) return;
    // What the device prefers is followed again as soon as it is chosen.
    root.dataset.theme = isDark() !== prefersDark() ? "auto" : isDark() ? "light" : "dark";
    frame();
    try { localStorage.setItem(key, root.dataset.theme); } catch {}
  });
})();
