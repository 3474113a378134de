import { UserError } from "../components/user-error.ts";
import type { Settings } from "./settings.ts";

/**
 * Holds a bastion whose key is not known.
 *
 * @throws UserError saying what to set
 */
export function checkThrough(settings: Settings): void {
  if (settings.target === "sagemaker") return;
  const { sshThrough = "", sshThroughHostKey } = settings;
  const bastion = sshThrough.includes("@");
  if (bastion === (sshThroughHostKey !== undefined)) return;
  throw new UserError(
    bastion
      ? `The key of ${sshThrough} is not known, and nothing is trusted on first use.`
      : "berth:sshThroughHostKey is the key of a bastion, and berth:sshThrough names none.",
    { hint: "Set berth:sshThroughHostKey to the line in /etc/ssh/ssh_host_ed25519_key.pub there." },
  );
}
