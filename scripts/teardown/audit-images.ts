import { bakeKey } from "../../components/gpu-host/baked-image.ts";
import { baseImageParameter } from "../../components/gpu-host/base-image.ts";
import {
  auditImages,
  type AuditedImage,
  type ImageThing,
  type ImageWants,
} from "../../components/teardown/image-audit.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import type { ClientSettings } from "../adapters/account-scope.ts";
import {
  imagesInUse,
  listBakedImages,
  listLooseSnapshots,
  removeImage,
  removeSnapshot,
} from "../adapters/baked-images.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import { readStackConfig, readStackSettings, stackFiles } from "../adapters/stack-file.ts";
import { localConfig } from "../stack/deployment.ts";

/** What an account has of images, and what it did not answer. */
export interface ImageInventory {
  readonly images: readonly AuditedImage[];
  readonly unanswered: readonly { readonly question: string; readonly why: string }[];
}

/** Where images are looked for. */
export interface ImageQuestion {
  readonly client: ClientSettings;
  readonly regions: readonly string[];
  /** Whether it is the emulated cloud, whose stacks are others than the account's. */
  readonly emulated: boolean;
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Adds what one stack starts from, and whose it is; a file without an owner was never deployed. */
function addWants(
  stack: string,
  { keys, ids, owners }: Record<"keys" | "ids" | "owners", Set<string>>,
) {
  const owner = readStackConfig(stack)?.["berth:owner"];
  if (typeof owner !== "string") return;
  owners.add(owner);
  const pinned = readStackConfig(stack)?.["berth:imageId"];
  if (typeof pinned === "string") ids.add(pinned);
  const settings = readStackSettings(stack, localConfig(cloudOf(stack), stack));
  if (settings.target !== "ec2") return;
  const plan = makeStackPlan(settings);
  keys.add(bakeKey(plan, baseImageParameter));
  if (settings.imageId !== undefined) keys.add(bakeKey(plan, settings.imageId));
}

/** What the stacks of this folder start from that live in the same cloud, and whose they are. */
async function imageWants(emulated: boolean): Promise<ImageWants> {
  const keys = new Set<string>();
  const ids = new Set<string>();
  const owners = new Set<string>();
  const unread: string[] = [];
  for (const stack of await stackFiles()) {
    if (/^local(-|$)/.test(stack) !== emulated) continue;
    try {
      addWants(stack, { keys, ids, owners });
    } catch {
      unread.push(stack);
    }
  }
  return { keys, ids, owners, unread };
}

/** Every image that berth baked, and every snapshot that is left of one, region by region. */
export async function takeImageInventory(
  { client, regions, emulated }: ImageQuestion,
  now: Date,
): Promise<ImageInventory> {
  const things: ImageThing[] = [];
  const used: string[] = [];
  const unanswered: { question: string; why: string }[] = [];
  for (const region of regions) {
    try {
      const images = await listBakedImages({ ...client, region });
      const loose = await listLooseSnapshots({ ...client, region }, images);
      used.push(...(await imagesInUse({ ...client, region }, images)));
      things.push(...images.map((image) => ({ ...image, kind: "image" as const, region })));
      things.push(...loose.map((each) => ({ ...each, kind: "snapshot" as const, region })));
    } catch (error) {
      unanswered.push({ question: `images in ${region}`, why: reasonOf(error) });
    }
  }
  if (things.length === 0) return { images: [], unanswered };
  const wants = await imageWants(emulated);
  const ids = new Set([...wants.ids, ...used]);
  return { images: auditImages(things, { ...wants, ids }, now), unanswered };
}

/** One line an image: what it is, how old, what it costs at most, and what is thought of it. */
export function imageLines(images: readonly AuditedImage[]): readonly string[] {
  return images.map(({ kind, id, owner, region, ageDays, gib, mostMonthlyUsd, over, reason }) => {
    const age = `${Math.floor(ageDays)} days old`;
    const cost = `${gib} GiB, at most $${mostMonthlyUsd.toFixed(2)} a month`;
    const verdict = (over ? `old ${kind}` : kind).padEnd(14);
    return `${verdict} ${id} of ${owner} in ${region}: ${age}, ${cost}; ${reason}`;
  });
}

/** Removes images and snapshots; returns those that would not go, and why. */
export async function removeImages(
  client: ClientSettings,
  images: readonly AuditedImage[],
  tell: (line: string) => void,
): Promise<readonly { readonly kind: string; readonly id: string; readonly reason: string }[]> {
  const kept = [];
  for (const { kind, id, region, reason } of images) {
    tell(`removes    ${kind} ${id}: ${reason}`);
    try {
      const remove = kind === "image" ? removeImage : removeSnapshot;
      await remove({ ...client, region }, id);
    } catch (error) {
      kept.push({ kind, id, reason: reasonOf(error) });
    }
  }
  return kept;
}
