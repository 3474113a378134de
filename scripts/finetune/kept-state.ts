import { z } from "zod";
import { S3Connection } from "../push/s3-client.ts";
import { bodyOf, checkTraining, findNewest } from "./fetch-kept.ts";
import { parseProgress, type JobFolder, type JobState } from "./host-job.ts";
import type { KeptPlace } from "./kept-checkpoints.ts";

const finishedSchema = z.looseObject({ result: z.string() });

/** How far a training is by what it keeps in S3; nothing where it has kept nothing yet. */
export async function keptState(place: KeptPlace): Promise<Omit<JobState, "running">> {
  const connection = new S3Connection({ region: place.region, lanes: 1 });
  try {
    const [newest, text] = await Promise.all([
      findNewest(connection, place),
      textOf(connection, place, "progress.jsonl"),
    ]);
    const finished = finishedSchema.safeParse(newest?.finished).data;
    return { progress: parseProgress(text.split("\n")).slice(-50), finished };
  } finally {
    connection.close();
  }
}

async function textOf(connection: S3Connection, place: KeptPlace, name: string): Promise<string> {
  try {
    const body = await bodyOf(connection, place.bucket, `${place.prefix}${name}`);
    return Buffer.concat(await body.toArray()).toString();
  } catch {
    return "";
  }
}

/**
 * Whether a folder's training is finished by what is kept, asked before anything is started for it.
 *
 * @throws UserError when another training is kept in its place
 */
export async function isFinished(job: JobFolder, place: KeptPlace): Promise<boolean> {
  const connection = new S3Connection({ region: place.region, lanes: 1 });
  try {
    const newest = await findNewest(connection, place);
    if (newest === undefined) return false;
    await checkTraining(job, place, newest);
    return newest.result !== undefined;
  } finally {
    connection.close();
  }
}
