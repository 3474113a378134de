import {
  CreateImageCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  paginateDescribeInstances,
  paginateDescribeSnapshots,
  EC2Client,
  type Image,
} from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { bakedForTag, bakeTag } from "../../components/gpu-host/baked-image.ts";
import { ownerTag } from "../../components/identity.ts";
import { UserError } from "../../components/user-error.ts";
import { tagMap, type ClientSettings } from "./account-scope.ts";

/** The tag that names the instance an image was made of. */
const sourceTag = "berth:baked-from";
/** EC2 copies a root volume in some minutes; after so long something is wrong. */
const imageMinutes = 60;

/** An image that berth baked. */
export interface BakedImage {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly createdAt: string;
  readonly owner: string;
  /** What it was baked for. */
  readonly key: string;
  /** The same in words; undefined where it is not told. */
  readonly bakedFor: string | undefined;
  readonly snapshotIds: readonly string[];
  /** Of its volumes together. */
  readonly gib: number;
}

/** What an image is made of, and told of. */
export interface ImageWish {
  readonly instanceId: string;
  readonly name: string;
  readonly owner: string;
  /** The user's own. @default none */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly key: string;
  readonly bakedFor: string;
}

async function using<T>(client: ClientSettings, work: (ec2: EC2Client) => Promise<T>): Promise<T> {
  const ec2 = new EC2Client(client);
  try {
    return await work(ec2);
  } finally {
    ec2.destroy();
  }
}

function bakedImage(image: Image): BakedImage {
  const tags = tagMap(image.Tags);
  const volumes = (image.BlockDeviceMappings ?? []).flatMap(({ Ebs }) => Ebs ?? []);
  return {
    id: image.ImageId ?? "",
    name: image.Name ?? "",
    state: image.State ?? "unknown",
    createdAt: image.CreationDate ?? "",
    owner: tags[ownerTag] ?? "?",
    key: tags[bakeTag] ?? "",
    bakedFor: tags[bakedForTag],
    snapshotIds: volumes.flatMap(({ SnapshotId }) => SnapshotId ?? []),
    gib: volumes.reduce((sum, { VolumeSize = 0 }) => sum + VolumeSize, 0),
  };
}

async function find(ec2: EC2Client, Name: string, Values: string[]): Promise<BakedImage[]> {
  const asked = { Owners: ["self"], Filters: [{ Name, Values }] };
  const { Images = [] } = await ec2.send(new DescribeImagesCommand(asked));
  return Images.map(bakedImage).toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
}

/** The images of this account that berth baked, newest first. */
export function listBakedImages(client: ClientSettings): Promise<readonly BakedImage[]> {
  return using(client, (ec2) => find(ec2, "tag-key", [bakeTag]));
}

/** The image that was made of an instance; undefined when none was. */
export function imageOfInstance(
  client: ClientSettings,
  instanceId: string,
): Promise<BakedImage | undefined> {
  return using(client, async (ec2) => (await find(ec2, `tag:${sourceTag}`, [instanceId]))[0]);
}

/** Has EC2 make an image of an instance, which reboots for it. */
export function createImage(client: ClientSettings, wish: ImageWish): Promise<string> {
  const { instanceId: InstanceId, name: Name, owner, key, bakedFor, tags = {} } = wish;
  const Tags = [
    ...Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    { Key: "Name", Value: Name },
    { Key: "berth:managed-by", Value: "berth" },
    { Key: ownerTag, Value: owner },
    { Key: bakeTag, Value: key },
    { Key: bakedForTag, Value: bakedFor },
    { Key: sourceTag, Value: InstanceId },
  ];
  // Snapshots cost money, so that they say from the first moment on whose they are.
  const TagSpecifications = (["image", "snapshot"] as const).map((ResourceType) => ({
    ResourceType,
    Tags,
  }));
  return using(client, async (ec2) => {
    const made = await ec2.send(new CreateImageCommand({ InstanceId, Name, TagSpecifications }));
    return made.ImageId ?? "";
  });
}

