import { counted } from "../../components/counted.ts";
import { hostDataFolder } from "../../components/host-folders.ts";
import { UserError } from "../../components/user-error.ts";
import { ensureFolder } from "../../provider/connection.ts";
import { lastLines, runDetached } from "../../provider/detached-step.ts";
import {
  jobScript,
  scriptOn,
  keepingWords,
  silenceSeconds,
  timeoutSeconds,
  writesParts,
  type JobFolder,
} from "./host-job.ts";
import type { Keeping } from "./kept-checkpoints.ts";
import type { TrainingNodes } from "./nodes.ts";

const place = "Give a folder that all of them have, such as --shared-storage /fsx";

/**
 * Holds a folder to the hosts that there are, before anything is sent.
 *
 * @param shared of `--shared-storage`
 * @throws UserError for more hosts than there are, since each GPU would have to hold more; for other hosts than Megatron-LM's
 *   groups were made for; and where each host would write a part of a checkpoint into a folder of its own
 */
export function checkHosts(job: JobFolder, hosts: number, shared: string | undefined): void {
  const { machine, folder, megatron } = job;
  const planned = machine?.nodes ?? 1;
  if (shared !== undefined && (hosts === 1 || !/^\/[\w./-]+$/.test(shared))) {
    throw new UserError(`--shared-storage ${shared} cannot be used.`, {
      hint: hosts === 1 ? "The stack has one host; leave it out." : `${place}.`,
    });
  }
  if (planned > hosts || (megatron && planned !== hosts)) {
    throw new UserError(
      `${folder} was planned for ${counted(planned, "host")}, and the stack has ${hosts}.`,
      {
        hint: `Set berth:hosts to ${planned} and run berth up, or plan it again with --nodes ${hosts}.`,
      },
    );
  }
  if (hosts === 1 || shared !== undefined || !writesParts(job)) return;
  const by = megatron ? "Megatron-LM" : "DeepSpeed";
  throw new UserError(`${folder} is a training by ${by} on several hosts.`, {
    problems: ["each of them writes a part of every checkpoint, into one folder that they share"],
    hint: `${place}, with FSx for Lustre or EFS mounted there; or plan it for one host, or with --framework hugging-face --sharding fsdp.`,
  });
}

/**
 * Has the output of all nodes lie in one folder of storage that they share.
 *
 * @throws UserError when it cannot be written, or is another folder on some of them
 */
export async function shareOutput(nodes: TrainingNodes, shared: string): Promise<void> {
  const seen: string[] = [];
  // One after the other: what the first one writes there the others have to find.
  for (const { host, folder } of nodes) {
    const { code, stdout, stderr } = await host.script(jobScript, {
      args: ["link", folder, shared],
      timeoutMs: 60_000,
    });
    if (code !== 0) {
      throw new UserError(`${shared} of ${host.name} cannot hold the training's output.`, {
        problems: [stderr.trim()],
        hint: "Mount the file system there, writable by the login user, and run the same command again.",
      });
    }
    seen.push(stdout.trim());
  }
  const others = nodes.filter((_, at) => seen[at] !== seen[0]);
  if (others.length === 0) return;
  throw new UserError(`${shared} is not the same folder on all hosts.`, {
    problems: others.map(({ index }) => `host ${index} does not see what host 0 wrote there`),
    hint: "Mount the same file system on each of them, and run the same command again.",
  });
}

/** What is there before all nodes run. */
interface Prepared {
  /** Repository, or folder on the host. */
  readonly baseModel: string;
  readonly keeping?: Keeping | undefined;
  /** Whether Megatron-LM trains it. @default false */
  readonly megatron?: boolean | undefined;
  readonly onLine: (line: string) => void;
}

/**
 * Brings to the shared output, on the first node alone, what all of them begin with: the newest checkpoint, and the base model in
 * Megatron-LM's form. A call that was cut off is followed by the next one.
 *
 * @throws UserError with the last lines when it fails
 */
export async function prepareOutput(
  [{ host, folder }]: TrainingNodes,
  { baseModel, keeping, megatron, onLine }: Prepared,
): Promise<void> {
  const { code, lines } = await runDetached(host, {
    name: "train-prepare",
    script: await scriptOn(host, { megatron, onLine }),
    args: [
      "prepare",
      folder,
      baseModel,
      "",
      "",
      ...(keeping === undefined ? [] : keepingWords(keeping)),
    ],
    folder: `${await ensureFolder(host, hostDataFolder)}/steps`,
    timeoutSeconds,
    silenceSeconds,
    onLine,
  });
  if (code === 0) return;
  throw new UserError(`${host.name} could not prepare the training.`, {
    problems: [lastLines(lines)],
    hint: "Put that right and run the same command again.",
  });
}
