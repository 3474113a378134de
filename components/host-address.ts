/** Where a machine is logged in to. */
export interface HostAddress {
  readonly user: string;
  readonly host: string;
  readonly port: number;
}

/**
 * A login's name: what POSIX calls portable, and a Windows domain before it. It goes into command lines of `ssh`, so it never
 * begins with a hyphen and has nothing that a shell or `ssh` itself would read.
 */
const login = /[A-Za-z0-9_][\w.+\\-]*/;

/** A name or address; an IPv6 address may name its zone. */
const place = /\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[A-Za-z0-9_][\w.-]*/;

const hostAddress = new RegExp(`^(${login.source})@(${place.source})(?::(\\d{1,5}))?$`);

/** `user@address` or `user@address:port`, an IPv6 address in brackets; undefined for anything else. */
export function parseHostAddress(text: string): HostAddress | undefined {
  const parts = hostAddress.exec(text);
  if (parts === null) return undefined;
  const [, user = "", host = "", port = "22"] = parts;
  if (Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { user, host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/** A host's public key as OpenSSH writes it; what follows the key is a comment. */
export const hostKeyLine = /^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+=*( .*)?$/;
