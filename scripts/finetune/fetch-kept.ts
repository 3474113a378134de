import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, writeFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { z } from "zod";
import { UserError } from "../../components/user-error.ts";
import { bytesText } from "../../provider/sync-text.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../cli/exit-code.ts";
import { errorName, explainS3, S3Connection } from "../push/s3-client.ts";
import type { JobFolder } from "./host-job.ts";
import { uriOf, type KeptPlace } from "./kept-checkpoints.ts";
import { parsedJson } from "./parsed-json.ts";

const path = z
  .string()
  .refine((value) => value !== "" && !isAbsolute(value) && !value.split("/").includes(".."));
const folderSchema = z.object({
  /** What a training leaves, by its names alone: the folder here is removed for it. */
  folder: z.string().regex(/^(checkpoint-\d+|adapter|model)$/),
  files: z.array(z.object({ path, bytes: z.number(), sha256: z.string() })),
});
const checkpointSchema = folderSchema.extend({
  step: z.number().optional(),
  /** Loss on the samples that are not learnt. */
  evalLoss: z.number().optional(),
});

/** `newest.json` as checkpoints.py writes it. */
const newestSchema = z.object({
  schemaVersion: z.literal(1),
  training: z.string(),
  step: z.number(),
  checkpoint: checkpointSchema.optional(),
  /** Older ones. */
  kept: z.array(checkpointSchema).default([]),
  result: folderSchema.optional(),
  finished: z.looseObject({ result: z.string() }).optional(),
});

/** What `newest.json` says. */
export type Newest = z.infer<typeof newestSchema>;

/** What a fetch brought. */
export interface Fetched {
  /** On this machine. */
  readonly folder: string;
  readonly step: number;
  readonly bytes: number;
  /** Whether it is the training's result, and no checkpoint. */
  readonly finished: boolean;
}

/** Tells trainings apart as checkpoints.py does: the model and every sample. */
async function trainingOf({ folder, modelId }: JobFolder): Promise<string> {
  const training = createHash("sha256").update(modelId);
  const data = join(folder, "data/train.jsonl");
  if (existsSync(data)) {
    const samples = createHash("sha256");
    await pipeline(createReadStream(data), samples);
    training.update(samples.digest("hex"));
  }
  return training.digest("hex");
}

/** The content of an object. */
export async function bodyOf(
  connection: S3Connection,
  Bucket: string,
  Key: string,
): Promise<Readable> {
  const { Body } = await connection.send((client) =>
    client.send(new GetObjectCommand({ Bucket, Key })),
  );
  return Body as Readable;
}

/**
 * What `newest.json` of a place says; undefined where there is none yet.
 *
 * @throws UserError when it is not as berth writes it, or S3 refuses
 */
export async function findNewest(
  connection: S3Connection,
  place: KeptPlace,
): Promise<Newest | undefined> {
  let text: string;
  try {
    const body = await bodyOf(connection, place.bucket, `${place.prefix}newest.json`);
    text = Buffer.concat(await body.toArray()).toString();
  } catch (error) {
    if (errorName(error) === "NoSuchKey") return undefined;
    throw explainS3(error, `${uriOf(place)} cannot be read`);
  }
  const { data, error } = newestSchema.safeParse(parsedJson(text));
  if (data !== undefined) return data;
  throw new UserError(`${uriOf(place)}newest.json is not as berth writes it.`, {
    problems: [z.prettifyError(error)],
  });
}

/** @throws UserError when what is kept is not of the folder's own model and samples */
export async function checkTraining(job: JobFolder, place: KeptPlace, newest: Newest) {
  if (newest.training === (await trainingOf(job))) return;
  throw new UserError(`${uriOf(place)} is of another training than ${job.folder}.`, {
    problems: ["the model or the samples differ"],
    hint: "Give the folder another name to train from the start, or fetch into one that was written from the same samples.",
  });
}

/** Writes an object to a file, through its SHA-256. */
async function fetchFile(body: Readable, target: string): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  const sha256 = createHash("sha256");
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sha256.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(body, through, createWriteStream(target));
  return sha256.digest("hex");
}

