import type { Reading } from "./readings.ts";

/** How a source is asked. */
export interface SourceOptions<T> {
  readonly read: () => Promise<T>;
  /** At the soonest so long after the last attempt has ended, milliseconds. */
  readonly everyMs: number;
  /** An attempt that takes longer counts as no answer, milliseconds. @default 45 s */
  readonly patienceMs?: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Called when a reading has changed. */
  readonly changed: () => void;
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0]?.slice(0, 300) ?? "no answer";
}

/** Something that is asked now and then. A failure keeps the value that was read before, and says since when. */
export class Source<T> {
  readonly #options: SourceOptions<T>;
  #reading: Reading<T> = {};
  #running: Promise<void> | undefined;
  #endedAt = -Infinity;

  constructor(options: SourceOptions<T>) {
    this.#options = options;
  }

  get reading(): Reading<T> {
    return this.#reading;
  }

  /** Asks when it is time to, unless it is being asked already. Never throws. */
  refresh(): Promise<void> {
    if (this.#running !== undefined) return this.#running;
    const { clock, everyMs } = this.#options;
    if (clock() - this.#endedAt < everyMs) return Promise.resolve();
    this.#running = this.#ask().finally(() => {
      this.#running = undefined;
      this.#endedAt = clock();
      this.#options.changed();
    });
    return this.#running;
  }

  async #ask(): Promise<void> {
    const { read, patienceMs = 45_000, clock } = this.#options;
    const now = () => new Date(clock()).toISOString();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${patienceMs / 1000} s`));
      }, patienceMs);
    });
    try {
      this.#reading = { value: await Promise.race([read(), late]), at: now() };
    } catch (error) {
      const { value, at } = this.#reading;
      const before = value === undefined || at === undefined ? {} : { value, at };
      this.#reading = { ...before, problem: messageOf(error), problemAt: now() };
    } finally {
      clearTimeout(timer);
    }
  }
}
