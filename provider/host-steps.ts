import { dataFolderWord } from "../components/bootstrap/data-folder-word.ts";
import { classifyLog, evidenceLines } from "../components/bootstrap/failures.ts";
import type { BootstrapStep, StepWay } from "../components/bootstrap/plan-steps.ts";
import { UserError } from "../components/user-error.ts";
import type { Host } from "./adapters/ssh.ts";
import { lastLines, runDetached, type StepResult } from "./detached-step.ts";
import type { Operation } from "./plugin/resource-type.ts";
import { stepScript, type StepWaits } from "./step-scripts.ts";

/** Where and how steps run. */
export interface StepGround {
  readonly host: Host;
  /** The data folder's path on the host. */
  readonly folder: string;
  /** For each step. */
  readonly timeoutSeconds: number;
  readonly waits: StepWaits;
  readonly operation: Operation;
}

/** Runs one way of a step detached on the host and gives what it wrote, whatever its end. */
export function runWay(ground: StepGround, name: string, way: StepWay): Promise<StepResult> {
  const { host, folder, operation } = ground;
  const args = way.args.map((word) => word.replace(dataFolderWord, folder));
  return runDetached(host, {
    name,
    script: stepScript(way.script, ground.waits),
    args,
    folder: `${folder}/steps`,
    timeoutSeconds: ground.timeoutSeconds,
    silenceSeconds: ground.waits.silenceSeconds,
    signal: operation.signal,
    onLine: (line) => {
      if (line.startsWith("@warning ")) operation.log(line.slice("@warning ".length), "warning");
    },
  });
}

/** What a step asked a reboot for; undefined when it did not. */
function rebootAsked({ lines }: StepResult): string | undefined {
  return lines.find((line) => line.startsWith("@reboot "))?.slice("@reboot ".length);
}

/** The error for a step that failed, named by the table of failures where that knows it. */
export function stepFailure(
  ground: StepGround,
  step: BootstrapStep,
  result: StepResult,
): UserError {
  const mode = classifyLog(result.lines);
  const where = `on ${ground.host.name}`;
  const log = `the whole log is ${result.logPath} on the host`;
  if (mode === undefined) {
    return new UserError(`the step \`${step.name}\` failed with status ${result.code} ${where}`, {
      problems: [`its last words:\n${lastLines(result.lines)}`],
      hint: `Run \`up\` again to go on from there; ${log}.`,
    });
  }
  const evidence = evidenceLines(mode, result.lines).map((line) => `it wrote: ${line.trim()}`);
  return new UserError(`the step \`${step.name}\` failed ${where}: ${mode.title} (${mode.code})`, {
    problems: [mode.cause, ...evidence, `its last words:\n${lastLines(result.lines, 6)}`],
    hint: `${mode.remedy} Then run the same command again; ${log}.`,
  });
}

/** How a step ended, and by which way. */
export interface WayResult extends StepResult {
  readonly way: StepWay;
}

/** How the runner reboots the host in the middle of a step: at most once. */
export type RebootOnce = (why: string) => Promise<boolean>;

/**
 * Runs a step, its next way where a failure's entry in the table says so, and again after a reboot that it asked for.
 *
 * @throws UserError when no way leads to the end
 */
export async function runStep(
  ground: StepGround,
  step: BootstrapStep,
  reboot: RebootOnce,
): Promise<WayResult> {
  let last: StepResult | undefined;
  for (const [index, way] of step.ways.entries()) {
    const result = await runToEnd(ground, step, way, reboot);
    if (result.code === 0) return { ...result, way };
    last = result;
    const mode = classifyLog(result.lines);
    const next = step.ways[index + 1];
    if (mode?.action !== "next-way" || next === undefined) break;
    ground.operation.log(
      `${step.name}: ${way.script} does not lead there (${mode.code}); trying ${next.script}`,
      "warning",
    );
  }
  throw last === undefined
    ? new Error(`the step ${step.name} has no way to do it`)
    : stepFailure(ground, step, last);
}

async function runToEnd(
  ground: StepGround,
  step: BootstrapStep,
  way: StepWay,
  reboot: RebootOnce,
): Promise<StepResult> {
  const result = await runWay(ground, step.name, way);
  const mode = result.code === 0 ? undefined : classifyLog(result.lines);
  const asked = rebootAsked(result) ?? (mode?.action === "reboot" ? mode.title : undefined);
  if (asked === undefined || step.name !== "driver") return result;
  if (!(await reboot(asked))) return asFailure(result);
  const again = await runWay(ground, step.name, way);
  return rebootAsked(again) === undefined ? again : asFailure(again);
}

/** A step that still asks for a reboot is not done, whatever its status. */
function asFailure(result: StepResult): StepResult {
  return { ...result, code: result.code === 0 ? 1 : result.code };
}
