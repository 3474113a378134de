import { functionType } from "../engine/function-type.ts";
import { list, map, string } from "../engine/schema.ts";
import { findInstances } from "../types/ec2/instances.ts";
import { ec2Filters, filters } from "./filters.ts";

/** Ids and addresses of instances; of running ones, unless states are named. */
export const getInstances = functionType({
  token: "aws:ec2/getInstances:getInstances",
  inputs: { filters, instanceTags: map(), instanceStateNames: list(string()) },
  invoke: async (context, given) => {
    const ec2 = await context.clients.ec2();
    const { Filters = [] } = ec2Filters(given.filters, given.instanceTags);
    const Values = given.instanceStateNames ?? ["running"];
    const found = await findInstances(ec2, {
      Filters: [...Filters, { Name: "instance-state-name", Values }],
    });
    const present = (values: (string | undefined)[]) =>
      values.filter((value) => value !== undefined && value !== "");
    return {
      id: context.region,
      ids: found.map(({ InstanceId }) => InstanceId ?? ""),
      privateIps: present(found.map(({ PrivateIpAddress }) => PrivateIpAddress)),
      publicIps: present(found.map(({ PublicIpAddress }) => PublicIpAddress)),
      ipv6Addresses: present(found.map(({ Ipv6Address }) => Ipv6Address)),
      instanceTags: given.instanceTags ?? {},
    };
  },
});
