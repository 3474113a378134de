import { createHash } from "node:crypto";
import { pythonPackages } from "../bootstrap/python-engines.ts";
import { vllmRelease } from "../catalogue/vllm-release.ts";
import type { Plan } from "../plan.ts";

/** The tag by which an image that berth baked is found: what it was baked for, as {@link bakeKey} says it. */
export const bakeTag = "berth:bake";

/** Raised when the steps of a bootstrap leave another host than before, so that older images are not taken. */
const layout = 1;

/**
 * What decides whether an image fits a plan: the base image, the GPU (driver and PyTorch follow from it), the engine and its
 * versions. Hexadecimal.
 */
export function bakeKey({ engine, ladder }: Pick<Plan, "engine" | "ladder">, baseImage: string) {
  const [{ gpuModel, cpuArchitecture }] = ladder;
  const { version, packages } = vllmRelease;
  const versions = engine === "vllm" ? [version, ...packages] : (pythonPackages(engine) ?? []);
  const parts = [layout, baseImage, cpuArchitecture, gpuModel, engine, versions];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 24);
}
