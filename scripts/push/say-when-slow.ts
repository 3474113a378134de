import type { Terminal } from "../adapters/terminal.ts";

const slowMs = 3000;

/** Who is waited for, and how long without a word. */
export interface Wait {
  readonly terminal: Terminal;
  readonly whom: string;
  /** Ends the wait: the answer is not waited for any more. */
  readonly signal?: AbortSignal;
  /** @default 3000 */
  readonly afterMs?: number;
}

/** Says once who is waited for, when an answer takes long. @throws what the answer or the signal ends in */
export async function sayWhenSlow<T>(answer: Promise<T>, wait: Wait): Promise<T> {
  const { terminal, whom, signal, afterMs = slowMs } = wait;
  const timer = setTimeout(() => {
    terminal.say(`waiting    for ${whom} ...`);
  }, afterMs);
  const stopped = new Promise<never>((_, reject) => {
    const stop = (): void => {
      // What the user wants to be told: it is an error where the signal is made.
      reject(signal?.reason as Error);
    };
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([answer, stopped]);
  } finally {
    clearTimeout(timer);
  }
}
