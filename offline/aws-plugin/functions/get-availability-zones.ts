import { functionType } from "../engine/function-type.ts";
import { boolean, list, string } from "../engine/schema.ts";
import { ec2Filters, filters } from "./filters.ts";

/** The region's zones. */
export const getAvailabilityZones = functionType({
  token: "aws:index/getAvailabilityZones:getAvailabilityZones",
  inputs: {
    allAvailabilityZones: boolean(),
    excludeNames: list(string()),
    excludeZoneIds: list(string()),
    filters,
    state: string(),
  },
  invoke: async (context, given) => {
    const ec2 = await context.clients.ec2();
    const { AvailabilityZones = [] } = await ec2.describeAvailabilityZones({
      AllAvailabilityZones: given.allAvailabilityZones,
      ...ec2Filters(given.filters, {}, { state: given.state }),
    });
    const zones = AvailabilityZones.filter(
      ({ ZoneName = "", ZoneId = "" }) =>
        !(given.excludeNames ?? []).includes(ZoneName) &&
        !(given.excludeZoneIds ?? []).includes(ZoneId),
    ).toSorted((a, b) => (a.ZoneName ?? "").localeCompare(b.ZoneName ?? ""));
    return {
      id: context.region,
      names: zones.map(({ ZoneName }) => ZoneName ?? ""),
      zoneIds: zones.map(({ ZoneId }) => ZoneId ?? ""),
      groupNames: [...new Set(zones.map(({ GroupName }) => GroupName ?? context.region))],
    };
  },
});
