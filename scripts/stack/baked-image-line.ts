import { bakedFor, bakeKey, whyNoBakedImage } from "../../components/gpu-host/baked-image.ts";
import { baseImageParameter } from "../../components/gpu-host/base-image.ts";
import { accountOf } from "../adapters/account.ts";
import { listBakedImages } from "../adapters/baked-images.ts";
import type { Deployment } from "./deployment.ts";
import { hostsOf } from "./stack-hosts.ts";
import type { BerthOutputs } from "./stack-outputs.ts";

/** Which baked image a host that is about to be made starts from, or why from the public one although some were baked. */
export async function bakedImageLines(
  { settings, plan, cloud }: Deployment,
  outputs: BerthOutputs,
): Promise<readonly string[]> {
  if (settings.target !== "ec2" || settings.imageId !== undefined) return [];
  // A host that is up stays on its image.
  if (hostsOf(outputs).some(({ instanceId }) => instanceId !== undefined)) return [];
  const { client } = accountOf(settings.stack, settings.region, cloud);
  const key = bakeKey(plan, baseImageParameter);
  const wanted = { key, bakedFor: bakedFor(plan, baseImageParameter) };
  // The deployment asks the same of EC2, and says so where that is refused.
  const images = await listBakedImages(client).catch(() => []);
  const taken = images.find((each) => each.key === key && each.state === "available");
  if (taken !== undefined)
    return [`image      ${taken.id}, baked for this plan on ${taken.createdAt.slice(0, 10)}`];
  const why = whyNoBakedImage(images, wanted);
  return why === undefined ? [] : [`image      the public one: ${why}`];
}
