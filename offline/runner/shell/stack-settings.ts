import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Document, parseDocument } from "yaml";
import { OfflineError } from "../../offline-error.ts";
import type { ConfigValue } from "../contract.ts";
import { writeDurably } from "./durable-file.ts";
import { PassphraseSecrets } from "./passphrase.ts";

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
    const values = new Map<string, ConfigValue>();
    const raw =
      (this.#document.toJS() as { config?: Record<string, unknown> } | null)?.config ?? {};
    for (const [key, value] of Object.entries(raw)) values.set(key, this.#configValue(value));
    return values;
  }

  #configValue(value: unknown): ConfigValue {
    if (typeof value === "object" && value !== null) {
      const { secure } = value as { secure?: unknown };
      if (typeof secure === "string")
        return { value: this.secrets().decrypt(secure), secret: true };
      return { value: JSON.stringify(value), secret: false, object: true };
    }
    return { value: String(value), secret: false };
  }

  set(key: string, value: string, secret: boolean): void {
    const stored = secret ? { secure: this.secrets().encrypt(value) } : value;
    this.#document.setIn(["config", key], stored);
  }

  /** @returns whether it was there */
  remove(key: string): boolean {
    return this.#document.deleteIn(["config", key]);
  }

  save(): void {
    writeDurably(this.path, this.#document.toString({ lineWidth: 0 }), 0o644);
  }

  delete(): void {
    rmSync(this.path, { force: true });
  }
}
