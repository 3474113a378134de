import type { ServerHostKeyAlgorithm } from "ssh2";
import { SshError } from "./ssh-error.ts";

/** A host key that is believed. */
interface PinnedKey {
  readonly type: string;
  readonly raw: Buffer;
}

/** @throws SshError when it is not an OpenSSH public line */
export function parsePinned(line: string): PinnedKey {
  const [type, base64] = line.trim().split(/\s+/);
  const raw = Buffer.from(base64 ?? "", "base64");
  if (type === undefined || raw.length === 0) {
    throw new SshError(
      "host-key",
      `the pinned host key is not an OpenSSH public key line: "${line}"`,
    );
  }
  return { type, raw };
}

/** The algorithms by which a host may prove one of the keys. */
export function algorithms(pinned: readonly PinnedKey[]): ServerHostKeyAlgorithm[] {
  const names = pinned.flatMap(({ type }) =>
    type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type],
  );
  return [...new Set(names)] as ServerHostKeyAlgorithm[];
}

/** A raw key as an OpenSSH public line. */
export function publicLine(raw: Buffer): string {
  const type = raw.subarray(4, 4 + raw.readUInt32BE(0)).toString("latin1");
  return `${type} ${raw.toString("base64")}`;
}