/** The checkpoint of a step. @throws UserError naming those that there are */
function checkpointOf(newest: Newest, step: number) {
  const { checkpoint } = newest;
  const all = [
    ...newest.kept,
    ...(checkpoint === undefined ? [] : [{ ...checkpoint, step: newest.step }]),
  ];
  const found = all.find((one) => one.step === step);
  if (found !== undefined) return found;
  const losses = all.flatMap(({ evalLoss }) => evalLoss ?? []);
  const named = all.map(({ step: at = 0, evalLoss }) => {
    const best = evalLoss !== undefined && evalLoss === Math.min(...losses);
    return `${at}${best ? " (best)" : ""}`;
  });
  throw new UserError(`There is no checkpoint of step ${step}.`, {
    hint: named.length === 0 ? undefined : `There are those of the steps ${named.join(", ")}.`,
  });
}

/** Where the programs of a job look for a folder that is kept: Megatron-LM's checkpoints have names of their own, as checkpoints.py knows. */
export function placeInOutput({ megatron }: Pick<JobFolder, "megatron">, kept: string): string {
  const [, step] = /^checkpoint-(\d+)$/.exec(kept) ?? [];
  return megatron && step !== undefined ? `checkpoints/iter_${step.padStart(7, "0")}` : kept;
}

/**
 * Brings the result of a training from S3 into the job's folder, or its newest whole checkpoint while there is none. Each file
 * is checked; the folder takes its name when all are there.
 *
 * @param step of another checkpoint that is kept. @default the result, else the newest
 * @throws UserError when there is nothing yet, it is of another training, damaged, or S3 refuses
 */
export async function fetchKept(job: JobFolder, place: KeptPlace, step?: number): Promise<Fetched> {
  const connection = new S3Connection({ region: place.region, lanes: 1 });
  const incoming = join(job.folder, "output/incoming");
  try {
    const newest = await findNewest(connection, place);
    if (newest === undefined) {
      throw new UserError(`There is no checkpoint in ${uriOf(place)} yet.`, {
        hint: "berth train status tells how far the training is.",
      });
    }
    await checkTraining(job, place, newest);
    const listed =
      step === undefined ? (newest.result ?? newest.checkpoint) : checkpointOf(newest, step);
    if (listed === undefined) throw new UserError(`${uriOf(place)}newest.json names nothing.`);
    await rm(incoming, { recursive: true, force: true });
    for (const { path: inside, sha256 } of listed.files) {
      const key = `${place.prefix}${listed.folder}/${inside}`;
      const body = await bodyOf(connection, place.bucket, key);
      if ((await fetchFile(body, join(incoming, inside))) === sha256) continue;
      throw new UserError(`s3://${place.bucket}/${key} is not what was sent: its SHA-256 differs.`);
    }
    const folder = join(job.folder, "output", placeInOutput(job, listed.folder));
    await rm(folder, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await rename(incoming, folder);
    const finished = listed === newest.result;
    if (newest.finished !== undefined && finished) {
      const text = `${JSON.stringify(newest.finished, null, 2)}\n`;
      writeFileSync(join(job.folder, "output/finished.json"), text);
    }
    const bytes = listed.files.reduce((sum, file) => sum + file.bytes, 0);
    return { folder, step: step ?? newest.step, bytes, finished };
  } catch (error) {
    throw explainS3(error, `${uriOf(place)} cannot be fetched`);
  } finally {
    await rm(incoming, { recursive: true, force: true });
    connection.close();
  }
}

/**
 * The step of `--checkpoint`.
 *
 * @throws UserError when it is none
 */
export function checkpointStep(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const step = Number(given);
  if (Number.isInteger(step) && step > 0) return step;
  throw new UserError(`--checkpoint ${given} is no step.`, {
    hint: "Give its number, such as 120; without it the result comes, or the newest checkpoint.",
  });
}

/** Says what was fetched. @returns the exit code */
export function sayFetched(fetched: Fetched, terminal: Terminal): number {
  const what = fetched.finished ? "the result" : `the checkpoint of step ${fetched.step}`;
  terminal.say(`fetched    ${what}, ${bytesText(fetched.bytes)}: ${fetched.folder}`);
  terminal.result(fetched);
  return exitCode.ok;
}
