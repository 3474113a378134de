import type { Terminal } from "../adapters/terminal.ts";

const slowMs = 3000;

/** Says once who is waited for, when an answer takes longer than that. */
export async function sayWhenSlow<T>(
  terminal: Terminal,
  whom: string,
  answer: Promise<T>,
  afterMs = slowMs,
): Promise<T> {
  const timer = setTimeout(() => {
    terminal.say(`waiting    for ${whom} ...`);
  }, afterMs);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}
