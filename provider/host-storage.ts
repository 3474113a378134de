import { planBootstrap } from "../components/bootstrap/plan.ts";
import type { Host } from "./adapters/ssh.ts";
import { readFacts } from "./bootstrap-host.ts";
import { ensureFolder } from "./connection.ts";
import { lastLines } from "./detached-step.ts";
import { runWay } from "./host-steps.ts";
import type { Operation } from "./plugin/resource-type.ts";
import { usualWaits } from "./step-scripts.ts";

/**
 * Mounts the instance's own disks where the weights go, before any of them is written there. A bootstrap at the same time has
 * the same step: whichever comes second follows the first one's. Where there is nothing to mount it is one look.
 */
export async function mountStorage(
  host: Host,
  dataFolder: string,
  operation: Operation,
): Promise<void> {
  const facts = await readFacts(host, dataFolder);
  const { steps } = planBootstrap(facts, { gpu: { model: "", count: 0 }, engine: "none" });
  const way = steps.find(({ name }) => name === "storage")?.ways[0];
  if (way === undefined) return;
  const folder = await ensureFolder(host, dataFolder);
  const ground = { host, folder, timeoutSeconds: 600, waits: usualWaits, operation };
  const { code, lines } = await runWay(ground, "storage", way);
  if (code === 0) return;
  operation.log(
    `weights go to the root disk, since the instance's own could not be mounted:\n${lastLines(lines)}`,
    "warning",
  );
}
