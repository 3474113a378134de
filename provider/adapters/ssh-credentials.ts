import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { SshError } from "./ssh-error.ts";

/** What a client proves itself with: a private key, or the agent that holds it. */
export type SshCredentials = { readonly privateKey: string } | { readonly agent: string };

function usable(text: string, from: string): SshCredentials {
  const parsed = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) {
    throw new SshError(
      "credentials",
      `the SSH key in ${from} cannot be used (${parsed.message}); it must be an unencrypted private key in OpenSSH's form, as \`ssh-keygen -t ed25519 -N ''\` writes it`,
    );
  }
  return { privateKey: text };
}

/**
 * The operator's SSH key, taken at run time and never kept in the state: `BERTH_SSH_PRIVATE_KEY` (the key's text), else the
 * agent at `SSH_AUTH_SOCK`, else the file `BERTH_SSH_KEY_FILE`, else `~/.ssh/id_ed25519`.
 *
 * @throws SshError "credentials" when there is none or it cannot be read
 */
export async function sshCredentials(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<SshCredentials> {
  const text = environment["BERTH_SSH_PRIVATE_KEY"] ?? "";
  if (text !== "") return usable(text.endsWith("\n") ? text : `${text}\n`, "BERTH_SSH_PRIVATE_KEY");
  const agent = environment["SSH_AUTH_SOCK"] ?? "";
  if (agent !== "") return { agent };
  const file = environment["BERTH_SSH_KEY_FILE"] ?? join(homedir(), ".ssh", "id_ed25519");
  const content = await readFile(file, "utf8").catch((error: unknown) => {
    throw new SshError(
      "credentials",
      `there is no SSH key: ${file} cannot be read; set BERTH_SSH_KEY_FILE to your private key, or start an SSH agent`,
      error,
    );
  });
  return usable(content, file);
}
