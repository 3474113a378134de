import { z } from "zod";
import { UserError } from "../user-error.ts";

const notebookTypesSchema = z.strictObject({
  schemaVersion: z.literal(1),
  collectedAt: z.iso.date(),
  source: z.string(),
  types: z.array(
    z.strictObject({
      instanceType: z.string().regex(/^ml\.[a-z0-9-]+\.[a-z0-9]+$/),
      vcpus: z.int().positive().optional(),
      memoryGiB: z.number().positive().optional(),
      /** USD an hour, by region; one that is not here is not known. */
      hourlyUsd: z.record(z.string(), z.number().positive()),
      /** Day of these prices. @default that of the table */
      asOf: z.iso.date().optional(),
      source: z.string(),
    }),
  ),
});

/** Types that a notebook instance may have, with the prices that are known. */
export type NotebookTypes = Readonly<z.infer<typeof notebookTypesSchema>>;

/**
 * The content of `data/notebook-types.json`.
 *
 * @throws z.ZodError naming every field that is wrong
 */
export function parseNotebookTypes(raw: unknown): NotebookTypes {
  return notebookTypesSchema.parse(raw);
}

/** What a plan says of its notebook. */
export interface NotebookPlan {
  readonly instanceType: string;
  readonly volumeGiB: number;
  /** Minutes without use after which it stops itself. */
  readonly idleMinutes: number;
  /** While it runs, USD. */
  readonly hourlyUsd: number;
  /** Date of the table, or the setting that says it. */
  readonly priceFrom: string;
}

/** What is asked of a notebook. */
export interface NotebookRequest {
  readonly notebookType: string;
  readonly idleMinutes: number;
  readonly region: string;
  /** The user's own price, where the table has none, USD. @default the table's */
  readonly ownHourlyUsd?: number | undefined;
}

/** Types and regions that a refusal names. */
const mostKnown = 8;

/** Room for notebooks and what people install, GiB; 5 is the least that SageMaker takes. */
const volumeGiB = 10;

/**
 * The plan of a notebook instance; pure.
 *
 * @throws UserError for a type or a region whose price is not known: nothing is made that cannot be priced
 */
export function planNotebook(
  { notebookType, idleMinutes, region, ownHourlyUsd }: NotebookRequest,
  { types, collectedAt }: NotebookTypes,
): NotebookPlan {
  const row = types.find(
    (type) => type.instanceType === notebookType && type.hourlyUsd[region] !== undefined,
  );
  const hourlyUsd = ownHourlyUsd ?? row?.hourlyUsd[region];
  const priceFrom =
    ownHourlyUsd === undefined ? (row?.asOf ?? collectedAt) : "berth:notebookHourlyUsd";
  if (hourlyUsd !== undefined) {
    return { instanceType: notebookType, volumeGiB, idleMinutes, hourlyUsd, priceFrom };
  }
  const all = types.flatMap((type) =>
    Object.keys(type.hourlyUsd).map((each) => `${type.instanceType} in ${each}`),
  );
  const isHere = (each: string) => each.endsWith(` in ${region}`);
  const named = [...new Set(all)];
  const known = [...named.filter(isHere), ...named.filter((each) => !isHere(each))];
  throw new UserError(
    `The price of a notebook instance of ${notebookType} in ${region} is not known.`,
    {
      hint: `Read it from AWS with: npm run berth -- catalogue refresh --region ${region}; say it with berth:notebookHourlyUsd; or take one that is known: ${known.slice(0, mostKnown).join(", ")}.`,
    },
  );
}
