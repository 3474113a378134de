import { readFileSync } from "node:fs";
import { parseHostAddress } from "../../components/host-address.ts";
import { UserError } from "../../components/user-error.ts";
import type { Connection } from "../../provider/connection.ts";

/** Flags that name a host which is there already. */
export interface HostOptions {
  readonly host?: string;
  readonly knownHostKey?: string;
}

const keyLine = /^(ssh|ecdsa)-\S+ \S+/;

/** A host's public key: an OpenSSH line, one from `ssh-keyscan`, or a file with either. */
export function readHostKey(given: string): string | undefined {
  let text = given;
  try {
    if (!keyLine.test(given)) text = readFileSync(given, "utf8");
  } catch {
    // It is no file either, and so no key.
  }
  return text
    .split("\n")
    .map((line) => line.trim())
    .flatMap((line) => [line, line.replace(/^\S+\s+/, "")])
    .find((line) => keyLine.test(line));
}

/**
 * Reads how a host is reached.
 *
 * @throws UserError with every problem of the flags; a host is never talked to without its key
 */
export function parseHostOptions(options: HostOptions): Connection {
  const { host: address = "", knownHostKey = "" } = options;
  const login = parseHostAddress(address);
  const hostKey = readHostKey(knownHostKey);
  const problems: string[] = [];
  if (login === undefined)
    problems.push(`--host must be user@address or user@address:port, and is "${address}"`);
  if (hostKey === undefined)
    problems.push("--known-host-key must be the host's public key: its line, or a file with it");
  if (login === undefined || hostKey === undefined) {
    throw new UserError("The host is not named well enough to log in to.", {
      problems,
      hint: "On the host: `cat /etc/ssh/ssh_host_ed25519_key.pub`. Compare it there, not over the network.",
    });
  }
  return { ...login, hostKey };
}
