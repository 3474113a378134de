import { ec2Questions } from "./ec2-questions.ts";
import { otherQuestions } from "./other-questions.ts";
import type { ClientSettings } from "./question.ts";

/** Something in the account that a fresh one does not have. */
export interface Leftover {
  readonly service: string;
  readonly kind: string;
  readonly id: string;
  readonly region: string;
}

/** Asks every API of the account, in every region that was used, what is there that a fresh account does not have. */
export async function findLeftovers(
  endpoint: string,
  regions: readonly string[],
): Promise<readonly Leftover[]> {
  const found: Leftover[] = [];
  for (const [index, region] of regions.entries()) {
    const settings: ClientSettings = {
      endpoint,
      region,
      credentials: { accessKeyId: "leftovers", secretAccessKey: "leftovers" },
      maxAttempts: 1,
    };
    const questions = [...ec2Questions, ...otherQuestions].filter(
      (each) => index === 0 || each.global !== true,
    );
    const answers = await Promise.all(
      questions.map(async ({ service, kind, ask }) =>
        (await ask(settings)).map((id) => ({ service, kind, id: id ?? "", region })),
      ),
    );
    found.push(...answers.flat());
  }
  return found;
}
