import { openFolder } from "./folder-source.ts";
import type { PushStack } from "./find-target.ts";
import type { WeightsSource } from "./source.ts";

/** What a source may need besides its name. */
export interface SourceWishes {
  readonly stack: PushStack;
  readonly lanes: number;
  /** Pay for reading a bucket of somebody else's. */
  readonly requesterPays: boolean;
  readonly allowCrossRegion: boolean;
  readonly signal: AbortSignal;
}

/**
 * Opens what `berth push` was given: `hf:<owner>/<repository>[@<revision>]`, `s3://<bucket>/<prefix>`, or a folder.
 *
 * @throws UserError when it is none of them, or cannot be read
 */
export async function openSource(from: string, wishes: SourceWishes): Promise<WeightsSource> {
  return openFolder(from);
}
