import { join } from "node:path";
import {
  refreshDigests,
  type DigestAnswer,
  type RefreshedDigests,
} from "../../components/container-images/image-digests.ts";
import {
  imagesFile,
  loadImageDigests,
} from "../../components/container-images/load-image-digests.ts";
import { loadServingImages } from "../../components/sagemaker-endpoint/load-serving-images.ts";
import { servingImagesIn } from "../../components/sagemaker-endpoint/serving-container.ts";
import { loadTrainingImages } from "../../components/sagemaker-training/load-training-images.ts";
import { taggedTrainingImage } from "../../components/sagemaker-training/training-images.ts";
import type { ClientSettings } from "./account-scope.ts";
import { readDigest } from "./image-digests.ts";
import { writeRefreshed } from "./write-refreshed.ts";

/** What a refresh is made with. */
export interface RefreshRequest {
  /** Folder of `berth.prices.json` and `berth.images.json`. */
  readonly folder: string;
  readonly regions: readonly string[];
  readonly clientOf: (region: string) => ClientSettings;
  readonly now: Date;
  readonly source: string;
  readonly dryRun: boolean;
}

/** Images of AWS's that serve or train in a region, by their tags. */
function imagesIn(region: string): readonly string[] {
  const training = taggedTrainingImage(loadTrainingImages(), region);
  return [
    ...servingImagesIn(loadServingImages(), region),
    ...(training === undefined ? [] : [training]),
  ];
}

/**
 * Asks ECR which digests the tags of AWS's images have, and brings `berth.images.json` up to date where it said any.
 *
 * @throws UserError when the file there is not what a refresh writes; then it stays as it is
 */
export async function refreshImages(request: RefreshRequest): Promise<RefreshedDigests> {
  const { folder, regions, clientOf, now, source, dryRun } = request;
  const before = loadImageDigests(folder);
  const answers: (readonly [string, DigestAnswer])[] = [];
  for (const region of regions) {
    const asked = imagesIn(region).map(async (tagged) => {
      return [tagged, await readDigest(clientOf(region), tagged)] as const;
    });
    answers.push(...(await Promise.all(asked)));
  }
  const today = now.toISOString().slice(0, 10);
  const refreshed = refreshDigests(before, Object.fromEntries(answers), { today, source });
  const hasAnswer = answers.some(([, answer]) => "digest" in answer);
  if (!dryRun && hasAnswer) {
    await writeRefreshed(join(folder, imagesFile), refreshed.digests);
  }
  return refreshed;
}
