// While a rule is typed: what it would have said in the last days, a moment after the last key. It is what "Try it" shows,
// asked for in the same way; a rule that is not whole yet changes nothing.
const form = document.querySelector("form[data-try]");
const shown = document.getElementById("past");
let asked = 0;
let timer = 0;

async function look() {
  const mine = ++asked;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("act", "try");
  if (!fields.get("title")) fields.set("title", "…");
  try {
    const answer = await fetch("/rules", { method: "POST", body: fields, signal: AbortSignal.timeout(20000) });
    const past = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#past > *");
    if (mine !== asked) return;
    shown.dataset.old = past ? "no" : "yes";
    if (past) shown.replaceChildren(past);
  } catch {}
}

form?.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 500); });
