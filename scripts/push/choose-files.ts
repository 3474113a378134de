import { matchesGlob } from "node:path";
import { manifestName } from "../../components/weights/manifest.ts";
import type { SourceFile } from "./source.ts";

/** What the user says of files. */
export interface FileWishes {
  /** Pickled weights that may be sent, by path. */
  readonly allowPickle: readonly string[];
  /** Globs; when there are any, only what one of them fits is sent. */
  readonly include: readonly string[];
  /** Globs of what is left out. */
  readonly exclude: readonly string[];
}

/** A file that is not sent, and why. */
export interface SkippedFile extends SourceFile {
  readonly reason: string;
}

/** Which files of a source are sent. */
export interface ChosenFiles {
  readonly sent: readonly SourceFile[];
  readonly skipped: readonly SkippedFile[];
  /** What has to be solved before anything is sent. */
  readonly problems: readonly string[];
}

/** Formats that run code when they are read (https://docs.python.org/3/library/pickle.html). */
const pickled = /\.(bin|pt|pth|ckpt|pkl|pickle)$/i;
/** Weights of other frameworks, which the serving engines do not read. */
const foreign = /\.(h5|msgpack|onnx|onnx_data|ot|tflite|mlmodel)$/i;
const rubbish =
  /(^|\/)(\.git|\.cache|\.sync|__pycache__)\/|(^|\/)(\.gitattributes|\.DS_Store)$|\.(incomplete|lock)$/;
/** The longest key of S3, bytes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html), with room for a prefix. */
const longestPath = 800;

/** What keeps a path from being a key below the prefix and a file below the host's folder; undefined when nothing does. */
export function pathProblem(path: string): string | undefined {
  const parts = path.split("/");
  if (path === "" || path.startsWith("/") || parts.some((part) => ["", ".", ".."].includes(part))) {
    return "would leave the folder on the host";
  }
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return "has a backslash or a control character";
  if (Buffer.byteLength(path) > longestPath) return `is longer than ${longestPath} bytes`;
  return undefined;
}

/** Files that would be one on a file system that ignores letter case. */
function collisions(files: readonly SourceFile[]): string[] {
  const seen = new Map<string, string>();
  const found: string[] = [];
  for (const { path } of files) {
    const plain = path.normalize("NFC").toLowerCase();
    const other = seen.get(plain);
    if (other !== undefined) found.push(`"${path}" and "${other}" differ in letter case only`);
    seen.set(plain, path);
  }
  return found;
}

/** True for a file of tensors in one of the two formats that hold nothing else. */
export function isSafeFormat(path: string): boolean {
  return /\.(safetensors|gguf)$/i.test(path);
}

/** True for a file in a format that runs code when it is read. */
export function isPickled(path: string): boolean {
  return pickled.test(path);
}

function wanted(path: string, { include, exclude }: FileWishes): string | undefined {
  if (include.length > 0 && !include.some((glob) => matchesGlob(path, glob))) {
    return "no --include fits";
  }
  return exclude.some((glob) => matchesGlob(path, glob)) ? "--exclude" : undefined;
}

/** Why a file stays behind; undefined when it is sent or refused. */
function reasonToSkip(path: string, wishes: FileWishes, safeWeights: boolean): string | undefined {
  if (rubbish.test(path)) return "not part of the model";
  if (path === manifestName || path === "manifest.json") return "berth writes its own";
  const unwanted = wanted(path, wishes);
  if (unwanted !== undefined) return unwanted;
  if (wishes.allowPickle.includes(path)) return undefined;
  if (isPickled(path) && safeWeights) return "pickled, and safe weights are there";
  if (foreign.test(path) && safeWeights) return "for another framework";
  return undefined;
}

/**
 * Decides which files of a source go to the bucket. Safetensors and GGUF come before pickled weights, which are sent only
 * when each is allowed by its name; configuration, tokenizer, licence and model card come along.
 */
export function chooseFiles(files: readonly SourceFile[], wishes: FileWishes): ChosenFiles {
  const safeWeights = files.some(
    ({ path }) => isSafeFormat(path) && wanted(path, wishes) === undefined,
  );
  const sent: SourceFile[] = [];
  const skipped: SkippedFile[] = [];
  for (const file of files) {
    const reason = reasonToSkip(file.path, wishes, safeWeights);
    if (reason === undefined) sent.push(file);
    else skipped.push({ ...file, reason });
  }
  const refused = sent
    .map(({ path }) => path)
    .filter((path) => isPickled(path) && !wishes.allowPickle.includes(path))
    .map((path) => `${path}: pickled weights can run code when they are loaded`);
  const misnamed = wishes.allowPickle
    .filter((path) => !files.some((file) => file.path === path))
    .map((path) => `--allow-pickle ${path}: there is no such file`);
  const misplaced = sent.flatMap(({ path }) => {
    const problem = pathProblem(path);
    return problem === undefined ? [] : [`${JSON.stringify(path)} ${problem}`];
  });
  const empty = sent
    .filter(({ path, size }) => size === 0 && (isSafeFormat(path) || isPickled(path)))
    .map(({ path }) => `${path}: is empty`);
  const problems = [...misplaced, ...collisions(sent), ...refused, ...misnamed, ...empty];
  return { sent, skipped, problems };
}
