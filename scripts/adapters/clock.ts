import type { LocalCloud } from "./local-cloud.ts";

/** The time: this machine's, or the emulated cloud's, which tests and the demo move. */
export async function readClock(cloud: LocalCloud | undefined): Promise<Date> {
  if (cloud === undefined) return new Date();
  const response = await fetch(`${cloud.endpoint}/_cloud/clock`);
  const { now } = (await response.json()) as { now: string };
  return new Date(now);
}
