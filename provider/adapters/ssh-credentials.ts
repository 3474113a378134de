import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { SshError } from "./ssh-error.ts";

/** What a client proves itself with: a private key, an agent that may hold others, or both, the key first. */
export interface SshCredentials {
  readonly privateKey?: string;
  readonly agent?: string;
}

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

async function keyIn(file: string): Promise<SshCredentials> {
  const content = await readFile(file, "utf8").catch((error: unknown) => {
    throw new SshError(
      "credentials",
      `there is no SSH key: ${file} cannot be read; set BERTH_SSH_KEY_FILE to your private key, or start an SSH agent`,
      error,
    );
  });
  return usable(content, file);
}

/**
 * The operator's SSH key, taken at run time and never kept in the state: `BERTH_SSH_PRIVATE_KEY` (the key's text), else the
 * file `BERTH_SSH_KEY_FILE`, else what `ssh` would try by itself: `~/.ssh/id_ed25519` and the agent at `SSH_AUTH_SOCK`.
 *
 * @throws SshError "credentials" when there is none or it cannot be read
 */
export async function sshCredentials(
  environment: NodeJS.ProcessEnv = process.env,
  home: string = homedir(),
): Promise<SshCredentials> {
  const text = environment["BERTH_SSH_PRIVATE_KEY"] ?? "";
  if (text !== "") return usable(text.endsWith("\n") ? text : `${text}\n`, "BERTH_SSH_PRIVATE_KEY");
  const named = environment["BERTH_SSH_KEY_FILE"] ?? "";
  if (named !== "") return keyIn(named);
  const usual = join(home, ".ssh", "id_ed25519");
  const agent = environment["SSH_AUTH_SOCK"] ?? "";
  if (agent === "") return keyIn(usual);
  // An agent serves those whose key file is encrypted or elsewhere, and may be there without holding any key.
  const found = await keyIn(usual).catch((): SshCredentials => ({}));
  return { ...found, agent };
}
