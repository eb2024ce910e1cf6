// A changed number blinks once, by opacity. One that still blinks does not start again: never over 3 a second (WCAG 2.3.1).
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const number = (slot) => slot?.querySelector?.(".tile__value");

document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  for (const task of tasks) task.was = number(task.target)?.value;
});

document.addEventListener("htmx:after:settle", ({ target, detail: { task } }) => {
  const now = number(target);
  if (calm.matches || task.was === undefined || !now || now.value === task.was) return;
  if (now.getAnimations().length === 0) now.animate({ opacity: [0.35, 1] }, { duration: 400, easing: "ease-out" });
});

// What is wrong and seen to by nobody is read out, once: without its number, which changes.
let told;
function tell() {
  const title = document.querySelector("#band[data-loud] .band__title")?.textContent;
  if (title && title !== told) document.getElementById("announce").textContent = title;
  told = title;
}
document.addEventListener("htmx:after:swap", tell);
tell();
