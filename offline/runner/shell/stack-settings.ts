import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Document, isMap, isSeq, parseDocument } from "yaml";
import { OfflineError } from "../../offline-error.ts";
import type { ConfigValue } from "../contract.ts";
import type { PathStep } from "./config-path.ts";
import { writeDurably } from "./durable-file.ts";
import { PassphraseSecrets } from "./passphrase.ts";

function isSealed(stored: object): stored is { secure: string } {
  return typeof (stored as { secure?: unknown }).secure === "string";
}

/** One stack's Pulumi.<stack>.yaml: settings, and the salt of its secrets. Comments in it are kept. */
export class StackSettings {
  readonly path: string;
  readonly #document: Document;
  #secrets: PassphraseSecrets | undefined;

  constructor(folder: string, stack: string, file?: string) {
    this.path = file ?? join(folder, `Pulumi.${stack}.yaml`);
    const text = existsSync(this.path) ? readFileSync(this.path, "utf8") : "";
    const document = parseDocument(text);
    if (document.errors.length > 0) {
      throw new OfflineError(
        `${this.path} is not YAML: ${document.errors[0]?.message ?? ""}`,
        "Correct it, and run this again.",
      );
    }
    this.#document = document.contents === null ? new Document({}) : document;
  }

  /** The secrets of this stack, made on first use. @throws OfflineError on a missing or wrong passphrase */
  secrets(): PassphraseSecrets {
    if (this.#secrets !== undefined) return this.#secrets;
    const salt = this.#document.get("encryptionsalt");
    if (typeof salt === "string") this.#secrets = PassphraseSecrets.open(salt, process.env);
    else {
      this.#secrets = PassphraseSecrets.create(process.env);
      this.#document.set("encryptionsalt", this.#secrets.salt);
      this.save();
    }
    return this.#secrets;
  }

  /** Every setting by its full key, secrets decrypted. */
  config(): ReadonlyMap<string, ConfigValue> {
    return new Map(Object.entries(this.stored()).map(([key, value]) => [key, this.open(value)]));
  }

  /** Every setting by its full key as it stands in the file, secrets encrypted. */
  stored(): Readonly<Record<string, unknown>> {
    return (this.#document.toJS() as { config?: Record<string, unknown> } | null)?.config ?? {};
  }

  /** Whether a stored value is a secret, or holds one. */
  isSecret(stored: unknown): boolean {
    if (typeof stored !== "object" || stored === null) return false;
    return isSealed(stored) || Object.values(stored).some((value) => this.isSecret(value));
  }

  /** A stored value as the program gets it, secrets decrypted. */
  open(stored: unknown): ConfigValue {
    const opened = this.#opened(stored);
    const secret = this.isSecret(stored);
    return typeof opened === "object" && opened !== null
      ? { value: JSON.stringify(opened), secret, object: true }
      : { value: String(opened), secret };
  }

  #opened(stored: unknown): unknown {
    if (typeof stored !== "object" || stored === null) return stored;
    if (isSealed(stored)) return this.secrets().decrypt(stored.secure);
    if (Array.isArray(stored)) return stored.map((value) => this.#opened(value));
    return Object.fromEntries(
      Object.entries(stored).map(([key, value]) => [key, this.#opened(value)]),
    );
  }

  /** Sets a value at a path: the full key, then the way into it. */
  set(
    path: readonly [string, ...PathStep[]],
    value: string | number | boolean,
    secret: boolean,
  ): void {
    const stored = secret ? { secure: this.secrets().encrypt(String(value)) } : value;
    path.forEach((step, depth) => {
      if (depth === 0) return;
      const outer = ["config", ...path.slice(0, depth)];
      const held = this.#document.getIn(outer);
      const fits =
        typeof step === "number" ? isSeq(held) && step <= held.items.length : isMap(held);
      if (held === undefined)
        this.#document.setIn(outer, this.#document.createNode(typeof step === "number" ? [] : {}));
      else if (!fits) {
        throw new OfflineError(
          `${path.slice(0, depth).join(".")} has no place for ${JSON.stringify(step)}.`,
          "Lists take the indices that they have and the next one, maps take keys.",
        );
      }
    });
    this.#document.setIn(["config", ...path], this.#document.createNode(stored));
  }

  /** @returns whether it was there */
  remove(path: readonly [string, ...PathStep[]]): boolean {
    return this.#document.deleteIn(["config", ...path]);
  }

  save(): void {
    writeDurably(this.path, this.#document.toString({ lineWidth: 0 }), 0o644);
  }

  delete(): void {
    rmSync(this.path, { force: true });
  }
}
