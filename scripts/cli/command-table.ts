import { ending } from "../command-rows/ending.ts";
import { planning } from "../command-rows/planning.ts";
import type { CommandRow } from "../command-rows/row.ts";
import { running } from "../command-rows/running.ts";
import { training } from "../command-rows/training.ts";
import { trying } from "../command-rows/trying.ts";

/** Commands that the help lists together. */
export interface CommandGroup {
  readonly heading: string;
  readonly rows: readonly CommandRow[];
}

/** Every command of `berth`, in the order of a deployment's life. */
export const commandGroups: readonly CommandGroup[] = [
  { heading: "Decide, and bring the weights to S3:", rows: planning },
  { heading: "Train:", rows: training },
  { heading: "Run:", rows: running },
  { heading: "Time, cost and end:", rows: ending },
  { heading: "Try it without an account:", rows: trying },
];
