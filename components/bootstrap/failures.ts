import { driverFailures } from "./failures/driver.ts";
import type { FailureMode } from "./failures/failure-mode.ts";
import { hostFailures } from "./failures/host.ts";
import { packageFailures } from "./failures/packages.ts";

/** What berth knows of; the first whose signal matches a log names the failure. */
export const failureModes: readonly FailureMode[] = [
  ...driverFailures,
  ...packageFailures,
  ...hostFailures,
];

/** The failure with a code. @throws Error for a code that is not in the table */
export function failureMode(code: string): FailureMode {
  const mode = failureModes.find((each) => each.code === code);
  if (mode === undefined) throw new Error(`${code} is not in the table of failures`);
  return mode;
}

/** How many of a log's last lines tell of a failure that may pass by itself. */
const lastWords = 15;

/** Names the failure that a step's log tells of; undefined for one that the table does not know. */
export function classifyLog(lines: readonly string[]): FailureMode | undefined {
  const whole = lines.join("\n");
  const end = lines.slice(-lastWords).join("\n");
  return failureModes.find(
    ({ signal, passing }) => signal?.test(passing === true ? end : whole) === true,
  );
}

/** The lines of a log that show a failure, at most so many, for the report of it. */
export function evidenceLines(
  mode: FailureMode,
  lines: readonly string[],
  count = 4,
): readonly string[] {
  return lines.filter((line) => mode.signal?.test(line) === true).slice(-count);
}
