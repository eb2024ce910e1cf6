// What is wrong is heard, nothing for numbers: an alert that is critical falls twice, what is broken falls once, an alert
// that is high falls once and lower; two rising tones when all is well again. At night a wall is silent: what came then
// and still is, is heard in the morning. A browser is mute until somebody has pressed the button, and after a reload
// again, unless it was started with --autoplay-policy=no-user-gesture-required: so the button says what is so, not what
// was asked for.
const root = document.documentElement;
const BROKEN = '.tile:is([data-state="error"], [data-level="crit"]), #health:is([data-state="stopped"], [data-state="store-down"])';
const ALERTS = { high: 1, critical: 3 };
const FALL = [[880, 0], [587, 0.4]];
const TONES = [[[523, 0], [784, 0.25]], [[659, 0], [494, 0.4]], FALL, [...FALL, [880, 0.9], [587, 1.3]]];
const REST_S = 10; // what goes to and fro is heard once
const audio = new AudioContext();
let was = null;
let rested = REST_S;

function tone(hertz, afterS) {
  const at = audio.currentTime + afterS;
  const loudness = new GainNode(audio, { gain: 0 });
  const voice = new OscillatorNode(audio, { frequency: hertz });
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(0.3, at + 0.02);
  loudness.gain.linearRampToValueAtTime(0, at + 0.35);
  voice.connect(loudness).connect(audio.destination);
  voice.start(at);
  voice.stop(at + 0.4);
}

function sound(how) {
  if (audio.state !== "running") return;
  for (const [hertz, afterS] of TONES[how]) tone(hertz, afterS);
}

function keep(value) { try { localStorage.setItem("sound", value); } catch {} }

/** How bad it is: 0 all is well, 1 an alert is high, 2 something is broken, 3 an alert is critical. */
function howBad() {
  const alert = ALERTS[document.querySelector("#band[data-loud]")?.dataset.level] ?? 0;
  const isBroken = root.dataset.fresh === "stale" || document.querySelector(BROKEN) !== null;
  return Math.max(alert, isBroken ? 2 : 0);
}

/** Be heard, as soon as the browser lets us. */
export async function begin(button) {
  audio.onstatechange = () => button.setAttribute("aria-pressed", String(audio.state === "running"));
  await audio.resume();
  audio.onstatechange();
}

/** On and off; on is heard at once. */
export async function press(button) {
  if (button.getAttribute("aria-pressed") === "true") {
    keep("off");
    await audio.suspend();
    return;
  }
  await begin(button);
  keep("on");
  sound(0);
}

/** To be called each second: hears whether it has become worse, or all is well again. */
export function second() {
  const is = howBad();
  rested += 1;
  if (root.dataset.dim === "yes") was ??= 0;
  if (is === was || root.dataset.dim === "yes") return;
  // A page that was just made is not live yet: that is no news. What becomes worse does not wait.
  if (was === null ? root.dataset.fresh === "stale" : is < was && rested < REST_S) return;
  const isNews = was !== null && (is > was || is === 0);
  was = is;
  if (!isNews) return;
  rested = 0;
  sound(is);
}
