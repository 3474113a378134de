import { z } from "zod";
import { parseFileSystem } from "../components/sagemaker-training/file-system.ts";
import { UserError } from "../components/user-error.ts";
import { berthSchema, endpointSchema, environments } from "./settings-schema.ts";

const uri = z.string().regex(/^s3:\/\/[^/]+\/(.*\/)?$/, "must be s3://bucket/prefix/");
const number = z.coerce.number("must be a number");
const { owner, tags, model, subnetIds, permissionsBoundaryArn } = berthSchema.shape;
const { securityGroupIds, kmsKeyArn, weightsKmsKeyArn } = endpointSchema.shape;

const trainingSchema = z.strictObject({
  "aws:region": z.string("must be a region such as us-east-1").regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  "berth:target": z.literal("training"),
  "berth:env": z.enum(environments),
  "berth:owner": owner,
  "berth:tags": tags,
  "berth:model": model,
  "berth:leaseHours": number,
  "berth:maxAgeHours": number,
  "berth:image": z.string().min(1),
  "berth:instanceType": z.string().startsWith("ml."),
  "berth:instances": number,
  "berth:volumeGiB": number,
  "berth:spot": berthSchema.shape.protect.unwrap(),
  "berth:keepWarmMinutes": number,
  /** All instances; 0 where no price is known. */
  "berth:hourlyUsd": number,
  "berth:sourceUri": uri,
  "berth:checkpointsUri": uri,
  "berth:baseUri": uri.optional(),
  "berth:sharedStorage": z
    .string()
    .refine((text) => parseFileSystem(text) !== undefined, "must be a file system")
    .optional(),
  "berth:baseModel": z.string(),
  "berth:syncMinutes": number,
  "berth:subnetIds": subnetIds,
  "berth:securityGroupIds": securityGroupIds,
  "berth:kmsKeyArn": kmsKeyArn,
  "berth:volumeKmsKeyArn": kmsKeyArn,
  "berth:weightsKmsKeyArn": weightsKmsKeyArn,
  "berth:permissionsBoundaryArn": permissionsBoundaryArn,
});

type Parsed = z.infer<typeof trainingSchema>;
type Short<Key> = Key extends `${string}:${infer Name}` ? Name : never;

/** What the stack of a training job is told, by the names after `berth:`. */
export type TrainingSettings = {
  readonly [Key in keyof Parsed as Short<Key>]: Parsed[Key];
};

/**
 * Settings from a stack's configuration; pure.
 *
 * @throws UserError that lists every problem
 */
export function parseTrainingSettings(
  stack: string,
  config: Readonly<Record<string, unknown>>,
): TrainingSettings {
  const own = Object.entries(config).filter(([key]) => /^(berth:|aws:region$)/.test(key));
  const { data, error } = trainingSchema.safeParse(Object.fromEntries(own));
  if (data !== undefined) {
    const short = Object.entries(data).map(([key, value]) => [key.replace(/^\w+:/, ""), value]);
    return Object.fromEntries(short) as TrainingSettings;
  }
  const problems = error.issues.map(
    ({ path, message }) => `stacks/Pulumi.${stack}.yaml: ${path.map(String).join(".")}: ${message}`,
  );
  throw new UserError(`The stack of the training job "${stack}" is not configured right.`, {
    problems,
    hint: "Correct the file; berth train start writes it anew.",
  });
}
