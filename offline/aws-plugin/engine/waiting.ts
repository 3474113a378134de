import { setTimeout as sleep } from "node:timers/promises";
import { OfflineError } from "../../offline-error.ts";
import type { Context } from "./resource-type.ts";

const firstPauseMilliseconds = 100;
const longestPauseMilliseconds = 2000;

/**
 * Asks until there is an answer.
 *
 * @param what completes "waited N s until ..."
 * @param seconds the longest wait; a program's `customTimeouts` goes before it
 */
export async function waitUntil<T>(
  context: Context,
  what: string,
  seconds: number,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const limit = context.timeoutSeconds > 0 ? context.timeoutSeconds : seconds;
  const end = Date.now() + limit * 1000;
  for (
    let pause = firstPauseMilliseconds;
    ;
    pause = Math.min(pause * 2, longestPauseMilliseconds)
  ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() + pause > end) {
      throw new OfflineError(
        `Waited ${limit} s until ${what}, in vain.`,
        "Run the same command again, with a longer customTimeouts if it was on its way.",
      );
    }
    await sleep(pause, undefined, { signal: context.signal });
  }
}

/** Tries again while an error passes by itself, as with roles that are not known everywhere yet. */
export async function retryWhile<T>(
  context: Context,
  seconds: number,
  passes: (error: Error) => boolean,
  attempt: () => Promise<T>,
): Promise<T> {
  let last: Error | undefined;
  const done = await waitUntil(context, "AWS took the request", seconds, async () => {
    try {
      return { value: await attempt() };
    } catch (error) {
      if (!(error instanceof Error) || !passes(error)) throw error;
      last = error;
      return undefined;
    }
  }).catch((error: unknown) => {
    throw error instanceof OfflineError && last !== undefined ? last : error;
  });
  return done.value;
}
