import { z } from "zod";
import { UserError } from "../components/user-error.ts";
import { berthSchema, environments } from "./settings-schema.ts";

const weightsSchema = z.strictObject({
  "aws:region": z.string("must be a region such as us-east-1").regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  "berth:target": z.literal("weights"),
  "berth:env": z.enum(environments),
  "berth:owner": berthSchema.shape.owner,
  "berth:tags": berthSchema.shape.tags,
  "berth:protect": berthSchema.shape.protect,
});

/** What a stack that only keeps weights is told. */
export interface WeightsSettings {
  readonly region: string;
  readonly env: (typeof environments)[number];
  readonly owner: string;
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** Keep the bucket and what is in it from being removed. @default true for prod, else false */
  readonly protect: boolean;
}

/**
 * Settings from a stack's configuration; pure.
 *
 * @throws UserError that lists every problem
 */
export function parseWeightsSettings(
  stack: string,
  config: Readonly<Record<string, unknown>>,
): WeightsSettings {
  const own = Object.entries(config).filter(([key]) => /^(berth:|aws:region$)/.test(key));
  const parsed = weightsSchema.safeParse(Object.fromEntries(own));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join(".")}: ${message}`,
    );
    throw new UserError(`The stack of weights "${stack}" is not configured right.`, {
      problems: problems.map((problem) => `stacks/Pulumi.${stack}.yaml: ${problem}`),
      hint: "Correct the file; berth push writes it anew when it is removed.",
    });
  }
  const { data } = parsed;
  const env = data["berth:env"];
  return {
    region: data["aws:region"],
    env,
    owner: data["berth:owner"],
    tags: data["berth:tags"],
    protect: data["berth:protect"] ?? env === "prod",
  };
}
