import { UserError } from "../../components/user-error.ts";
import { SshError, type SshFailure } from "../../provider/adapters/ssh-error.ts";

const again =
  "Run the same command again; npm run berth -- status tells whether the host is still there.";

/** What to do where SSH failed; the others say it in their message. */
const hints: Readonly<Partial<Record<SshFailure, string>>> = {
  unreachable:
    "npm run berth -- status tells whether the host is still there. If it is, your address may no longer be within berth:sshCidr.",
  auth: "berth:sshPublicKey of the stack and the key that you log in with (BERTH_SSH_KEY_FILE, the agent) have to be one pair.",
  lost: again,
  timeout: again,
};

/** A failure of SSH as one that the user can do something about; undefined for any other error. */
export function sshProblem(thrown: unknown): UserError | undefined {
  for (let at = thrown; at instanceof Error; at = at.cause) {
    if (!(at instanceof SshError)) continue;
    const { message, failure } = at;
    return new UserError(`The host cannot be worked with over SSH: ${message}`, {
      hint: hints[failure],
      cause: thrown,
    });
  }
  return undefined;
}
