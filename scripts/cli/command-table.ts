import { ending } from "../command-rows/ending.ts";
import { planning } from "../command-rows/planning.ts";
import type { CommandRow } from "../command-rows/row.ts";
import { running } from "../command-rows/running.ts";
import { training } from "../command-rows/training.ts";
import { trying } from "../command-rows/trying.ts";

/** Every command of `berth`, in the order of a deployment's life. */
export const commandTable: readonly CommandRow[] = [
  ...planning,
  ...training,
  ...running,
  ...ending,
  ...trying,
];
