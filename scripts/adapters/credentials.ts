import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { UserError } from "../../components/user-error.ts";
import { awsProblem, credentialsProblem } from "./aws-problem.ts";
import type { AccountScope } from "./account-scope.ts";

/**
 * Asks AWS who is asking, before anything is begun.
 *
 * @returns the account's number
 * @throws UserError when the credentials are missing, have expired or are not taken, or AWS does not answer
 */
export async function checkCredentials(scope: AccountScope): Promise<string> {
  const client = new STSClient({ ...scope.client, maxAttempts: 3 });
  try {
    const { Account = "unknown" } = await client.send(new GetCallerIdentityCommand({}));
    return Account;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const before = "Nothing was touched. ";
    const hint = `${before}Look at the network, then run the same command again.`;
    throw (
      credentialsProblem(error, before) ??
      awsProblem(error) ??
      new UserError(`AWS did not answer: ${message}`, { hint, cause: error })
    );
  } finally {
    client.destroy();
  }
}
