import { z } from "zod";
import { launchGroup, launchOfGroup, liveOfGroup } from "../launch-group.ts";
import type { ResourceType } from "../plugin/resource-type.ts";
import { ended, explainDenied, inRegion, rung } from "./host-launch.ts";

const ground = {
  region: z.string().min(1),
  name: z.string().min(1),
  templates: z.record(z.string(), z.object({ id: z.string().min(1), version: z.string().min(1) })),
  subnetIds: z.array(z.string().min(1)).min(1, "must have a subnet"),
  tags: z.record(z.string(), z.string()),
};

const groupRung = rung.extend({ template: z.string().min(1) });

const groupInputs = z.object({
  ...ground,
  hosts: z.number().int().min(2, "must be two or more"),
  rungs: z.array(groupRung).min(1, "must have a rung"),
});

const hostInputs = z.object({
  ...ground,
  index: z.number().int().nonnegative(),
  launched: groupRung.extend({ zone: z.string().min(1) }),
  groupFleetIds: z.array(z.string()),
});

const fleets = z.object({ fleetIds: z.array(z.string()) });

/** The tags of fleets follow the deployment's; those of hosts are as they were launched. */
const retagged: ResourceType["update"] = (_id, olds, news) =>
  inRegion(news, async (ec2) => {
    const { fleetIds } = fleets.parse(olds);
    if (fleetIds.length > 0) await ec2.tag(fleetIds, z.object(ground).parse(news).tags);
    return { ...olds, ...news };
  });

/** `berth:index:HostGroup`: equal instances in one zone, all or none. */
export const hostGroup: ResourceType = {
  inputs: groupInputs,
  replaceOn: ["region"],
  computed: ["launched", "refusals", "fleetIds"],
  create: (values, operation) =>
    inRegion(values, async (ec2) => {
      const say = (line: string) => {
        operation.log(line);
      };
      const launch = await launchGroup(ec2, groupInputs.parse(values), say).catch(explainDenied);
      return { id: launch.fleetIds[0] ?? "group", outputs: { ...values, ...launch } };
    }),
  // With its last host gone a group is free to choose another zone or type.
  read: (_id, state) =>
    inRegion(state, async (ec2) => {
      const live = await liveOfGroup(ec2, groupInputs.parse(state).templates);
      return live.length === 0 ? undefined : state;
    }),
  update: retagged,
  delete: (_id, state, operation) =>
    inRegion(state, async (ec2) => {
      const live = await liveOfGroup(ec2, groupInputs.parse(state).templates);
      await Promise.all(
        live.map(({ InstanceId = "" }) => ec2.terminate(InstanceId, operation.signal)),
      );
      await ec2.deleteFleets(fleets.parse(state).fleetIds);
    }),
};

/** `berth:index:GroupHost`: one host of a group. */
export const groupHost: ResourceType = {
  inputs: hostInputs,
  replaceOn: ["region", "index"],
  computed: ["instanceId", "fleetIds"],
  create: (values, operation) =>
    inRegion(values, async (ec2) => {
      const say = (line: string) => {
        operation.log(line);
      };
      const given = await launchOfGroup(ec2, hostInputs.parse(values), say).catch(explainDenied);
      return { id: given.instanceId, outputs: { ...values, ...given } };
    }),
  read: (id, state) =>
    inRegion(state, async (ec2) => {
      const [instance] = await ec2.instances({ InstanceIds: [id] });
      return ended.includes(instance?.State?.Name) ? undefined : state;
    }),
  update: retagged,
  delete: (id, state, operation) =>
    inRegion(state, async (ec2) => {
      await ec2.terminate(id, operation.signal);
      await ec2.deleteFleets(fleets.parse(state).fleetIds);
    }),
};
