import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseImageDigests, type ImageDigests } from "./image-digests.ts";

/** What `berth catalogue refresh` has read from ECR, in the root of the repository. */
export const imagesFile = "berth.images.json";

/**
 * The digests that the last refresh has read; undefined where there was none.
 *
 * @param folder where the file is looked for. @default the root of the repository
 * @throws UserError naming everything that is wrong in it
 */
export function loadImageDigests(
  folder: string = fileURLToPath(new URL("../../", import.meta.url)),
): ImageDigests | undefined {
  const path = `${folder}/${imagesFile}`;
  return existsSync(path) ? parseImageDigests(readFileSync(path, "utf8"), imagesFile) : undefined;
}
