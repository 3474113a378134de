import { functionType } from "../engine/function-type.ts";
import { string } from "../engine/schema.ts";

/** Whose credentials are in use. */
export const getCallerIdentity = functionType({
  token: "aws:index/getCallerIdentity:getCallerIdentity",
  inputs: { id: string() },
  invoke: async (context) => {
    const sts = await context.clients.sts();
    const { Account = "", Arn = "", UserId = "" } = await sts.getCallerIdentity();
    return { id: Account, accountId: Account, arn: Arn, userId: UserId };
  },
});

/** The region in use. */
export const getRegion = functionType({
  token: "aws:index/getRegion:getRegion",
  inputs: { id: string(), name: string(), endpoint: string() },
  invoke: (context, given) => {
    const name = given.name ?? context.region;
    const endpoint = `ec2.${name}.amazonaws.com`;
    return Promise.resolve({ id: name, name, region: name, description: name, endpoint });
  },
});
