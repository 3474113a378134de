import { html, none, type Html } from "../plan-page/html.ts";
import type { CostView, Figure, Tone } from "./dashboard-view.ts";

/** What stands before a word of each tone, so that none is told by its colour alone. */
const marks: Readonly<Record<Tone, string>> = {
  good: "\u2713",
  busy: "\u2026",
  mind: "!",
  bad: "\u2717",
  quiet: "",
};

/** Days, hours, minutes and, below an hour, seconds of a stretch of time; its two largest. */
export function stretch(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ] as const;
  const from = parts.findIndex(([count]) => count > 0);
  if (from < 0) return "0 s";
  return parts
    .slice(from, from + 2)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** A deadline, counting down by the account's clock. */
export function countdown(until: string, now: string): Html {
  const left = (Date.parse(until) - Date.parse(now)) / 1000;
  const text = left > 0 ? `in ${stretch(left)}` : `${stretch(-left)} ago`;
  return html`<time datetime="${until}" data-until="${until}">${text}</time>`;
}

/** How old a figure is. */
export function age(at: string | undefined, madeAt: string): Html {
  if (at === undefined || at === "") return none;
  const seconds = (Date.parse(madeAt) - Date.parse(at)) / 1000;
  return html`<time datetime="${at}" data-age="${at}">${stretch(seconds)} ago</time>`;
}

/** Money until now. */
export function costSoFar({ usd, at, hourlyUsd }: CostView, now: string): Html {
  const hours = Math.max(0, (Date.parse(now) - Date.parse(at)) / 3_600_000);
  const text = `$${(usd + hours * hourlyUsd).toFixed(2)}`;
  return html`<data value="${usd}" data-since="${at}" data-hourly="${hourlyUsd}">${text}</data>`;
}

/** Words with a mark of their tone. */
export function toned(tone: Tone, text: string): Html {
  if (tone === "quiet") return html`${text}`;
  return html`<span class="tone ${tone}"
    ><span aria-hidden="true">${marks[tone]}</span> ${text}</span
  >`;
}

/** A figure's words, or that it is being read. */
export function figureText({ text, tone }: Figure): Html {
  return text === "" ? html`<span class="quiet">being read</span>` : toned(tone, text);
}

/** Below a figure: its age, and that the last question had no answer. */
export function figureNote({ at, problem, text }: Figure, madeAt: string): Html {
  if (at === undefined) {
    return problem === undefined ? none : html`<small>no answer: ${problem}</small>`;
  }
  const failed = problem === undefined || text === "" ? "" : "; no answer since";
  return html`<small>${age(at, madeAt)}${failed}</small>`;
}
