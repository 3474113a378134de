import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { manifestName } from "../../components/weights/manifest.ts";
import { storedAdapters } from "../../components/model-server/adapters.ts";
import { UserError } from "../../components/user-error.ts";
import { accountOf } from "../adapters/account.ts";
import type { Deployment } from "../stack/deployment.ts";
import { readManifest } from "./push-session.ts";
import { S3Connection } from "./s3-client.ts";
import { TargetBucket } from "./target-bucket.ts";
import { bucketInState } from "./weights-stack.ts";

/**
 * Holds an `up` whose weights are nowhere, or half there: the host would cost money and find nothing to fetch. Where the
 * bucket may not be looked at, the sync finds out.
 *
 * @throws UserError with the command that brings the weights
 */
export async function requireWeights(
  { settings, plan, cloud }: Deployment,
  stack: Stack,
): Promise<void> {
  // A folder is read by the program itself.
  if (settings.target === "existing-host" && settings.weightsBucket === undefined) return;
  const { region, weightsBucket } = settings;
  const bucket = weightsBucket ?? bucketInState((await stack.exportStack()).deployment);
  const from = plan.huggingfaceRepo === undefined ? "<folder>" : `hf:${plan.huggingfaceRepo}`;
  const lacking = (name: string, source: string) => (place: string) =>
    new UserError(`The weights of ${name} are not in S3 yet: ${place}.`, {
      hint: `Bring them with: npm run berth -- push ${source} --env ${settings.stack}`,
    });
  const nowhere = lacking(plan.modelId, from);
  if (bucket === undefined) throw nowhere(`"${settings.stack}" has no bucket`);
  const adapters = storedAdapters(settings.target === "ec2" ? settings.adapters : []);
  const needed = [
    { prefix: settings.weightsPrefix ?? `${plan.modelId}/`, nowhere },
    ...adapters.map(({ name, prefix }) => ({
      prefix,
      nowhere: lacking(`the adapter ${name}`, `adapter:<folder> --as ${name}`),
    })),
  ];
  const { client } = accountOf(settings.stack, region, cloud);
  const connection = new S3Connection({ ...client, lanes: 1 });
  try {
    for (const { prefix, nowhere: missing } of needed) {
      const options = {
        requesterPays: settings.target === "ec2" && settings.weightsRequesterPays === true,
      };
      await requirePrefix(new TargetBucket(connection, { bucket, prefix }, options), missing);
    }
  } finally {
    connection.close();
  }
}

async function requirePrefix(target: TargetBucket, nowhere: (place: string) => UserError) {
  const uri = `s3://${target.bucket}/${target.prefix}`;
  const listed = await target.list().catch(() => undefined);
  if (listed?.size === 0) throw nowhere(`nothing is under ${uri}`);
  const pushed = listed?.has(manifestName) === true ? await readManifest(target) : undefined;
  if (pushed?.manifest?.state !== "pushing") return;
  const { by, startedAt } = pushed.manifest.push;
  throw new UserError(`The weights under ${uri} are not all there.`, {
    problems: [`${by} began to push ${pushed.manifest.source} at ${startedAt}`],
    hint: "Let the push end, or run it again: it goes on where it stopped.",
  });
}
