import { readFileSync } from "node:fs";
import { z } from "zod";
import { hostDataFolder } from "../../components/host-folders.ts";
import { hostOf, onHost, type Connection } from "../../provider/connection.ts";
import type { HostGpu, HostProbe, HostStep } from "./readings.ts";

const script = readFileSync(new URL("host-probe.sh", import.meta.url), "utf8");
const progressSchema = z.object({ ready: z.number(), total: z.number() });

function percentOrMiB(text: string | undefined): number | undefined {
  const value = Number(text);
  return text === undefined || text === "" || Number.isNaN(value) ? undefined : value;
}

/** A row of `nvidia-smi --query-gpu=name,utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits`. */
function gpuOf(row: string): HostGpu {
  const [name = "?", utilisation, used, total] = row.split(",").map((cell) => cell.trim());
  return {
    name,
    utilisation: percentOrMiB(utilisation),
    memoryUsedMiB: percentOrMiB(used),
    memoryTotalMiB: percentOrMiB(total),
  };
}

function progressOf(text: string): HostStep["progress"] {
  try {
    return progressSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A step, and when its log was last written, seconds since 1970. */
type DatedStep = HostStep & { readonly writtenAt: number };

function stepOf(text: string): DatedStep {
  const [name = "?", state = "gone", code = "-", writtenAt] = text.split(" ");
  const known = (["running", "done"] as const).find((word) => word === state) ?? "gone";
  const status = known === "done" ? Number(code) : 0;
  return { name, state: known, code: status, lastLine: "", writtenAt: Number(writtenAt ?? 0) };
}

/** Of one name the latest, in the order of time. */
function latest(steps: readonly DatedStep[]): readonly HostStep[] {
  const byName = new Map<string, DatedStep>();
  for (const step of steps.toSorted((a, b) => a.writtenAt - b.writtenAt)) {
    byName.delete(step.name);
    byName.set(step.name, step);
  }
  return [...byName.values()].map(({ name, state, code, lastLine, progress }) => {
    return { name, state, code, lastLine, progress };
  });
}

/** What `host-probe.sh` printed; lines that are none of its own are passed over. */
export function readProbe(output: string): HostProbe {
  const gpus: HostGpu[] = [];
  const steps: DatedStep[] = [];
  let health: number | undefined;
  let idleStop = false;
  const amend = (change: Partial<HostStep>) => {
    const last = steps.pop();
    if (last !== undefined) steps.push({ ...last, ...change });
  };
  for (const line of output.split("\n")) {
    const [, tag, rest = ""] = /^@([a-z-]+) ?(.*)$/.exec(line) ?? [];
    if (tag === "idle-stop") idleStop = true;
    if (tag === "gpu") gpus.push(gpuOf(rest));
    if (tag === "health") health = Number(rest);
    if (tag === "step") steps.push(stepOf(rest));
    if (tag === "progress") amend({ progress: progressOf(rest) });
    if (tag === "last") amend({ lastLine: rest });
  }
  return { gpus, health, steps: latest(steps), idleStop };
}

/**
 * Looks at a host over SSH, with its key pinned, and changes nothing there.
 *
 * @param serverPort the model server's; undefined where none is recorded yet
 * @throws UserError when the host cannot be reached, or shows another key
 */
export function probeHost(
  connection: Connection,
  serverPort: number | undefined,
): Promise<HostProbe> {
  return onHost(hostOf(connection, { connectMs: 15_000 }), async (host) => {
    const args = [hostDataFolder, serverPort === undefined ? "-" : String(serverPort)];
    const { stdout } = await host.script(script, { args, timeoutMs: 25_000 });
    return readProbe(stdout);
  });
}
