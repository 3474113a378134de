import { DescribeTagsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { expiryTag } from "../../components/identity.ts";
import type { LeaseLayer } from "../../components/lease/lease-layers.ts";
import type { AccountScope } from "./account-scope.ts";
import { markedInSageMaker, unmarkInSageMaker } from "./endpoint/endpoint-layers.ts";
import { launchedKinds, placeOf, tagAll } from "./lease-layers.ts";
import { ec2Ids } from "./receipt/receipt-ec2.ts";
import type { RecordedSchedule } from "./stack-state.ts";

/**
 * The deadline on what a region that is not the stack's own was found to hold of the run; nothing is the rule. Writing it takes
 * the marks of sweeps away there too.
 */
export function elsewhereLayer(scope: AccountScope, schedule: RecordedSchedule): LeaseLayer {
  const there = placeOf(scope, schedule);
  return {
    name: `the tags ${expiryTag} in ${there.region}`,
    read: async () => {
      const ids = await ec2Ids(there, launchedKinds);
      if (ids.length === 0) return (await markedInSageMaker(there)).length > 0 ? "" : undefined;
      const Filters = [
        { Name: "resource-id", Values: [...ids] },
        { Name: "key", Values: [expiryTag] },
      ];
      const client = new EC2Client({ ...there.client, maxAttempts: 6 });
      try {
        const { Tags } = await client.send(new DescribeTagsCommand({ Filters }));
        return Tags?.[0]?.Value ?? "";
      } finally {
        client.destroy();
      }
    },
    write: async (Value) => {
      await tagAll(there, await ec2Ids(there, launchedKinds), { Key: expiryTag, Value });
      await unmarkInSageMaker(there);
    },
  };
}
