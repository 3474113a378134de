import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { string } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import { ec2Arn, tagEc2, tagSpecification } from "./ec2-tags.ts";

async function find(context: Context, name: string) {
  const ec2 = await context.clients.ec2();
  const request = { KeyNames: [name], IncludePublicKey: true };
  return (await unlessGone(ec2.describeKeyPairs(request)))?.KeyPairs?.[0];
}

/** A public key that may log in to instances. */
export const keyPair = resourceType({
  token: "aws:ec2/keyPair:KeyPair",
  inputs: {
    keyName: string({ computed: true, replace: true }),
    publicKey: string({ required: true, replace: true }),
  },
  outputs: ["arn", "fingerprint", "keyPairId", "keyType"],
  name: { property: "keyName", limit: 255 },
  tag: async (context, id, change) => {
    const found = await find(context, id);
    if (found?.KeyPairId !== undefined) await tagEc2(context, found.KeyPairId, change);
  },
  create: async (context, { keyName, publicKey = "", tagsAll }) => {
    const ec2 = await context.clients.ec2();
    await ec2.importKeyPair({
      KeyName: keyName,
      PublicKeyMaterial: Buffer.from(publicKey),
      ...tagSpecification("key-pair", tagsAll),
    });
    return { id: keyName ?? "" };
  },
  read: async (context, id, state) => {
    const found = await find(context, id);
    if (found === undefined) return undefined;
    const imported = state["publicKey"] === undefined ? { publicKey: found.PublicKey } : {};
    return {
      ...imported,
      arn: await ec2Arn(context, `key-pair/${found.KeyName ?? id}`),
      fingerprint: found.KeyFingerprint,
      keyName: found.KeyName,
      keyPairId: found.KeyPairId,
      keyType: found.KeyType,
      tagsAll: tagMap(found.Tags),
    };
  },
  delete: async (context, id) => {
    const ec2 = await context.clients.ec2();
    await unlessGone(ec2.deleteKeyPair({ KeyName: id }));
  },
});
