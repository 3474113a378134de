import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { OfflineError } from "../../offline-error.ts";

/** Rounds of PBKDF2 that Pulumi's passphrase provider uses (sdk/go/common/resource/config/crypt.go). */
const rounds = 1_000_000;
/** What the salt's own check text holds once it is decrypted. */
const checkText = "pulumi";

/** AES-256-GCM as Pulumi writes it: `v1:<nonce>:<ciphertext and tag>`, both in base64. */
class Cipher {
  readonly #key: Buffer;

  constructor(passphrase: string, salt: Buffer) {
    this.#key = pbkdf2Sync(passphrase, salt, rounds, 32, "sha256");
  }

  encrypt(plaintext: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    const body = Buffer.concat([
      cipher.update(plaintext, "utf8"),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return `v1:${nonce.toString("base64")}:${body.toString("base64")}`;
  }

  decrypt(text: string): string {
    const [version, nonce = "", body = ""] = text.split(":");
    if (version !== "v1")
      throw new OfflineError(`The secret's format "${version ?? ""}" is not supported.`);
    const bytes = Buffer.from(body, "base64");
    const decipher = createDecipheriv("aes-256-gcm", this.#key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString(
      "utf8",
    );
  }
}

function readPassphrase(environment: NodeJS.ProcessEnv): string {
  const { PULUMI_CONFIG_PASSPHRASE: text, PULUMI_CONFIG_PASSPHRASE_FILE: file } = environment;
  if (text !== undefined) return text;
  if (file !== undefined && file !== "") return readFileSync(file, "utf8").trim();
  throw new OfflineError(
    "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
    "It encrypts the stack's secrets; set the one that the stack was made with.",
  );
}

/** Encrypts and decrypts a stack's secrets with a passphrase; the same plain text keeps its ciphertext. */
export class PassphraseSecrets {
  /** Pulumi's `encryptionsalt`: `v1:<salt>:<check text, encrypted>`. */
  readonly salt: string;
  readonly #cipher: Cipher;
  readonly #known = new Map<string, string>();

  private constructor(salt: string, cipher: Cipher) {
    this.salt = salt;
    this.#cipher = cipher;
  }

  /** New secrets with a fresh salt. @throws OfflineError when no passphrase is set */
  static create(environment: NodeJS.ProcessEnv): PassphraseSecrets {
    const salt = randomBytes(8);
    const cipher = new Cipher(readPassphrase(environment), salt);
    return new PassphraseSecrets(
      `v1:${salt.toString("base64")}:${cipher.encrypt(checkText)}`,
      cipher,
    );
  }

  /** The secrets of a salt. @throws OfflineError when the passphrase is missing or is not the one */
  static open(saltText: string, environment: NodeJS.ProcessEnv): PassphraseSecrets {
    const [version, salt = "", ...check] = saltText.split(":");
    if (version !== "v1")
      throw new OfflineError(`The encryption salt's format "${version ?? ""}" is not supported.`);
    const cipher = new Cipher(readPassphrase(environment), Buffer.from(salt, "base64"));
    let checked: string | undefined;
    try {
      checked = cipher.decrypt(check.join(":"));
    } catch {
      checked = undefined;
    }
    if (checked !== checkText) {
      throw new OfflineError(
        "incorrect passphrase",
        "Set PULUMI_CONFIG_PASSPHRASE to the one that the stack was made with.",
      );
    }
    return new PassphraseSecrets(saltText, cipher);
  }

  encrypt(plaintext: string): string {
    const known = this.#known.get(plaintext);
    if (known !== undefined) return known;
    const made = this.#cipher.encrypt(plaintext);
    this.#known.set(plaintext, made);
    return made;
  }

  decrypt(ciphertext: string): string {
    const plaintext = this.#cipher.decrypt(ciphertext);
    this.#known.set(plaintext, ciphertext);
    return plaintext;
  }
}
