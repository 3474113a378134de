import {
  DescribeFleetsCommand,
  DescribeInstancesCommand,
  EC2Client,
  paginateDescribeTags,
  type TagDescription,
} from "@aws-sdk/client-ec2";
import { stackTag } from "../../components/identity.ts";
import type { AccountScope, Question, Remnant } from "./receipt.ts";

/** EC2 lists what has ended for about an hour more. */
const ended = ["terminated", "shutting-down", "deleted", "deleted_terminating"];

async function idsThatEnded(
  client: EC2Client,
  tags: readonly TagDescription[],
): Promise<ReadonlySet<string>> {
  const of = (kind: string): string[] =>
    tags.flatMap(({ ResourceType, ResourceId }) =>
      ResourceType === kind && ResourceId !== undefined ? [ResourceId] : [],
    );
  const gone = new Set<string>();
  const instances = of("instance");
  if (instances.length > 0) {
    const answer = await client.send(new DescribeInstancesCommand({ InstanceIds: instances }));
    const found = (answer.Reservations ?? []).flatMap(({ Instances = [] }) => Instances);
    for (const { InstanceId = "", State } of found) {
      if (ended.includes(State?.Name ?? "")) gone.add(InstanceId);
    }
  }
  const fleets = of("fleet");
  if (fleets.length > 0) {
    const answer = await client.send(new DescribeFleetsCommand({ FleetIds: fleets }));
    const alive = new Set(
      (answer.Fleets ?? [])
        .filter(({ FleetState }) => !ended.includes(FleetState ?? ""))
        .map(({ FleetId }) => FleetId),
    );
    for (const id of fleets) if (!alive.has(id)) gone.add(id);
  }
  return gone;
}

async function ask({ stack, client: settings }: AccountScope): Promise<readonly Remnant[]> {
  const client = new EC2Client(settings);
  try {
    const Filters = [
      { Name: "key", Values: [stackTag] },
      { Name: "value", Values: [stack] },
    ];
    const tags: TagDescription[] = [];
    for await (const page of paginateDescribeTags({ client }, { Filters })) {
      tags.push(
        ...(page.Tags ?? []).filter(({ Key, Value }) => Key === stackTag && Value === stack),
      );
    }
    const gone = await idsThatEnded(client, tags);
    return tags
      .filter(({ ResourceId = "" }) => !gone.has(ResourceId))
      .map(({ ResourceType = "unknown", ResourceId = "" }) => {
        return { service: "ec2", kind: ResourceType, id: ResourceId };
      });
  } finally {
    client.destroy();
  }
}

/** Everything of EC2: hosts, volumes, network, keys, templates, fleets. */
export const ec2Question: Question = { name: "EC2 tags", ask };
