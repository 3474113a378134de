import type { Host } from "../../provider/adapters/ssh.ts";
import { syncWeights } from "../../provider/sync-weights.ts";
import { operation } from "../../test/provider/support/host.ts";

/** What was done while weights came. */
export interface Beside<T> {
  readonly value: T;
  /** Of the time that it took, how much of it weights came; 1 where there were enough of them. */
  readonly share: number;
}

/**
 * Runs something on a machine while the weights of a {@link StaticS3} come to it, as `up` does. The machine has no role, so
 * that the addresses are presigned.
 *
 * @param endpoint as the machine and this process reach it
 */
export async function besideSync<T>(
  host: Host,
  endpoint: string,
  work: () => Promise<T>,
): Promise<Beside<T>> {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "AKIATEST",
    AWS_SECRET_ACCESS_KEY: "secret",
  });
  const place = { bucket: "weights", prefix: "m/", region: "us-east-1" };
  const folders = { folder: "/opt/berth/weights/m", dataFolder: "/opt/berth" };
  const began = performance.now();
  const syncing = syncWeights(host, { ...place, ...folders }, operation(600)).then(
    () => performance.now() - began,
  );
  const value = await work();
  const took = performance.now() - began;
  return { value, share: Math.min(1, (await syncing) / took) };
}
