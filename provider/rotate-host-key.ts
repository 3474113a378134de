import { UserError } from "../components/user-error.ts";
import type { Host } from "./adapters/ssh.ts";
import { acceptedHostKeys, readHostKeyRecord, writeHostKeyRecord } from "./host-key-record.ts";
import { remoteScript } from "./remote/scripts.ts";

const script = remoteScript("rotate-host-key.sh");

/** How a rotation ended. */
export interface Rotation {
  /** The host key that counts from now on, an OpenSSH public line. */
  readonly hostKey: string;
  readonly changed: boolean;
  /** Why the seeded key was kept, where it was. */
  readonly kept: string | undefined;
}

/**
 * Replaces the host key that a machine was seeded with by one that it makes itself, over the connection that the seeded key
 * vouches for. Cut off anywhere, it is taken up by the next call: this machine notes both keys before the host changes.
 *
 * @param seeded the key that the machine was started with, an OpenSSH public line
 */
export async function rotateHostKey(
  host: Host,
  instanceId: string,
  seeded: string,
): Promise<Rotation> {
  const record = await readHostKeyRecord(instanceId);
  const accepted = acceptedHostKeys(seeded, record);
  if (record?.phase === "active" && !accepted.includes(seeded)) {
    return { hostKey: record.rotated, changed: false, kept: undefined };
  }
  if (record?.phase === "pending" && (await host.session()).hostKey === record.rotated) {
    await writeHostKeyRecord(instanceId, { ...record, phase: "active" });
    return { hostKey: record.rotated, changed: true, kept: undefined };
  }
  const made = (await host.output(script, ["make"])).trim();
  if (made === "none") {
    return {
      hostKey: seeded,
      changed: false,
      kept: "no sshd of the host's own serves this connection",
    };
  }
  await writeHostKeyRecord(instanceId, { seeded, rotated: made, phase: "pending" });
  await host.output(script, ["activate"]);
  host.close();
  await writeHostKeyRecord(instanceId, { seeded, rotated: made, phase: "active" });
  try {
    await host.session();
  } catch (error) {
    throw new UserError(`${host.name} does not show the host key that it was just given`, {
      cause: error,
      hint: "Look at `journalctl -u ssh` over the instance's serial console, or replace the instance.",
    });
  }
  return { hostKey: made, changed: true, kept: undefined };
}
