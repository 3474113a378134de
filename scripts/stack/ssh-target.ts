import { UserError } from "../../components/user-error.ts";
import type { SshTarget } from "../adapters/ssh.ts";
import type { BerthOutputs } from "./stack-outputs.ts";

/**
 * Where to log in.
 *
 * @throws UserError when the stack has no host that is ready
 */
export function sshTarget(outputs: BerthOutputs): SshTarget {
  const { address, sshPort = 22, user, hostKey, sshThrough: through } = outputs;
  if (address === undefined || user === undefined || hostKey === undefined) {
    throw new UserError("This stack has no host to log in to.", {
      hint: "Run berth up, or berth status to see what there is.",
    });
  }
  return { address, port: sshPort, user, hostKey, through };
}