/**
 * Waits until an image can be launched from.
 *
 * @throws UserError when EC2 gives it up, or takes longer than an hour
 */
export async function untilAvailable(
  client: ClientSettings,
  id: string,
  tell: (line: string) => void,
): Promise<BakedImage> {
  const until = Date.now() + imageMinutes * 60_000;
  for (let told = Date.now(); ;) {
    const [image] = await using(client, (ec2) => find(ec2, "image-id", [id]));
    if (image?.state === "available") return image;
    if (image !== undefined && image.state !== "pending")
      throw new UserError(`EC2 made ${id} ${image.state}.`, {
        hint: `Remove it with: npm run berth -- bake --remove ${id}. Then bake again.`,
      });
    if (Date.now() > until)
      throw new UserError(`${id} is not there after ${imageMinutes} minutes.`, {
        hint: "Run the same command again: it waits for the same image.",
      });
    if (Date.now() - told > 30_000) {
      told = Date.now();
      tell(`           EC2 is still copying the volume of ${id}`);
    }
    await sleep(3000);
  }
}

/** Ids of the images that an instance was launched from which is there, running or stopped. */
export function imagesInUse(
  client: ClientSettings,
  images: readonly BakedImage[],
): Promise<readonly string[]> {
  if (images.length === 0) return Promise.resolve([]);
  const Filters = [
    { Name: "image-id", Values: images.map(({ id }) => id) },
    { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] },
  ];
  return using(client, async (ec2) => {
    const found: string[] = [];
    for await (const { Reservations = [] } of paginateDescribeInstances(
      { client: ec2 },
      { Filters },
    )) {
      const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
      found.push(...instances.flatMap(({ ImageId }) => ImageId ?? []));
    }
    return found;
  });
}

/** Snapshots of images that are gone: a removal was cut off between the two. */
export function listLooseSnapshots(
  client: ClientSettings,
  images: readonly BakedImage[],
): Promise<readonly Omit<BakedImage, "name" | "snapshotIds" | "bakedFor">[]> {
  const used = new Set(images.flatMap(({ snapshotIds }) => snapshotIds));
  return using(client, async (ec2) => {
    const found: Omit<BakedImage, "name" | "snapshotIds" | "bakedFor">[] = [];
    const asked = { OwnerIds: ["self"], Filters: [{ Name: "tag-key", Values: [bakeTag] }] };
    for await (const page of paginateDescribeSnapshots({ client: ec2 }, asked)) {
      for (const { SnapshotId: id = "", State, StartTime, VolumeSize, Tags } of page.Snapshots ??
        []) {
        if (used.has(id)) continue;
        const tags = tagMap(Tags);
        found.push({
          ...{ id, state: State ?? "unknown", createdAt: StartTime?.toISOString() ?? "" },
          ...{ owner: tags[ownerTag] ?? "?", key: tags[bakeTag] ?? "", gib: VolumeSize ?? 0 },
        });
      }
    }
    return found;
  });
}

/** Removes a snapshot that {@link listLooseSnapshots} named. */
export function removeSnapshot(client: ClientSettings, SnapshotId: string): Promise<unknown> {
  return using(client, (ec2) => ec2.send(new DeleteSnapshotCommand({ SnapshotId })));
}

/**
 * Removes an image and its snapshots.
 *
 * @throws UserError when berth did not bake it
 */
export function removeImage(client: ClientSettings, id: string): Promise<BakedImage> {
  return using(client, async (ec2) => {
    const image = (await find(ec2, "tag-key", [bakeTag])).find((each) => each.id === id);
    if (image === undefined) {
      throw new UserError(`${id} is no image that berth baked in this account and region.`, {
        hint: "List them with: npm run berth -- bake --list",
      });
    }
    await ec2.send(new DeregisterImageCommand({ ImageId: id }));
    for (const SnapshotId of image.snapshotIds)
      await ec2.send(new DeleteSnapshotCommand({ SnapshotId }));
    return image;
  });
}
