import { LineCounter, isMap, isNode, parseDocument, type Document } from "yaml";
import { z } from "zod";
import { UserError } from "../user-error.ts";
import { acceleratorSchema } from "./accelerator.ts";
import type { Catalogue } from "./catalogue.ts";
import { findModel } from "./find-model.ts";
import { instanceTypeSchema } from "./instance-type.ts";
import { asksForLicence } from "./licence.ts";
import { modelSchema } from "./model.ts";
import { sagemakerTypeSchema } from "./sagemaker-type.ts";

/** Tables that a user may add to: the schema of their rows, and the field that names a row. */
const overlaid = {
  models: { schema: modelSchema, key: "id" },
  accelerators: { schema: acceleratorSchema, key: "model" },
  instanceTypes: { schema: instanceTypeSchema, key: "instanceType" },
  sagemakerTypes: { schema: sagemakerTypeSchema, key: "instanceType" },
} as const;

type TableName = keyof typeof overlaid;
type Path = readonly (string | number)[];
type Row = Readonly<Record<string, unknown>>;

const rowSchema = z.array(z.record(z.string(), z.unknown())).optional();
const fileSchema = z.strictObject({
  models: rowSchema,
  accelerators: rowSchema,
  instanceTypes: rowSchema,
  sagemakerTypes: rowSchema,
});

/** Collects problems with the place of what they are about. */
class Problems {
  readonly list: string[] = [];
  private readonly file: string;
  private readonly document: Document;
  private readonly lines: LineCounter;

  constructor(file: string, document: Document, lines: LineCounter) {
    this.file = file;
    this.document = document;
    this.lines = lines;
  }

  at(offset: number, text: string): void {
    const { line, col } = this.lines.linePos(offset);
    this.list.push(`${this.file}:${line}:${col}: ${text}`);
  }

  /** The place of the path, or of what it would lie in. */
  add(path: Path, text: string): void {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = this.document.getIn(path.slice(0, length), true);
      if (!isNode(node) || node.range === undefined || node.range === null) continue;
      this.at(node.range[0], `${path.join(".")}: ${text}`);
      return;
    }
    this.at(0, `${path.join(".")}: ${text}`);
  }

  /** What a schema says of the node at the place; a field that it does not know is named where it stands. */
  issue(place: Path, { path, ...issue }: z.core.$ZodIssue): void {
    const whole = [...place, ...(path as Path)];
    if (issue.code !== "unrecognized_keys") {
      this.add(whole, issue.message);
      return;
    }
    const node = this.document.getIn(whole, true);
    for (const key of issue.keys) {
      const pair = isMap(node) ? node.items.find((item) => String(item.key) === key) : undefined;
      const named = `${[...whole, key].join(".")}: there is no such field`;
      if (isNode(pair?.key)) this.at(pair.key.range?.[0] ?? 0, named);
      else this.add(whole, named);
    }
  }
}

/** What the row starts from: the one of that name, or the model that it extends; none for a new row. */
function beneath(catalogue: Catalogue, table: TableName, row: Row): Row {
  const { key } = overlaid[table];
  const known = (catalogue[table] as readonly Row[]).find((one) => one[key] === row[key]);
  if (known !== undefined) return known;
  const from = row["extends"];
  if (table !== "models" || typeof from !== "string") return {};
  // Names and the repository of the files are that model's own: under them the new one would be taken for it.
  const foreign = { aliases: undefined, variants: undefined, huggingfaceRepo: undefined };
  const base = findModel(from, catalogue);
  // Without a repository, a row of which nobody knows whether it is gated would pass for the user's own files.
  return { ...base, ...foreign, gated: asksForLicence(base) };
}

