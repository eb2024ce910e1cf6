// Two falling tones when something becomes critical, two rising when all is well again; nothing for numbers. A browser is
// mute until somebody has pressed the button, and after a reload again, unless it was started with
// --autoplay-policy=no-user-gesture-required: so the button says what is so, not what was asked for.
const root = document.documentElement;
const CRITICAL = '.tile:is([data-state="error"], [data-level="crit"]), #health:is([data-state="stopped"], [data-state="store-down"]), #band[data-loud]';
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

function sound(isCritical) {
  if (audio.state !== "running") return;
  for (const [hertz, afterS] of isCritical ? [[880, 0], [587, 0.4]] : [[523, 0], [784, 0.25]]) tone(hertz, afterS);
}

function keep(value) { try { localStorage.setItem("sound", value); } catch {} }

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
  sound(false);
}

/** To be called each second: hears whether something has become critical, or is well again. */
export function second() {
  const is = root.dataset.fresh === "stale" || document.querySelector(CRITICAL) !== null;
  rested += 1;
  // A page that was just made is not live yet: that is no news.
  if (is === was || rested < REST_S || (was === null && root.dataset.fresh === "stale")) return;
  const isNews = was !== null;
  was = is;
  if (!isNews) return;
  rested = 0;
  sound(is);
}
