import type { EC2, Filter, Instance } from "@aws-sdk/client-ec2";
import { unlessGone } from "../../engine/gone.ts";

/** Instances by id or filter; those that AWS does not know are left out. */
export async function findInstances(
  ec2: EC2,
  query: { readonly InstanceIds?: string[]; readonly Filters?: Filter[] },
): Promise<Instance[]> {
  const found: Instance[] = [];
  let NextToken: string | undefined;
  do {
    const page = await unlessGone(ec2.describeInstances({ ...query, NextToken }));
    found.push(...(page?.Reservations ?? []).flatMap(({ Instances = [] }) => Instances));
    NextToken = page?.NextToken;
  } while (NextToken !== undefined && NextToken !== "");
  return found;
}
