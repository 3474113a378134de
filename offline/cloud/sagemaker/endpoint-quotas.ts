import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Faults } from "../faults.ts";

/** Instances of a type that an account may have in endpoints here, unless a `quota` fault says none. */
const granted = 4;

/** The types of EC2 that hosting has too, from the emulation's own table. */
const table = JSON.parse(
  readFileSync(new URL("../data/gpu-instance-types.json", import.meta.url), "utf8"),
) as { readonly types: Readonly<Record<string, { readonly gpuCount: number }>> };
const types = Object.keys(table.types).map((type) => `ml.${type}`);

/** GPUs of a type of hosting; 0 for one that has none. */
export function gpusOf(instanceType: string): number {
  return table.types[instanceType.replace(/^ml\./, "")]?.gpuCount ?? 0;
}

/** How many instances of a type the account may have in endpoints. */
export function endpointQuota(faults: Faults, instanceType: string): number {
  const none = faults
    .all()
    .some(
      ({ kind, service, instanceType: of }) =>
        kind === "quota" && service === "sagemaker" && (of === undefined || of === instanceType),
    );
  return none ? 0 : granted;
}

/** By which AWS counts the requests that serverless endpoints answer at once: 10 in new accounts (L-96300102). */
export const serverlessQuota = {
  code: "L-96300102",
  name: "Maximum total concurrency that can be allocated across all serverless endpoints",
  value: 10,
} as const;

/** Quotas of endpoints as Service Quotas lists them: found by name, their codes are nowhere written down. */
export function endpointQuotas(faults: Faults): { code: string; name: string; value: number }[] {
  const value = endpointQuota(faults, "serverless") === 0 ? 0 : serverlessQuota.value;
  const byType = types.map((type) => {
    const name = `${type} for endpoint usage`;
    const code = `L-${createHash("sha256").update(name).digest("hex").slice(0, 8).toUpperCase()}`;
    return { code, name, value: endpointQuota(faults, type) };
  });
  return [...byType, { ...serverlessQuota, value }];
}
