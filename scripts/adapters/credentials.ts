import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { UserError } from "../../components/user-error.ts";
import type { AccountScope } from "./account-scope.ts";

const expired = /ExpiredToken|RequestExpired|TokenRefreshRequired|has expired/;
const unusable =
  /InvalidClientTokenId|UnrecognizedClient|AuthFailure|SignatureDoesNotMatch|CredentialsProviderError|AccessDenied/;

/**
 * Asks AWS who is asking, before anything is begun.
 *
 * @returns the account's number
 * @throws UserError when the credentials have expired, or are none
 */
export async function checkCredentials(scope: AccountScope): Promise<string> {
  const client = new STSClient({ ...scope.client, maxAttempts: 3 });
  try {
    const { Account = "unknown" } = await client.send(new GetCallerIdentityCommand({}));
    return Account;
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const hint =
      "Nothing was touched. Log in anew (such as aws sso login), then run the same command again; the schedules in the account end what they were armed for meanwhile.";
    if (expired.test(`${name} ${message}`)) {
      throw new UserError("The AWS credentials have expired.", { hint, cause: error });
    }
    if (unusable.test(`${name} ${message}`)) {
      throw new UserError(`AWS does not take the credentials: ${message}`, { hint, cause: error });
    }
    throw new UserError(`AWS did not answer: ${message}`, { hint, cause: error });
  } finally {
    client.destroy();
  }
}
