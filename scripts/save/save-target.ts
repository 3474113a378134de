import { UserError } from "../../components/user-error.ts";

/** Where files of a host are saved: below a prefix, each at its path. */
export interface SaveTarget {
  readonly bucket: string;
  /** Ends in a slash, or is empty. */
  readonly prefix: string;
}

/** What decides where a save goes. */
export interface SaveTargetChoice {
  /** `s3://bucket/prefix` of the command line. */
  readonly saveTo: string | undefined;
  /** The bucket that the stack was given. */
  readonly weightsBucket: string | undefined;
  /** Buckets that go with the stack. */
  readonly ownBuckets: readonly string[];
  readonly stack: string;
  readonly runId: string | undefined;
}

const form = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;

/**
 * Where a save goes: what the command line says, else `saved/<stack>/<run>/` of the bucket that the stack was given.
 *
 * @throws UserError when that is no bucket, or one that goes with the stack, so that the save would go with it
 */
export function saveTarget(choice: SaveTargetChoice): SaveTarget {
  const { saveTo, weightsBucket, ownBuckets, stack, runId } = choice;
  const hint = "Give a bucket that stays: --save-to s3://<bucket>/<prefix>";
  if (saveTo === undefined && weightsBucket === undefined) {
    throw new UserError("The stack has no bucket that outlives it, so there is nowhere to save.", {
      hint,
    });
  }
  const [, bucket = "", given = ""] =
    form.exec(saveTo ?? `s3://${weightsBucket ?? ""}/saved/${stack}/${runId ?? "unknown"}`) ?? [];
  if (bucket === "") throw new UserError(`"${saveTo ?? ""}" is no place in S3.`, { hint });
  if (ownBuckets.includes(bucket)) {
    throw new UserError(`The bucket ${bucket} goes with the stack, and a save in it would too.`, {
      hint,
    });
  }
  const prefix = given.replace(/\/+$/, "");
  return { bucket, prefix: prefix === "" ? "" : `${prefix}/` };
}

/**
 * The paths of a host that a command line names.
 *
 * @throws UserError when one is not absolute, or is all of the host
 */
export function savedPaths(given: readonly string[]): readonly string[] {
  const paths = given.map((path) => path.replace(/\/+$/, ""));
  const problems = paths
    .filter((path) => !path.startsWith("/") || path.split("/").includes(".."))
    .map((path) => `--save: "${path}" must be an absolute path on the host, and not all of it`);
  if (problems.length === 0) return paths;
  throw new UserError("What is to be saved cannot be read.", {
    problems,
    hint: "Name files or folders, such as /opt/berth/checkpoints.",
  });
}
