import type { Range } from "./range.ts";

/** US dollars with cents, and with hundredths of a cent below one dollar. */
export function usd(amount: number): string {
  if (amount > 0 && amount < 0.000_05) return "under $0.0001";
  if (amount >= 1000) return `$${Math.round(amount).toLocaleString("en-US")}`;
  return `$${amount.toFixed(amount < 1 ? 4 : 2)}`;
}

/** A GPU's name without the words that every board of its kind has. */
export function shortGpu(model: string): string {
  return model.replace(/ Blackwell Server Edition$/, "");
}

/** Mebibytes as GiB with one decimal. */
export function gib(mebibytes: number): string {
  return `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** Two or three digits that mean something, with thousands apart. */
export function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  if (value >= 10) return value.toFixed(0);
  if (value >= 1) return value.toFixed(1);
  return value.toPrecision(2);
}

/** "12 to 31", or one figure where both ends read alike. */
export function rangeText({ low, high }: Range, show: (value: number) => string = figure): string {
  const [from, to] = [show(low), show(high)];
  return from === to ? from : `${from} to ${to}`;
}

/** Dollars with as many decimals as a reader needs. */
export function dollars(value: number): string {
  if (value >= 100) return `$${Math.round(value).toLocaleString("en-US")}`;
  if (value >= 1) return `$${value.toFixed(2)}`;
  if (value === 0) return "$0";
  if (value < 0.0001) return "under $0.0001";
  return `$${value.toPrecision(2)}`;
}

/** Seconds, minutes, hours or days, whichever reads best. */
export function timeText(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${figure(seconds)} s`;
  if (seconds < 7200) return `${figure(seconds / 60)} min`;
  if (seconds < 172_800) return `${figure(seconds / 3600)} h`;
  return `${figure(seconds / 86_400)} days`;
}
