import type { AccountScope, Question, Remnant } from "../account-scope.ts";
import { enabledRegions } from "../account-things.ts";
import { ec2Questions } from "./receipt-ec2.ts";
import { sagemakerQuestions } from "./receipt-sagemaker.ts";
import { schedulerQuestion } from "./receipt-scheduler.ts";
import { taggingQuestion } from "./receipt-tagging.ts";
import type { Receipt } from "./receipt.ts";

/** What other regions than a stack's own hold of it. */
export interface Elsewhere {
  /** Those that were asked. */
  readonly regions: readonly string[];
  /** Those that refuse whoever asks, as an organisation's policy closes them: nothing can have been made there either. */
  readonly closed: readonly string[];
  readonly left: readonly (Remnant & { readonly region: string })[];
  readonly unanswered: Receipt["unanswered"];
}

/** What is in a region; roles and budgets are the account's, and asked for with the stack's own. */
const questions: readonly Question[] = [
  ...ec2Questions,
  taggingQuestion,
  schedulerQuestion,
  ...sagemakerQuestions,
];

/** The same account, asked in another region. */
export function inRegion(scope: AccountScope, region: string): AccountScope {
  return { ...scope, region, client: { ...scope.client, region } };
}

const refusal = /UnauthorizedOperation|AccessDenied|AuthFailure|not authorized/i;

function isRefused(error: unknown): boolean {
  return error instanceof Error && refusal.test(`${error.name} ${error.message}`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Asks other regions, by tag, for what belongs to a scope: regions side by side, each one question after another. */
async function askRegions(scope: AccountScope, regions: readonly string[]): Promise<Elsewhere> {
  const left: Elsewhere["left"][number][] = [];
  const unanswered: Elsewhere["unanswered"][number][] = [];
  const closed: string[] = [];
  await Promise.all(
    regions.map(async (region) => {
      const there = inRegion(scope, region);
      for (const [index, { name, ask }] of questions.entries()) {
        try {
          left.push(...(await ask(there)).map((found) => ({ ...found, region })));
        } catch (error) {
          if (index === 0 && isRefused(error)) {
            closed.push(region);
            return;
          }
          unanswered.push({ question: `${name} in ${region}`, why: reasonOf(error) });
        }
      }
    }),
  );
  const open = regions.filter((region) => !closed.includes(region));
  return { regions: open, closed: closed.toSorted(), left, unanswered };
}

/**
 * What is left of a scope in every other region that the account has enabled. An emulated account has all of them enabled and
 * nothing in most, so that only those which the stack names are asked.
 *
 * @param named regions that the stack's file or state names
 */
export async function askElsewhere(
  scope: AccountScope,
  named: readonly string[],
): Promise<Elsewhere> {
  const others = (regions: readonly string[]) =>
    [...new Set(regions)].filter((region) => region !== scope.region).toSorted();
  if (scope.client.endpoint !== undefined) return askRegions(scope, others(named));
  try {
    return await askRegions(scope, others(await enabledRegions(scope.client)));
  } catch (error) {
    const asked = await askRegions(scope, others(named));
    const unknown = { question: "which regions are enabled", why: reasonOf(error) };
    return { ...asked, unanswered: [...asked.unanswered, unknown] };
  }
}
