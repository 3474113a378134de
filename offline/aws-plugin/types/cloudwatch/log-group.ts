import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { boolean, number, string } from "../../engine/schema.ts";

async function find(context: Context, id: string) {
  const logs = await context.clients.logs();
  const { logGroups = [] } = await logs.describeLogGroups({ logGroupNamePrefix: id });
  return logGroups.find(({ logGroupName }) => logGroupName === id);
}

/** The ARN without the `:*` that means its streams. */
function arnOf(arn: string | undefined): string {
  return (arn ?? "").replace(/:\*$/, "");
}

async function setRetention(context: Context, id: string, days: number | undefined): Promise<void> {
  const logs = await context.clients.logs();
  // 0 means for ever, in the provider only.
  if (days === undefined || days === 0) {
    await unlessGone(logs.deleteRetentionPolicy({ logGroupName: id }));
  } else await logs.putRetentionPolicy({ logGroupName: id, retentionInDays: days });
}

/** Keeps log lines. */
export const logGroup = resourceType({
  token: "aws:cloudwatch/logGroup:LogGroup",
  inputs: {
    name: string({ computed: true, replace: true }),
    retentionInDays: number({ default: 0 }),
    kmsKeyId: string(),
    logGroupClass: string({ computed: true, replace: true }),
    skipDestroy: boolean({ default: false }),
  },
  outputs: ["arn"],
  name: { property: "name", limit: 512 },
  tag: async (context, _id, change, state) => {
    const logs = await context.clients.logs();
    const resourceArn = String(state["arn"]);
    if (change.remove.length > 0) {
      await logs.untagResource({ resourceArn, tagKeys: [...change.remove] });
    }
    if (Object.keys(change.set).length > 0)
      await logs.tagResource({ resourceArn, tags: change.set });
  },
  create: async (context, inputs) => {
    const logs = await context.clients.logs();
    const id = inputs.name ?? "";
    await logs.createLogGroup({
      logGroupName: id,
      kmsKeyId: inputs.kmsKeyId,
      logGroupClass: inputs.logGroupClass as "STANDARD",
      ...(Object.keys(inputs.tagsAll ?? {}).length === 0 ? {} : { tags: inputs.tagsAll }),
    });
    const days = inputs.retentionInDays ?? 0;
    return { id, ...(days > 0 ? { finish: () => setRetention(context, id, days) } : {}) };
  },
  read: async (context, id) => {
    const found = await find(context, id);
    if (found === undefined) return undefined;
    const logs = await context.clients.logs();
    const resourceArn = arnOf(found.arn);
    const { tags = {} } = await logs.listTagsForResource({ resourceArn });
    return {
      arn: resourceArn,
      name: found.logGroupName,
      retentionInDays: found.retentionInDays ?? 0,
      kmsKeyId: found.kmsKeyId,
      logGroupClass: found.logGroupClass ?? "STANDARD",
      tagsAll: tags,
    };
  },
  update: async (context, id, { news, changed }) => {
    if (changed.has("retentionInDays")) await setRetention(context, id, news.retentionInDays);
    if (!changed.has("kmsKeyId")) return;
    const logs = await context.clients.logs();
    if (news.kmsKeyId === undefined) await logs.disassociateKmsKey({ logGroupName: id });
    else await logs.associateKmsKey({ logGroupName: id, kmsKeyId: news.kmsKeyId });
  },
  delete: async (context, id, state) => {
    if (state["skipDestroy"] === true) return;
    const logs = await context.clients.logs();
    await unlessGone(logs.deleteLogGroup({ logGroupName: id }));
  },
});
