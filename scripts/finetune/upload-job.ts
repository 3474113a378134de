import { createHash } from "node:crypto";
import { createReadStream, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { UserError } from "../../components/user-error.ts";
import { repository } from "../adapters/repository.ts";
import { explainS3, S3Connection } from "../push/s3-client.ts";
import type { JobFolder } from "./host-job.ts";
import { uriOf, type KeptPlace } from "./kept-checkpoints.ts";

/** What S3 takes in one request (https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html). */
const mostBytes = 5 * 1024 ** 3;

/** A file to be sent, and its place below the prefix. */
interface SentFile {
  readonly path: string;
  readonly file: string;
  readonly bytes: number;
}

/** What berth adds to a folder, from `scripts/finetune`. */
const tools = {
  "checkpoints.py": "tools/checkpoints.py",
  "s3-requirements.txt": "tools/requirements.txt",
  "sagemaker-job.sh": "tools/sagemaker-job.sh",
} as const;

function filesOf({ folder }: JobFolder): readonly SentFile[] {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, path: relative(folder, file) }))
    .filter(({ path }) => !/^(output|\.venv|tools|__pycache__)\/|\.part$/.test(path));
  const added = Object.entries(tools).map(([name, path]) => ({
    file: join(repository, "scripts/finetune", name),
    path,
  }));
  return [...found, ...added]
    .map((each) => ({ ...each, bytes: statSync(each.file).size }))
    .toSorted((a, b) => a.path.localeCompare(b.path));
}

async function hashOf(files: readonly SentFile[]): Promise<string> {
  const all = createHash("sha256");
  for (const { path, file } of files) {
    const one = createHash("sha256");
    await pipeline(createReadStream(file), one);
    all.update(`${path} ${one.digest("hex")}\n`);
  }
  return all.digest("hex").slice(0, 12);
}

async function sentBefore(connection: S3Connection, Bucket: string, Prefix: string) {
  const { Contents = [] } = await connection.send((client) =>
    client.send(new ListObjectsV2Command({ Bucket, Prefix })),
  );
  return new Map(Contents.map(({ Key = "", Size = 0 }) => [Key, Size]));
}

/**
 * Sends a job's folder and what runs it in a container below the place of its checkpoints, under a name made of its content: the
 * same folder is sent once, and a job never finds another's files.
 *
 * @returns `s3://bucket/prefix/`
 * @throws UserError when a file is too large for one request, or S3 refuses
 */
export async function uploadJob(job: JobFolder, place: KeptPlace): Promise<string> {
  const files = filesOf(job);
  const large = files.filter(({ bytes }) => bytes > mostBytes).map(({ path }) => path);
  if (large.length > 0) {
    throw new UserError(`${large.join(", ")} is larger than 5 GiB.`, {
      hint: "Train on fewer samples, or on a GPU host, which takes any size.",
    });
  }
  const prefix = `${place.prefix}source/${await hashOf(files)}/`;
  const target = uriOf({ ...place, prefix });
  const connection = new S3Connection({ region: place.region, lanes: 1 });
  try {
    const there = await sentBefore(connection, place.bucket, prefix);
    for (const { path, file, bytes } of files) {
      const Key = `${prefix}${path}`;
      if (there.get(Key) === bytes) continue;
      await connection.send((client) =>
        client.send(
          new PutObjectCommand({
            Bucket: place.bucket,
            Key,
            Body: createReadStream(file),
            ContentLength: bytes,
          }),
        ),
      );
    }
    return target;
  } catch (error) {
    throw explainS3(error, `${job.folder} could not be sent to ${target}`);
  } finally {
    connection.close();
  }
}
