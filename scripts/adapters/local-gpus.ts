import { execFileSync } from "node:child_process";
import { parseNvidiaSmi, type OwnGpu } from "../../components/own-machine/card.ts";
import { UserError } from "../../components/user-error.ts";

const question = ["--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"];

/**
 * The GPUs of this machine, as `nvidia-smi` lists them.
 *
 * @throws UserError when it is not there, does not answer within 10 s, or lists none
 */
export function localGpus(): readonly OwnGpu[] {
  let output: string;
  try {
    output = execFileSync("nvidia-smi", question, {
      encoding: "utf8",
      timeout: 10_000,
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch (cause) {
    throw new UserError("nvidia-smi does not answer on this machine.", {
      hint: 'Name the card instead: --gpus "RTX 3060 12GB".',
      cause,
    });
  }
  return parseNvidiaSmi(output);
}