/** Prices of a region replace that region's alone, and carry where they are from. */
function mergedPrices(under: unknown, over: unknown, source: string): unknown {
  if (typeof over !== "object" || over === null || Array.isArray(over)) return over;
  const marked = Object.entries(over).map(([region, price]: [string, unknown]) => [
    region,
    typeof price === "object" && price !== null ? { source, ...price } : price,
  ]);
  return { ...(under as object | undefined), ...Object.fromEntries(marked) };
}

function merged(catalogue: Catalogue, table: TableName, row: Row, file: string): Row {
  const under = beneath(catalogue, table, row);
  const own = Object.fromEntries(Object.entries(row).filter(([field]) => field !== "extends"));
  const source = typeof own["source"] === "string" ? `${file}: ${own["source"]}` : file;
  const prices =
    own["prices"] === undefined
      ? {}
      : { prices: mergedPrices(under["prices"], own["prices"], source) };
  const confidence =
    table === "models" && under["confidence"] === undefined ? { confidence: "medium" } : {};
  // Where the catalogue's own word on a licence was read does not vouch for the user's.
  const vouched = own["licence"] === undefined && own["gated"] === undefined;
  const read = vouched ? {} : { licenceSource: undefined };
  return { ...confidence, ...under, ...read, ...own, ...prices, source };
}

function mergeTable(
  catalogue: Catalogue,
  table: TableName,
  rows: readonly Row[],
  problems: Problems,
  file: string,
): readonly Row[] {
  const { schema, key } = overlaid[table];
  const made = new Map((catalogue[table] as readonly Row[]).map((row) => [row[key], row]));
  const seen = new Set<unknown>();
  rows.forEach((row, index) => {
    const place = [table, index];
    if (seen.has(row[key])) problems.add([...place, key], `${String(row[key])} is there twice`);
    seen.add(row[key]);
    try {
      const whole = merged(catalogue, table, row, file);
      const checked = schema.safeParse(whole);
      if (checked.success) made.set(row[key], checked.data);
      for (const issue of checked.error?.issues ?? []) problems.issue(place, issue);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.add([...place, "extends"], error.message);
    }
  });
  return [...made.values()];
}

/** The content; aliases that multiply beyond measure are refused by the parser. */
function contentOf(document: Document, problems: Problems): unknown {
  try {
    return document.toJS();
  } catch (error) {
    problems.at(0, error instanceof Error ? error.message : String(error));
    return {};
  }
}

function parsed(
  text: string,
  file: string,
): { rows: z.infer<typeof fileSchema>; problems: Problems } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = new Problems(file, document, lines);
  for (const { pos, message } of document.errors) problems.at(pos[0], message);
  if (problems.list.length > 0) return { rows: {}, problems };
  const content = contentOf(document, problems) ?? {};
  const { error } = fileSchema.safeParse(content);
  for (const issue of error?.issues ?? []) problems.issue([], issue);
  // What is wrong in the rows of a table that is in order is named too.
  const tables = Object.entries(fileSchema.shape).map(([table, schema]) => {
    const rows = schema.safeParse((content as Row)[table]);
    return [table, rows.data];
  });
  return { rows: Object.fromEntries(tables) as z.infer<typeof fileSchema>, problems };
}

/**
 * The catalogue with a user's own rows over it. A row whose name is known changes only the fields that it has; a new row has
 * to be whole, but a model may begin as another one with `extends`. Each carries the file's name as its source.
 *
 * @throws UserError naming line and column of everything that is wrong
 */
export function withOverlay(catalogue: Catalogue, text: string, file: string): Catalogue {
  const { rows, problems } = parsed(text, file);
  const tables = Object.fromEntries(
    (Object.keys(overlaid) as TableName[]).map((table) => [
      table,
      mergeTable(catalogue, table, rows[table] ?? [], problems, file),
    ]),
  );
  if (problems.list.length > 0) {
    throw new UserError(`${file} cannot be taken over the catalogue.`, {
      problems: problems.list,
      hint: "docs/catalogue.md has every field; a row of a known name needs only what differs.",
    });
  }
  return { ...catalogue, ...tables };
}
