import { UserError } from "../../components/user-error.ts";
import { askYes } from "../adapters/question.ts";

/**
 * Has a person confirm that a stack is taken down.
 *
 * @param command the one that takes it down, for the hint
 *
 * @throws UserError when it is not confirmed, or nobody can be asked
 */
export async function confirmDown(
  { env, yes }: { env: string; yes?: boolean },
  command = "down",
): Promise<void> {
  if (yes === true) return;
  if (!process.stdin.isTTY) {
    throw new UserError("Nobody is there to confirm it, so nothing was taken down.", {
      hint: `Give --yes: npm run berth -- ${command} --env ${env} --yes`,
    });
  }
  if (await askYes("Take it down?")) return;
  throw new UserError("Nothing was taken down.");
}
