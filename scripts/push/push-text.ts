import type { Terminal } from "../adapters/terminal.ts";

/** Bytes for people: `1.5 GB` (powers of ten, as network and disk figures are). */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power] ?? ""}`;
}

/** Time left, for people: `2 min 5 s`. */
function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const statusMs = 250;
const lineMs = 5000;

/** Bytes, rate and time left: a line that is rewritten on a terminal, one line every five seconds in a log. */
export class PushProgress {
  arrivedBytes = 0;
  sentBytes = 0;
  readonly #terminal: Terminal;
  readonly #totalBytes: number;
  readonly #begin = performance.now();
  readonly #timer: NodeJS.Timeout;
  #lastLine = performance.now();

  constructor(terminal: Terminal, totalBytes: number) {
    this.#terminal = terminal;
    this.#totalBytes = totalBytes;
    this.#timer = setInterval(() => {
      this.#tell();
    }, statusMs);
    this.#timer.unref();
  }

  get seconds(): number {
    return (performance.now() - this.#begin) / 1000;
  }

  #text(): string {
    const rate = this.sentBytes / Math.max(this.seconds, 0.001);
    const left = this.#totalBytes - this.arrivedBytes;
    const percent =
      this.#totalBytes === 0 ? 100 : Math.floor((this.arrivedBytes / this.#totalBytes) * 100);
    const end = rate > 0 ? `, ${timeText(left / rate)} left` : "";
    return `${percent} % of ${bytesText(this.#totalBytes)}, ${bytesText(rate)}/s${end}`;
  }

  #tell(): void {
    this.#terminal.status(`push: ${this.#text()}`);
    if (this.#terminal.interactive || performance.now() - this.#lastLine < lineMs) return;
    this.#lastLine = performance.now();
    this.#terminal.say(`push: ${this.#text()}`);
  }

  /** Ends the reports. */
  close(): void {
    clearInterval(this.#timer);
    this.#terminal.clearStatus();
  }
}
