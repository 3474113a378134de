import { z } from "zod";
import { parseRefreshed } from "../catalogue/refreshed-file.ts";
import { splitTag } from "./image-address.ts";

const digestsSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** By the address with a tag, `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`. */
  images: z.record(
    z.string(),
    z.strictObject({
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      /** The last day on which the tag named it. */
      asOf: z.iso.date(),
      source: z.string(),
    }),
  ),
});

/** Schema of `berth.images.json`: what AWS's tags of images named on a day. */
export type ImageDigests = Readonly<z.infer<typeof digestsSchema>>;

/**
 * Reads `berth.images.json`.
 *
 * @throws UserError naming every field that is wrong
 */
export function parseImageDigests(text: string, file: string): ImageDigests {
  return parseRefreshed(digestsSchema, text, file);
}

/** How an image of AWS's is named. */
export interface ImagePin {
  /** Its address by the tag. */
  readonly tagged: string;
  /** When the tag named the digest by which it is taken; undefined where it is taken by its tag. */
  readonly digestAsOf: string | undefined;
}

/** An image, and how it is named. */
export interface PinnedImage {
  readonly image: string;
  /** Undefined for an image of the user's own. */
  readonly pin: ImagePin | undefined;
}

/** The address of an image: by its digest where that is known, which no new push to the tag changes. */
export function pinnedImage(tagged: string, digests: ImageDigests | undefined): PinnedImage {
  const known = digests?.images[tagged];
  if (known === undefined) return { image: tagged, pin: { tagged, digestAsOf: undefined } };
  const image = `${splitTag(tagged).name}@${known.digest}`;
  return { image, pin: { tagged, digestAsOf: known.asOf } };
}

/** The line of a plan that says which image is run, and whether a push to its tag could change it. */
export function imageLine({ image, pin }: PinnedImage): string {
  if (pin === undefined) return `image      ${image}`;
  if (pin.digestAsOf === undefined) {
    return `image      ${image}, by its tag: "berth catalogue refresh" reads the digest`;
  }
  return `image      ${image}, which is ${splitTag(pin.tagged).tag} of ${pin.digestAsOf}`;
}

/** What ECR said of one tag: its digest, or why there is none. */
export type DigestAnswer = { readonly digest: string } | { readonly failed: string };

/** The file that a refresh writes, what changed, and what was kept and why. */
export interface RefreshedDigests {
  readonly digests: ImageDigests;
  readonly changes: readonly string[];
  readonly kept: readonly string[];
}

/** Letters of a digest that tell two apart. */
const shownLetters = "sha256:".length + 12;

/** Repository, tag and region, by which a person knows an image of AWS's. */
function shortName(tagged: string): string {
  const [host = "", name = ""] = tagged.split("/");
  return `${name} in ${host.split(".")[3] ?? "?"}`;
}

/**
 * The digests after a refresh. A tag that moved is told, and its new digest taken; where ECR did not say one, the old one stays
 * with its day, since the image that it names does not change.
 */
export function refreshDigests(
  before: ImageDigests | undefined,
  answers: Readonly<Record<string, DigestAnswer>>,
  { today: asOf, source }: { readonly today: string; readonly source: string },
): RefreshedDigests {
  const images = { ...before?.images };
  const [changes, kept]: [string[], string[]] = [[], []];
  for (const [tagged, answer] of Object.entries(answers)) {
    const old = images[tagged];
    if ("failed" in answer) {
      kept.push(
        `image ${shortName(tagged)}: ${old === undefined ? "stays by its tag" : "kept"}, for ${answer.failed}`,
      );
      continue;
    }
    const { digest } = answer;
    images[tagged] = { digest, asOf, source };
    const now = digest.slice(0, shownLetters);
    if (old === undefined) changes.push(`image ${shortName(tagged)}: ${now} new`);
    else if (old.digest !== digest) {
      changes.push(
        `image ${shortName(tagged)}: the tag moved, ${old.digest.slice(0, shownLetters)} of ${old.asOf} -> ${now}; the next up takes that`,
      );
    }
  }
  const sorted = Object.entries(images).toSorted(([a], [b]) => a.localeCompare(b));
  return { digests: { schemaVersion: 1, images: Object.fromEntries(sorted) }, changes, kept };
}
