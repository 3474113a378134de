import { setTimeout as sleep } from "node:timers/promises";
import { counted } from "../../components/counted.ts";
import { runOperation } from "../adapters/run-operation.ts";
import type { StepRecord } from "../adapters/step-progress.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { ProvisioningError } from "../cli/command-error.ts";
import type { OpenedStack } from "../stack/deployment.ts";

/** AWS's words for a thing that another one still holds. */
const held = /DependencyViolation|has a dependent object|has dependencies|ResourceInUse|in use/i;

/** Times the engine is asked, while things that go slowly hold others. */
const attempts = 4;

/**
 * Destroys what the state knows. What another thing still holds is tried again, and the reason is told.
 *
 * @throws ProvisioningError when it fails for another reason, or does so for too long
 */
export async function destroyStack(
  { engine, stack }: OpenedStack,
  env: string,
  terminal: Terminal,
): Promise<readonly StepRecord[]> {
  const steps: StepRecord[] = [];
  for (let attempt = 1; ; attempt += 1) {
    terminal.say(`down "${env}" with the ${engine.name} engine ${engine.version}`);
    try {
      const done = await runOperation({
        name: "down",
        terminal,
        work: (hooks) => stack.destroy({ ...hooks, color: "never" }),
      });
      terminal.say("", `done       ${done.steps.length} steps in ${done.seconds.toFixed(1)} s`);
      return [...steps, ...done.steps];
    } catch (error) {
      if (!(error instanceof ProvisioningError) || attempt === attempts) throw error;
      const reasons = error.messages.filter((line) => held.test(line));
      if (reasons.length === 0) throw error;
      terminal.say(...reasons.map((line) => `waits      ${line}`));
      await sleep(attempt * 10_000);
    }
  }
}

/** What a destroy knows of, and what carries the run's tag besides. */
export function goesLine(resources: number | undefined, tagged: string, region: string): string {
  const known =
    resources === undefined || resources === 0 ? "nothing" : counted(resources, "resource");
  return `goes       ${known} of the state${tagged === "" ? "" : `; tagged in ${region}: ${tagged}`}`;
}

/** What was taken down. */
interface TakenDown {
  readonly opened: OpenedStack | undefined;
  readonly state: { readonly pending: number } | undefined;
  readonly terminal: Terminal;
}

/**
 * Forgets creates that were cut off, once a receipt has proved that nothing of them is left: the engine would warn of them at every
 * later command. That it could not must not make a teardown fail.
 */
export async function forgetCutOff({ opened, state, terminal }: TakenDown): Promise<void> {
  if (opened === undefined || state === undefined || state.pending === 0) return;
  try {
    await opened.stack.refresh({ clearPendingCreates: true, color: "never" });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    terminal.complain(
      `The state still names what was cut off: ${why.trim().split("\n").at(-1) ?? ""}`,
    );
  }
}
