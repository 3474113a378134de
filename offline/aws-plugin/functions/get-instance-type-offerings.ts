import type { LocationType } from "@aws-sdk/client-ec2";
import { functionType } from "../engine/function-type.ts";
import { string } from "../engine/schema.ts";
import { ec2Filters, filters } from "./filters.ts";

/** Which instance types are offered where, as parallel lists. */
export const getInstanceTypeOfferings = functionType({
  token: "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings",
  inputs: {
    filters,
    locationType: string({
      oneOf: ["region", "availability-zone", "availability-zone-id", "outpost"],
    }),
  },
  invoke: async (context, given) => {
    const ec2 = await context.clients.ec2();
    const found = [];
    let NextToken: string | undefined;
    do {
      const page = await ec2.describeInstanceTypeOfferings({
        LocationType: given.locationType as LocationType,
        NextToken,
        ...ec2Filters(given.filters),
      });
      found.push(...(page.InstanceTypeOfferings ?? []));
      NextToken = page.NextToken;
    } while (NextToken !== undefined && NextToken !== "");
    return {
      id: context.region,
      instanceTypes: found.map(({ InstanceType }) => InstanceType ?? ""),
      locations: found.map(({ Location }) => Location ?? ""),
      locationTypes: found.map(({ LocationType }) => LocationType ?? ""),
    };
  },
});
