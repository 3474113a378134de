import { createHash } from "node:crypto";
import { pythonPackages } from "../bootstrap/python-engines.ts";
import { vllmRelease } from "../catalogue/vllm-release.ts";
import type { Plan } from "../plan.ts";

/** The tag by which an image that berth baked is found: what it was baked for, as {@link bakeKey} says it. */
export const bakeTag = "berth:bake";

/** The tag that says the same in words, as {@link bakedFor} gives them. */
export const bakedForTag = "berth:baked-for";

/** Raised when the steps of a bootstrap leave another host than before, so that older images are not taken. */
const layout = 1;

/** A tag's value has at most so many characters (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html). */
const tagCharacters = 256;
const separator = " / ";

type Baked = Pick<Plan, "engine" | "ladder">;

function bakeParts({ engine, ladder }: Baked, baseImage: string) {
  const [{ gpuModel, cpuArchitecture }] = ladder;
  const { version, packages } = vllmRelease;
  const versions = engine === "vllm" ? [version, ...packages] : (pythonPackages(engine) ?? []);
  return { layout, baseImage, cpuArchitecture, gpuModel, engine, versions };
}

/**
 * What decides whether an image fits a plan: the base image, the GPU (driver and PyTorch follow from it), the engine and its
 * versions. Hexadecimal.
 */
export function bakeKey(plan: Baked, baseImage: string): string {
  const parts = Object.values(bakeParts(plan, baseImage));
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 24);
}

/** The same in words, for {@link bakedForTag}. */
export function bakedFor(plan: Baked, baseImage: string): string {
  const parts = bakeParts(plan, baseImage);
  // Of a public parameter the name of the image alone: it has to fit a tag.
  const base = /([^/]+)\/latest\/ami-id$/.exec(baseImage)?.[1] ?? baseImage;
  const words = {
    GPU: parts.gpuModel,
    engine: parts.engine,
    versions: parts.versions.join(" "),
    processor: parts.cpuArchitecture,
    "base image": base,
    steps: String(parts.layout),
  };
  const text = Object.entries(words).map(([name, value]) => `${name}: ${value}`);
  return text.join(separator).slice(0, tagCharacters);
}

/** An image of the account, as far as it is judged here. */
export interface ImageJudged {
  readonly id: string;
  /** Of EC2, such as `available` or `pending`. */
  readonly state: string;
  readonly key: string;
  /** The value of {@link bakedForTag}; undefined where it has none. */
  readonly bakedFor: string | undefined;
}

function differences(had: string, wanted: string): readonly string[] {
  const parse = (text: string) =>
    new Map(text.split(separator).map((part) => part.split(": ", 2) as [string, string]));
  const before = parse(had);
  return [...parse(wanted)].flatMap(([name, value]) => {
    const other = before.get(name);
    return other === value ? [] : [`${name} ${other ?? "unknown"} instead of ${value}`];
  });
}

/**
 * Why none of the account's images is taken for a plan, of the one that is nearest; undefined where one is, or there is none.
 *
 * @param images newest first
 */
export function whyNoBakedImage(
  images: readonly ImageJudged[],
  wanted: { readonly key: string; readonly bakedFor: string },
): string | undefined {
  const same = images.filter(({ key }) => key === wanted.key);
  if (same.some(({ state }) => state === "available")) return undefined;
  const [unready] = same;
  if (unready !== undefined) return `${unready.id} fits, and EC2 calls it ${unready.state}`;
  const told = images.map(({ id, bakedFor: had }) => {
    const all = had === undefined ? [] : differences(had, wanted.bakedFor);
    return { id, all };
  });
  const known = told.filter(({ all }) => all.length > 0);
  const [nearest] = known.toSorted((a, b) => a.all.length - b.all.length);
  if (nearest !== undefined) return `${nearest.id} was baked for ${nearest.all.join(", ")}`;
  const [other] = images;
  return other && `${other.id} was baked for another GPU, engine, version or base image`;
}
