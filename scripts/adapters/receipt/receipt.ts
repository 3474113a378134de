import { setTimeout as sleep } from "node:timers/promises";
import { counted } from "../../../components/counted.ts";
import type { AccountScope, Question, Remnant } from "../account-scope.ts";
import { budgetQuestion } from "./receipt-budgets.ts";
import { iamQuestions } from "./receipt-iam.ts";
import { askByName, type NamedThing } from "./receipt-by-name.ts";
import { ec2Questions } from "./receipt-ec2.ts";
import { sagemakerQuestions } from "./receipt-sagemaker.ts";
import { schedulerQuestion } from "./receipt-scheduler.ts";
import { taggingQuestion } from "./receipt-tagging.ts";

/** Proof of a teardown: what was asked, and what is left. */
export interface Receipt {
  readonly stack: string;
  readonly region: string;
  readonly asked: readonly string[];
  readonly left: readonly Remnant[];
  /** Questions that got no answer: then nothing is proven. */
  readonly unanswered: readonly { readonly question: string; readonly why: string }[];
}

const questions: readonly Question[] = [
  ...ec2Questions,
  taggingQuestion,
  schedulerQuestion,
  ...iamQuestions,
  ...sagemakerQuestions,
  budgetQuestion,
];

function keyOf({ service, kind, id }: Remnant): string {
  return `${service} ${kind} ${id}`;
}

async function askOnce(scope: AccountScope, named: readonly NamedThing[]): Promise<Receipt> {
  const left: Remnant[] = [];
  const unanswered: { question: string; why: string }[] = [];
  const byName = askByName(scope, named);
  await Promise.all(
    questions.map(async ({ name, ask }) => {
      try {
        left.push(...(await ask(scope)));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        unanswered.push({ question: name, why });
      }
    }),
  );
  const { asked, ...answer } = await byName;
  unanswered.push(...answer.unanswered);
  const all = new Map([...left, ...answer.left].map((remnant) => [keyOf(remnant), remnant]));
  const { stack, region } = scope;
  return {
    stack,
    region,
    asked: [
      ...questions.map(({ name }) => name),
      ...(asked === 0 ? [] : [`${counted(asked, "thing")} of the state by name`]),
    ],
    left: [...all.values()].toSorted((a, b) => keyOf(a).localeCompare(keyOf(b))),
    unanswered,
  };
}

/** How long the account is given to forget: its tag index lags behind a deletion. */
export interface Patience {
  readonly attempts: number;
  readonly pauseMs: number;
}

/**
 * Asks the account what of the stack is still there; asks again while something is, since AWS's own lists lag.
 *
 * @param named what a state knew, which is asked for by name too, whatever has become of its tags
 */
export async function makeReceipt(
  scope: AccountScope,
  patience: Patience = { attempts: 6, pauseMs: 5000 },
  named: readonly NamedThing[] = [],
): Promise<Receipt> {
  for (let attempt = 1; ; attempt += 1) {
    const receipt = await askOnce(scope, named);
    if (receipt.left.length === 0 || attempt >= patience.attempts) return receipt;
    await sleep(patience.pauseMs);
  }
}

/** Whether it proves that nothing is left. */
export function isClean({ left, unanswered }: Receipt): boolean {
  return left.length === 0 && unanswered.length === 0;
}

/** The receipt as a person reads it. */
export function receiptLines(receipt: Receipt): readonly string[] {
  const { stack, region, asked, left, unanswered } = receipt;
  const head = `receipt    ${left.length} left of "${stack}" in ${region}; ${asked.length} questions asked`;
  return [
    head,
    `           asked for ${asked.join(", ")}`,
    ...left.map(({ service, kind, id }) => `           still there: ${service} ${kind} ${id}`),
    ...unanswered.map(({ question, why }) => `           no answer: ${question} (${why})`),
  ];
}
