import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** How long steps wait for others, seconds. */
export interface StepWaits {
  /** For another user of the package system. */
  readonly lockSeconds: number;
  /** Before something that failed is tried again. */
  readonly retrySeconds: number;
  /** A step that writes nothing for so long is stopped. @default twenty minutes */
  readonly silenceSeconds?: number | undefined;
}

/** Ten minutes for a lock, as long as an unattended upgrade takes; ten seconds before another try. */
export const usualWaits: StepWaits = { lockSeconds: 600, retrySeconds: 10 };

function stepFile(name: string): string {
  const url = new URL(`../components/bootstrap/steps/${name}`, import.meta.url);
  return readFileSync(fileURLToPath(url), "utf8");
}

/** The script that collects facts. */
export const factsScript = (): string => stepFile("facts.sh");

/** The text of a step as it runs on a host: the waits, what steps have in common, then the step. */
export function stepScript(name: string, waits: StepWaits = usualWaits): string {
  const variables = `lock_seconds=${waits.lockSeconds} retry_seconds=${waits.retrySeconds}\n`;
  const check =
    name === "verify"
      ? `IFS= read -r -d '' cuda_check <<'CUDA_CHECK' || true\n${stepFile("cuda-check.py")}CUDA_CHECK\n`
      : "";
  return `${variables}${check}${stepFile("prelude.sh")}${stepFile(`${name}.sh`)}`;
}
