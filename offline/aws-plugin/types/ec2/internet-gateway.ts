import type { EC2 } from "@aws-sdk/client-ec2";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { string } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import { retryWhile } from "../../engine/waiting.ts";
import { ec2Arn, isInUse, tagEc2, tagSpecification } from "./ec2-tags.ts";

async function detach(ec2: EC2, id: string, vpcId: string): Promise<void> {
  await ec2
    .detachInternetGateway({ InternetGatewayId: id, VpcId: vpcId })
    .catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== "Gateway.NotAttached") throw error;
    });
}

/** A VPC's way to the Internet. */
export const internetGateway = resourceType({
  token: "aws:ec2/internetGateway:InternetGateway",
  inputs: { vpcId: string({ computed: true }) },
  outputs: ["arn", "ownerId"],
  tag: tagEc2,
  create: async (context, { vpcId, tagsAll }) => {
    const ec2 = await context.clients.ec2();
    const tags = tagSpecification("internet-gateway", tagsAll);
    const { InternetGateway } = await ec2.createInternetGateway(tags);
    const id = InternetGateway?.InternetGatewayId ?? "";
    const finish = async (): Promise<void> => {
      if (vpcId === undefined) return;
      await ec2.attachInternetGateway({ InternetGatewayId: id, VpcId: vpcId });
    };
    return { id, finish };
  },
  read: async (context, id) => {
    const ec2 = await context.clients.ec2();
    const answer = await unlessGone(ec2.describeInternetGateways({ InternetGatewayIds: [id] }));
    const found = answer?.InternetGateways?.[0];
    if (found === undefined) return undefined;
    return {
      arn: await ec2Arn(context, `internet-gateway/${id}`),
      ownerId: found.OwnerId,
      vpcId: found.Attachments?.[0]?.VpcId,
      tagsAll: tagMap(found.Tags),
    };
  },
  update: async (context, id, { olds, news, changed }) => {
    if (!changed.has("vpcId") || news.vpcId === undefined) return;
    const ec2 = await context.clients.ec2();
    if (typeof olds["vpcId"] === "string") await detach(ec2, id, olds["vpcId"]);
    await ec2.attachInternetGateway({ InternetGatewayId: id, VpcId: news.vpcId });
  },
  delete: async (context, id) => {
    const ec2 = await context.clients.ec2();
    const answer = await unlessGone(ec2.describeInternetGateways({ InternetGatewayIds: [id] }));
    for (const { VpcId = "" } of answer?.InternetGateways?.[0]?.Attachments ?? []) {
      // A public address that is still mapped holds it.
      await retryWhile(context, 600, isInUse, () => unlessGone(detach(ec2, id, VpcId)));
    }
    await retryWhile(context, 300, isInUse, () =>
      unlessGone(ec2.deleteInternetGateway({ InternetGatewayId: id })),
    );
  },
});
