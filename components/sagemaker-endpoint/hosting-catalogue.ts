import type { Catalogue } from "../catalogue/catalogue.ts";
import type { InstanceType } from "../catalogue/instance-type.ts";
import type { SagemakerType } from "../catalogue/sagemaker-type.ts";

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
export function hostingCatalogue(catalogue: Catalogue): Catalogue {
  const ec2Types = new Map(catalogue.instanceTypes.map((type) => [type.instanceType, type]));
  const instanceTypes = catalogue.sagemakerTypes.flatMap((row): InstanceType[] => {
    const ec2 = ec2Types.get(row.ec2InstanceType);
    if (ec2 === undefined || !row.hosting) return [];
    // What EC2 sells besides by reservation, on spot and in Capacity Blocks is nothing that an endpoint runs on.
    const ofEc2 = { capacityBlocks: undefined, reserved: undefined, pastSpot: undefined };
    return [{ ...ec2, ...ofEc2, instanceType: row.instanceType, prices: hostingPrices(row) }];
  });
  return { ...catalogue, instanceTypes };
}

function hostingPrices({ prices = {} }: SagemakerType): NonNullable<InstanceType["prices"]> {
  const known = Object.entries(prices).map(
    ([region, { hostingHourlyUsd, asOf }]) =>
      [region, { onDemandHourlyUsd: hostingHourlyUsd, asOf }] as const,
  );
  return Object.fromEntries(known);
}
