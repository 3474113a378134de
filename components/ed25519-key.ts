import { randomBytes } from "node:crypto";
import ssh2 from "ssh2";

/** A private key in OpenSSH's form, unencrypted, and its public line without a comment or a newline. */
export interface Ed25519Key {
  readonly privateKey: string;
  readonly publicKey: string;
}

interface Pair {
  readonly private: string;
  readonly public: string;
}

/** Name and 32 bytes of key, each with its length before it. */
const publicBlobBytes = 4 + "ssh-ed25519".length + 4 + 32;
const generate = (): Pair => ssh2.utils.generateKeyPairSync("ed25519", { comment: "" });

function isWhole(pair: Pair): boolean {
  const [own, open] = [ssh2.utils.parseKey(pair.private), ssh2.utils.parseKey(pair.public)];
  if (own instanceof Error || open instanceof Error) return false;
  if (open.getPublicSSH().length !== publicBlobBytes) return false;
  if (!own.getPublicSSH().equals(open.getPublicSSH())) return false;
  const text = randomBytes(32);
  const signature = own.sign(text);
  return !(signature instanceof Error) && open.verify(text, signature);
}

/**
 * Makes an SSH key that OpenSSH and ssh2 both read.
 *
 * ssh2 1.17 drops zero bytes from the start of a new public key, and so makes one key in 256 that nothing reads
 * (https://github.com/mscdex/ssh2/issues/1513); such a key is thrown away here, and another made.
 *
 * @param make what makes a candidate
 * @throws Error when 20 candidates in a row are broken
 */
export function newEd25519Key(make: () => Pair = generate): Ed25519Key {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const pair = make();
    if (isWhole(pair)) return { privateKey: pair.private, publicKey: pair.public.trim() };
  }
  throw new Error("no usable Ed25519 key came of 20 attempts");
}
