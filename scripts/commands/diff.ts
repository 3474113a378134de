import type { Plan } from "../../components/plan.ts";
import { usd } from "../../components/plan-text.ts";
import { UserError } from "../../components/user-error.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import { parseSettings } from "../../stacks/parse-settings.ts";
import { readStackConfig, type StackConfig } from "../adapters/stack-file.ts";
import { stackFilePath } from "../adapters/repository.ts";
import type { Terminal } from "../adapters/terminal.ts";
import {
  differences,
  saidText,
  stackPolicy,
  type StackPolicy,
} from "../plan/environment-policy.ts";
import { exitCode } from "../cli/exit-code.ts";
import { notPlanned } from "../plan/plan-inputs.ts";
import { settingPairs } from "./init.ts";

/** Flags of `berth diff`. */
export interface DiffOptions {
  /** `key=value` pairs that win over the first stack's file. */
  readonly set?: readonly string[];
}

function configOf(stack: string): StackConfig {
  const config = readStackConfig(stack);
  if (config !== undefined) return config;
  throw new UserError(`There is no stack "${stack}": ${stackFilePath(stack)} is missing.`, {
    hint: "Name stacks that have a file in stacks/.",
  });
}

interface Outcome {
  readonly stack: string;
  readonly plan?: Plan;
  /** Why there is no plan. */
  readonly problems: readonly string[];
}

/** What a stack's settings come to: its plan, or what is wrong with them. */
function outcomeOf({ stack, said }: StackPolicy): Outcome {
  try {
    const settings = parseSettings({
      stack,
      config: { ...notPlanned, ...said.file, ...said.flag },
    });
    return { stack, plan: makeStackPlan(settings), problems: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { stack, problems: error.problems.length > 0 ? error.problems : [error.message] };
  }
}

function outcomeLines({ stack, plan, problems }: Outcome): readonly string[] {
  if (plan === undefined) {
    return [`"${stack}" has no plan yet:`, ...problems.map((problem) => `  ${problem}`)];
  }
  const [{ instanceType, purchase, region }] = plan.ladder;
  const most = purchase === "spot" ? "at most " : "";
  const end =
    plan.leaseHours === undefined || plan.leaseUsd === undefined
      ? `without an end; ${usd(plan.hourlyUsd * 730)} a month`
      : `for ${plan.leaseHours} h; ${usd(plan.leaseUsd)} at most`;
  return [
    `"${stack}" would be ${plan.modelId} on ${instanceType} (${purchase}, ${region}): ${most}${usd(plan.hourlyUsd)} an hour, ${end}`,
  ];
}

/** Columns of equal width, two spaces apart. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (column: number) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0));
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(width(column)))
      .join("  ")
      .trimEnd(),
  );
}

/** `berth diff`: what two stacks do differently, who says so, and what it comes to. */
export function runDiff(
  [one, other]: readonly [one: string, other: string],
  { set = [] }: DiffOptions,
  terminal: Terminal,
): Promise<number> {
  const first = stackPolicy(one, configOf(one), settingPairs(set));
  const second = stackPolicy(other, configOf(other));
  const rows = differences(first, second);
  const cells = rows.map((row) => [
    row.key.replace(/^berth:/, ""),
    saidText(row.one, first.env),
    saidText(row.other, second.env),
  ]);
  const outcomes = [outcomeOf(first), outcomeOf(second)];
  terminal.say(
    ...(rows.length === 0
      ? [`"${one}" and "${other}" have the same settings.`]
      : aligned([["", one, other], ...cells])),
    "",
    ...outcomes.flatMap(outcomeLines),
  );
  terminal.result({ one, other, differences: rows, outcomes });
  return Promise.resolve(exitCode.ok);
}

/**
 * `berth env diff`.
 *
 * @throws UserError for any other action
 */
export function runEnv(
  action: string,
  stacks: readonly [one: string, other: string],
  options: DiffOptions,
  terminal: Terminal,
): Promise<number> {
  if (action === "diff") return runDiff(stacks, options, terminal);
  throw new UserError(`There is no "env ${action}".`, { hint: "There is: env diff <one> <other>" });
}
