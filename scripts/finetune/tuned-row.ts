import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, isSeq, parseDocument, type Document, type YAMLMap } from "yaml";
import { findModel } from "../../components/catalogue/find-model.ts";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { loadShippedCatalogue, overlayFile } from "../../components/catalogue/load.ts";
import type { Model } from "../../components/catalogue/model.ts";
import { withOverlay } from "../../components/catalogue/overlay.ts";
import { UserError } from "../../components/user-error.ts";
import { replaceFile } from "../../processes/replace-file.ts";
import { repository } from "../adapters/repository.ts";

/** A row of `berth.catalogue.yaml` that is to be written, and the model that it makes. */
export interface TunedRow {
  readonly model: Model;
  /** Writes the file, where that changes it. */
  readonly keep: () => Promise<void>;
}

/** What a model was trained from, and by which job. */
export interface Tuning {
  readonly base: Model;
  readonly job: string;
  /** Of the result's content. */
  readonly version: string;
  /** GiB of its files where they are in 32 bit, as a training of every weight leaves them. @default as the base model's */
  readonly weightsGiB?: number | undefined;
}

function rowOf(document: Document, id: string): YAMLMap | undefined {
  const models = document.get("models");
  if (!isSeq(models)) return undefined;
  return models.items.filter(isMap).find((row) => row.get("id") === id);
}

/** @throws UserError when the name is another model's already, or would be taken for one */
function checkName(name: string, base: Model, document: Document, catalogue: Catalogue): void {
  const source = rowOf(document, name)?.get("source");
  if (typeof source === "string" && source.startsWith(`trained from ${base.id} `)) return;
  const hint = "Give it another one, such as: --as acme-support-8b";
  if (!/^[a-z0-9][a-z0-9.+-]*$/.test(name) || name.length > 63) {
    throw new UserError(`"${name}" is no name of a model.`, {
      problems: ["small letters, digits, points, plus signs and hyphens; 63 at most"],
      hint,
    });
  }
  let other: Model;
  try {
    other = findModel(name, catalogue);
  } catch {
    return;
  }
  throw new UserError(`"${name}" is ${other.id} of the catalogue already.`, { hint });
}

/** What the row begins with: a model of the catalogue, or all that the user's own row of it says. */
function beginning(document: Document, base: Model): Readonly<Record<string, unknown>> {
  const own = rowOf(document, base.id)?.toJSON() as Record<string, unknown> | undefined;
  if (own === undefined) return { extends: base.id };
  const shipped = loadShippedCatalogue().models.some(({ id }) => id === base.id);
  const foreign = { id: undefined, huggingfaceRepo: undefined, aliases: undefined };
  return { ...own, ...foreign, ...(shipped ? { extends: base.id } : {}) };
}

/** What a row says of its weights' size, undefined where its base model says it. */
function sizeOf({ weightsGiB, nativePrecision }: Readonly<Record<string, unknown>>) {
  return { weightsGiB, nativePrecision };
}

/** Sets the fields of a row, and takes those away that are undefined: an adapter follows a training of every weight, too. */
function renew(row: YAMLMap, fields: Readonly<Record<string, unknown>>): void {
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined) row.delete(field);
    else row.set(field, value);
  }
}

/**
 * The text of `berth.catalogue.yaml` with a row of a model that was trained from another one: of its shape and under its licence.
 *
 * @param before the text of the file; empty where there is none
 * @throws UserError when the name is taken, or the file cannot be read
 */
export function withTunedRow(
  before: string,
  name: string,
  { base, job, version, weightsGiB }: Tuning,
): { readonly text: string; readonly model: Model } {
  const shipped = loadShippedCatalogue();
  const document = parseDocument(before.trim() === "" ? "models: []\n" : before);
  checkName(name, base, document, withOverlay(shipped, before, overlayFile));
  const source = `trained from ${base.id} by ${job}, result ${version}`;
  const inFull = weightsGiB === undefined ? {} : { weightsGiB, nativePrecision: "fp32" };
  const row = rowOf(document, name);
  if (row === undefined) {
    if (!isSeq(document.get("models"))) document.set("models", document.createNode([]));
    const fields = { ...beginning(document, base), ...inFull, id: name, source };
    document.addIn(["models"], document.createNode(fields));
  } else {
    renew(row, { ...sizeOf(beginning(document, base)), ...inFull, source });
  }
  const models = document.get("models");
  if (isSeq(models)) models.flow = false;
  const text = document.toString({ lineWidth: 0 });
  return { text, model: findModel(name, withOverlay(shipped, text, overlayFile)) };
}

/**
 * Holds a name to what may become a row, before anything long is done for it.
 *
 * @param folder where the file is. @default this checkout
 * @throws UserError when the name is taken, or the file cannot be read
 */
export function checkTunedName(name: string, base: Model, folder: string = repository): void {
  withTunedRow(textOf(folder), name, { base, job: "", version: "" });
}

function textOf(folder: string): string {
  const path = join(folder, overlayFile);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/**
 * The same for the file of a checkout. It is read anew when the row is kept: a push takes long, and another one may have written
 * to it meanwhile.
 *
 * @param folder where the file is. @default this checkout
 * @throws UserError as {@link withTunedRow} does
 */
export function tunedRow(name: string, tuning: Tuning, folder: string = repository): TunedRow {
  const path = join(folder, overlayFile);
  const { model } = withTunedRow(textOf(folder), name, tuning);
  const keep = async (): Promise<void> => {
    const before = textOf(folder);
    const { text } = withTunedRow(before, name, tuning);
    if (text !== before) await replaceFile(path, text);
  };
  return { model, keep };
}
