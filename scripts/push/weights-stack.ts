import { z } from "zod";
import { UserError } from "../../components/user-error.ts";
import { findEngine, type EngineChoice } from "../adapters/engine.ts";
import { makeStack, openStack } from "../adapters/open-stack.ts";
import { stackFilePath } from "../adapters/repository.ts";
import { runOperation } from "../adapters/run-operation.ts";
import { shownPath, writeStackConfig } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";

/** What of a checkpoint is read here. */
const stateSchema = z.looseObject({
  resources: z
    .array(
      z.looseObject({
        type: z.string(),
        urn: z.string(),
        outputs: z.looseObject({ bucket: z.string().optional() }).optional(),
      }),
    )
    .nullish(),
});

/** Name of the stack that keeps an environment's weights. */
export function weightsStackName(env: string): string {
  return `${env}-weights`;
}

/** The bucket of weights in a stack's state; undefined when it has none. */
export function bucketInState(deployment: unknown): string | undefined {
  const buckets = stateSchema
    .parse(deployment ?? {})
    .resources?.filter(
      ({ type, urn }) => type === "aws:s3/bucket:Bucket" && urn.endsWith("store-bucket"),
    );
  return buckets?.[0]?.outputs?.bucket;
}

/** The bucket that a stack made for itself; undefined when there is no such stack, or it made none. */
export async function ownBucketOf(
  stack: string,
  choice: EngineChoice,
): Promise<string | undefined> {
  const engine = await findEngine(choice);
  const opened = await openStack({ stack, engine, cloud: undefined });
  return opened === undefined ? undefined : bucketInState((await opened.exportStack()).deployment);
}

/** What a stack of weights is made for. */
export interface WeightsStackRequest {
  /** The stack that the weights are for. */
  readonly stack: string;
  readonly env: string;
  readonly region: string;
  readonly owner: string;
  /** Of the user's own. @default none */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly engine: EngineChoice;
}

/**
 * Makes the stack that keeps an environment's weights, or brings it up to date, and names its bucket in the file of the
 * stack that the weights are for.
 *
 * @returns the bucket's name
 */
export async function makeWeightsStack(
  request: WeightsStackRequest,
  terminal: Terminal,
): Promise<string> {
  const name = weightsStackName(request.stack);
  const engine = await findEngine(request.engine);
  await writeStackConfig(stackFilePath(name), {
    "aws:region": request.region,
    "berth:target": "weights",
    "berth:env": request.env,
    "berth:owner": request.owner,
    "berth:tags": request.tags,
  });
  terminal.say(
    `bucket     "${request.stack}" has no bucket of weights yet: the stack "${name}" makes one`,
  );
  const stack = await makeStack({ stack: name, engine, cloud: undefined });
  const report = await runOperation({
    name: "up",
    terminal,
    next: "The same command goes on.",
    work: (hooks) => stack.up({ ...hooks, color: "never" }),
  });
  const bucket: unknown = report.result.outputs["weightsBucket"]?.value;
  if (typeof bucket !== "string") {
    throw new UserError(`The stack "${name}" did not say which bucket it made.`, {
      hint: `Look at it with: pulumi stack output -s ${name}`,
    });
  }
  const file = stackFilePath(request.stack);
  await writeStackConfig(file, { "berth:weightsBucket": bucket });
  terminal.say(
    `bucket     ${bucket}, written to ${shownPath(file)} as berth:weightsBucket`,
    `           It outlives the hosts; remove it, and all in it, with: npm run berth -- down --env ${name}`,
  );
  return bucket;
}
