import { z } from "zod";
import { UserError } from "../components/user-error.ts";
import { Host, type HostPatience } from "./adapters/ssh.ts";
import { SshError } from "./adapters/ssh-error.ts";
import { remoteScript } from "./remote/scripts.ts";

const hostKeyLine = z.string().regex(/^(ssh|ecdsa)-\S+ \S+/, "must be an OpenSSH public key line");

/** What is on the way to a host: a machine with its own key pinned, or a program's words with %h and %p. */
export const throughSchema = z.union([
  z.strictObject({ command: z.array(z.string().min(1)).min(1).readonly() }),
  z.strictObject({
    host: z.string().min(1),
    port: z.number().int().min(1).max(65_535),
    user: z.string().min(1),
    hostKey: hostKeyLine,
  }),
]);

/** How to reach a host: the `connection` input of every resource that works on one. */
export const connectionSchema = z.strictObject({
  host: z.string().min(1, "must be the host's address"),
  port: z.number().int().min(1).max(65_535),
  user: z.string().min(1, "must be the login user"),
  hostKey: hostKeyLine,
  through: throughSchema.optional(),
});

/** How to reach a host. */
export type Connection = z.infer<typeof connectionSchema>;

/** A machine that boots is waited for this long. */
export const bootWindowMs = 10 * 60_000;

/**
 * A host that is described by a resource's inputs; nothing is sent before the first use.
 *
 * @param hostKeys the keys to accept, asked before each connection. @default the connection's own
 */
export function hostOf(
  connection: Connection,
  patience: HostPatience,
  hostKeys: () => Promise<readonly string[]> = () => Promise.resolve([connection.hostKey]),
): Host {
  return new Host({ ...connection, hostKeys }, patience);
}

const hints: Partial<Record<SshError["failure"], string>> = {
  "host-key":
    "If the machine was replaced on purpose, replace its resources (`pulumi up --replace`); else find out what answers at this address before anything else.",
  auth: "The key offered must belong to the `sshPublicKey` of the settings; see BERTH_SSH_KEY_FILE.",
  unreachable: "Check that the instance runs and that `sshCidr` holds your present address.",
};

/** Runs something on a host, closes the connection after it, and turns SSH failures into errors for the user. */
export async function onHost<T>(host: Host, act: (host: Host) => Promise<T>): Promise<T> {
  try {
    return await act(host);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    throw new UserError(error.message, { cause: error, hint: hints[error.failure] });
  } finally {
    host.close();
  }
}

const ensureFolderScript = remoteScript("ensure-folder.sh");

/**
 * Makes a folder on the host that the login user may write to. On a host that has BERTH_ROOT set (a machine that is only a
 * folder) the path lies beneath it.
 *
 * @returns the path on the host
 */
export async function ensureFolder(host: Host, path: string): Promise<string> {
  return (await host.output(ensureFolderScript, [path])).trim();
}
