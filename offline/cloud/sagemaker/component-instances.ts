import type { Moto } from "../moto/moto.ts";
import type { Component } from "./component-view.ts";
import { gpusOf } from "./endpoint-quotas.ts";
import { findEndpoint } from "./hosted-endpoint.ts";

/** GPUs of each copy that a component has or is to have. */
export function copiesOf({ specification, desired }: Component): number[] {
  const { NumberOfAcceleratorDevicesRequired: gpus = 1 } =
    specification.ComputeResourceRequirements ?? {};
  return Array<number>(desired).fill(gpus);
}

/** GPUs of one instance of an endpoint; 1 at least, so that types without any can be shared too. */
export async function gpusOfEndpoint(moto: Moto, region: string, name: string): Promise<number> {
  const found = await findEndpoint(moto, region, name);
  return Math.max(1, gpusOf(found?.variants[0]?.InstanceType ?? ""));
}

/** Instances that copies take: each goes to the first with GPUs left for it, the largest copies first. */
export function instancesFor(copies: readonly number[], gpusAnInstance: number): number {
  const free: number[] = [];
  for (const gpus of copies.toSorted((a, b) => b - a)) {
    const index = free.findIndex((left) => left >= gpus);
    if (index === -1) free.push(gpusAnInstance - gpus);
    else free[index] = (free[index] ?? 0) - gpus;
  }
  return free.length;
}
