import type { EC2, Filter, Instance } from "@aws-sdk/client-ec2";
import { unlessGone } from "../../engine/gone.ts";
import type { Context } from "../../engine/resource-type.ts";
import { waitUntil } from "../../engine/waiting.ts";

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

function isTerminated({ State }: Instance): boolean {
  return State?.Name === "terminated";
}

/** Ends instances and waits until they are terminated; those that are already, or are not known, are left alone. */
export async function terminateInstances(context: Context, ids: readonly string[]): Promise<void> {
  const ec2 = await context.clients.ec2();
  const live = async () =>
    // One by one: a single id that AWS has forgotten fails a question about all.
    (await Promise.all(ids.map((id) => findInstances(ec2, { InstanceIds: [id] }))))
      .flat()
      .filter((instance) => !isTerminated(instance))
      .map(({ InstanceId = "" }) => InstanceId);
  const left = await live();
  if (left.length === 0) return;
  await unlessGone(ec2.terminateInstances({ InstanceIds: left }));
  await waitUntil(context, `${left.join(", ")} are terminated`, 1200, async () =>
    (await live()).length === 0 ? true : undefined,
  );
}
