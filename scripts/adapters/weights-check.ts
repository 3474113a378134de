import { paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import type { ServingEngine } from "../../components/plan.ts";
import { UserError } from "../../components/user-error.ts";
import type { AccountScope } from "./account-scope.ts";

/** Where the weights of a stack are to be. */
export interface WeightsPlace {
  readonly bucket: string;
  /** Ends with a slash. */
  readonly prefix: string;
}

/** Shards of a model that a name says are there: `model-00001-of-00003.safetensors` has two more. */
function missingShards(names: readonly string[]): string[] {
  const known = new Set(names);
  return names.flatMap((name) => {
    const [, stem = "", , total = "", ending = ""] =
      /^(.*-)(\d{5})-of-(\d{5})(\.\w+)$/.exec(name) ?? [];
    if (stem === "") return [];
    return Array.from({ length: Number(total) }, (_, index) => {
      const shard = String(index + 1).padStart(5, "0");
      return `${stem}${shard}-of-${total}${ending}`;
    }).filter((shard) => !known.has(shard));
  });
}

/** What of a model's files an engine would not find; pure. */
export function missingFiles(engine: ServingEngine, names: readonly string[]): readonly string[] {
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  const missing =
    engine === "llama.cpp"
      ? has(/\.gguf$/)
        ? []
        : ["a .gguf file"]
      : [
          ...(has(/^config\.json$/) ? [] : ["config.json"]),
          ...(has(/^tokenizer/) ? [] : ["the tokenizer's files"]),
          ...(has(/\.safetensors$/) ? [] : ["a .safetensors file"]),
        ];
  return [...missing, ...new Set(missingShards(names))];
}

/**
 * Names of the objects below a place, without its prefix.
 *
 * @throws UserError when there is no such bucket, and what S3 says of any other refusal
 */
export async function listNames(
  scope: AccountScope,
  { bucket, prefix }: WeightsPlace,
): Promise<readonly string[]> {
  const emulated = scope.client.endpoint !== undefined;
  const client = new S3Client({ ...scope.client, forcePathStyle: emulated, maxAttempts: 2 });
  const names: string[] = [];
  try {
    for await (const page of paginateListObjectsV2(
      { client },
      { Bucket: bucket, Prefix: prefix },
    )) {
      names.push(...(page.Contents ?? []).map(({ Key = "" }) => Key.slice(prefix.length)));
    }
    return names;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "NoSuchBucket") throw error;
    throw new UserError(`There is no bucket "${bucket}".`, {
      hint: "Make it, put the weights into it, or set berth:weightsBucket to the one that has them.",
      cause: error,
    });
  } finally {
    client.destroy();
  }
}

/**
 * Holds an `up` whose weights are not all there, before anything is made.
 *
 * @returns a warning when the bucket could not be listed
 * @throws UserError naming each file that is missing
 */
export async function checkWeights(
  scope: AccountScope,
  engine: ServingEngine,
  place: WeightsPlace,
): Promise<string | undefined> {
  const uri = `s3://${place.bucket}/${place.prefix}`;
  let names: readonly string[];
  try {
    names = await listNames(scope, place);
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    return `${uri} could not be listed (${error.message}); SageMaker will say whether it can read it`;
  }
  const missing = missingFiles(engine, names);
  if (missing.length === 0) return undefined;
  throw new UserError(`${uri} does not hold a whole model for ${engine}.`, {
    problems: missing.map((file) => `${file} is missing`),
    hint: `Put it there: aws s3 sync <folder> ${uri}`,
  });
}
