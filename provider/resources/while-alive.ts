import { UserError } from "../../components/user-error.ts";
import type { HostPatience } from "../adapters/ssh.ts";
import { bootWindowMs } from "../connection.ts";
import type { Operation } from "../plugin/resource-type.ts";
import { isTerminated } from "./gone.ts";

/** Between two looks whether the instance is still there. */
const usualLookMs = 30_000;

/**
 * Works on a host, and does not wait for one that EC2 says has ended: taken back by spot while it boots, or ended by hand. A
 * machine that is no instance is waited for as ever.
 *
 * @throws UserError when the instance has ended meanwhile
 */
export async function whileAlive<T>(
  instanceId: string,
  operation: Operation,
  work: (patience: HostPatience) => Promise<T>,
  lookMs = usualLookMs,
): Promise<T> {
  const ended = new AbortController();
  const look = async (): Promise<void> => {
    if (!(await isTerminated(instanceId))) return;
    const message = `${instanceId} has ended while it was waited for`;
    const hint = "Run berth up again: it makes another one. Spot may have taken this one back.";
    ended.abort(new UserError(message, { hint }));
  };
  const timer = setInterval(() => void look(), lookMs);
  try {
    const signal = AbortSignal.any([operation.signal, ended.signal]);
    return await work({ connectMs: bootWindowMs, signal });
  } finally {
    clearInterval(timer);
  }
}
