import { z } from "zod";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { InstanceType } from "../catalogue/instance-type.ts";

const hostingTypesSchema = z.object({
  rows: z.array(
    z.object({
      instanceType: z.string(),
      ec2InstanceType: z.string(),
      /** Whether the hosting API takes it at all. */
      hosting: z.boolean().optional(),
      prices: z
        .record(
          z.string(),
          z.object({ hostingHourlyUsd: z.number().positive().optional(), asOf: z.iso.date() }),
        )
        .optional(),
    }),
  ),
});

/** A type of SageMaker hosting: its EC2 type, and its price in each region that is known. */
export type HostingType = Readonly<z.infer<typeof hostingTypesSchema>["rows"][number]>;

/**
 * The rows of `data/sagemaker-types.json`.
 *
 * @throws z.ZodError naming every field that is wrong
 */
export function parseHostingTypes(raw: unknown): readonly HostingType[] {
  return hostingTypesSchema.parse(raw).rows;
}

/** Prefix of every type of SageMaker. */
const prefix = "ml.";

/** `g5.xlarge` and `ml.g5.xlarge` are the same wish. */
export function hostingTypeName(name: string): string {
  return name.startsWith(prefix) ? name : `${prefix}${name}`;
}

/** The EC2 type on whose silicon a hosting type runs. */
export function ec2TypeName(name: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/**
 * The catalogue as SageMaker's hosting has it: its types under their own names and at their own prices, which are above
 * EC2's for the same silicon. A plan made from it is a plan for an endpoint.
 */
export function hostingCatalogue(
  catalogue: Catalogue,
  hostingTypes: readonly HostingType[],
): Catalogue {
  const ec2Types = new Map(catalogue.instanceTypes.map((type) => [type.instanceType, type]));
  const instanceTypes = hostingTypes.flatMap((row): InstanceType[] => {
    const ec2 = ec2Types.get(row.ec2InstanceType);
    if (ec2 === undefined || row.hosting !== true) return [];
    return [{ ...ec2, instanceType: row.instanceType, prices: hostingPrices(row) }];
  });
  return { ...catalogue, instanceTypes };
}

function hostingPrices({ prices = {} }: HostingType): NonNullable<InstanceType["prices"]> {
  const known = Object.entries(prices).flatMap(([region, { hostingHourlyUsd, asOf }]) =>
    hostingHourlyUsd === undefined
      ? []
      : [[region, { onDemandHourlyUsd: hostingHourlyUsd, asOf }] as const],
  );
  return Object.fromEntries(known);
}
