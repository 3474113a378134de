import { UserError } from "../../components/user-error.ts";
import { manifestName, type WeightsManifest } from "../../components/weights/manifest.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { chooseFiles, type ChosenFiles, type FileWishes } from "./choose-files.ts";
import { compare, type Comparison, type FileToSend } from "./compare.ts";
import { inspectWeights, readIndexes } from "./inspect.ts";
import { PartBuffers, partBytesOf } from "./part-buffers.ts";
import { makePushPlan, pushPlanLines, type PushPlan } from "./push-plan.ts";
import {
  checkNobodyPushes,
  nothingBefore,
  PushSession,
  readManifest,
  type Before,
} from "./push-session.ts";
import { bytesText, PushProgress } from "./push-text.ts";
import { sayWhenSlow } from "./say-when-slow.ts";
import { applyIndexes } from "./shard-index.ts";
import type { WeightsSource } from "./source.ts";
import type { TargetBucket } from "./target-bucket.ts";
import { uploadFile, type UploadTools } from "./upload-file.ts";

/** How a push is done. */
export interface PushOptions extends FileWishes {
  /** Parts under way at once. */
  readonly lanes: number;
  /** Remove what an earlier push brought and this one does not. */
  readonly prune: boolean;
  /** Take the prefix from another push that seems to be under way. */
  readonly takeOver: boolean;
  /** Stop after the plan. */
  readonly planOnly: boolean;
}

/** A push that is about to be made. */
export interface Push {
  readonly source: WeightsSource;
  readonly target: TargetBucket;
  readonly options: PushOptions;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** What a push came to. */
export interface PushReport {
  readonly plan: PushPlan;
  /** Undefined when nothing was to be done, or the plan was all that was asked. */
  readonly manifest: WeightsManifest | undefined;
  readonly sentBytes: number;
  readonly seconds: number;
  readonly pruned: readonly string[];
}

/** Large files that are under way at once: few, so that a push that is cut off has few half files. */
const largeAtOnce = 2;

async function choose({ source, options, signal }: Push): Promise<ChosenFiles> {
  const first = chooseFiles(source.files, options);
  const indexes = await readIndexes(source, first.sent, signal);
  const chosen = applyIndexes(first, indexes, (path) => options.include.includes(path));
  const broken = await inspectWeights(source, chosen.sent, signal);
  const problems = [...chosen.problems, ...broken];
  if (problems.length > 0) {
    const names = chosen.sent.filter(({ path }) =>
      problems.some((line) => line.startsWith(`${path}: pickled`)),
    );
    const allow = names.map(({ path }) => `--allow-pickle ${path}`).join(" ");
    throw new UserError(`${source.name} cannot be pushed as it is.`, {
      problems,
      hint:
        allow === ""
          ? "Put these right, or leave files out with --exclude."
          : `Convert them to safetensors, or, when you trust who made them: ${allow}`,
    });
  }
  if (chosen.sent.length === 0) {
    throw new UserError(`${source.name} has no files to push.`, {
      problems: chosen.skipped.map(({ path, reason }) => `${path}: ${reason}`),
      hint: "Check the name, --include and --exclude.",
    });
  }
  return chosen;
}

async function sendAll(
  send: readonly FileToSend[],
  tools: UploadTools,
  lanes: number,
): Promise<void> {
  const isLarge = ({ file }: FileToSend) => file.size > partBytesOf(file.size);
  const stop = new AbortController();
  const signal = AbortSignal.any([tools.signal, stop.signal]);
  const work = async (queue: FileToSend[]): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      signal.throwIfAborted();
      const { source } = tools;
      const write = source.copy?.bind(source) ?? uploadFile;
      tools.session.noteFile(await write(next.file, next.replaces, { ...tools, signal }));
    }
  };
  const large = send.filter(isLarge);
  const small = send.filter((each) => !isLarge(each));
  const workers = [
    ...Array.from({ length: largeAtOnce }, () => work(large)),
    ...Array.from({ length: lanes }, () => work(small)),
  ];
  for (const worker of workers) {
    worker.catch((error: unknown) => {
      stop.abort(error);
    });
  }
  await Promise.allSettled(workers);
  signal.throwIfAborted();
}

interface Prepared {
  readonly plan: PushPlan;
  readonly compared: Comparison;
  readonly before: Before;
  readonly buffers: PartBuffers;
}

async function prepare(push: Push): Promise<Prepared> {
  const { source, target, options, terminal, signal } = push;
  const whom = `S3's list of ${target.bucket}`;
  const listed = await sayWhenSlow(target.list(), { terminal, signal, whom });
  // Asked for only where the list has it: who may see one prefix alone is told "forbidden" of what is not there.
  const before = listed.has(manifestName) ? await readManifest(target) : nothingBefore;
  checkNobodyPushes(before, options.takeOver, new Date());
  const chosen = await choose(push);
  const largest = Math.max(...chosen.sent.map(({ size }) => size));
  const buffers = new PartBuffers(options.lanes, largest);
  terminal.status("push: comparing with what is there");
  const compared = await compare(chosen.sent, { source, target, listed, before, buffers, signal });
  terminal.clearStatus();
  const plan = makePushPlan({
    source: source.name,
    target: `s3://${target.bucket}/${target.prefix}`,
    region: target.connection.region,
    chosen,
    compared,
    listed,
    manifest: before.manifest,
  });
  return { plan, compared, before, buffers };
}

/** Removes what earlier pushes left, before the manifest says "complete". */
async function prune(
  { target, options }: Push,
  { left }: PushPlan,
  session: PushSession,
): Promise<readonly string[]> {
  if (!options.prune) return [];
  const ours = left.filter(({ ours }) => ours);
  for (const { path, etag } of ours) {
    await target.remove(path, etag);
    session.dropLeft(path);
  }
  return ours.map(({ path }) => path);
}

/** Ends uploads that an earlier push left: of files that are not sent now, and those that it had no time to note. */
async function abortLeftovers(
  session: PushSession,
  { target }: Push,
  { compared, before, plan }: Prepared,
): Promise<void> {
  const wanted = new Set(compared.send.map(({ file }) => file.path));
  for (const [path, { uploadId }] of Object.entries(session.uploads)) {
    if (wanted.has(path)) continue;
    await target.abort(path, uploadId);
    session.dropUpload(path);
  }
  if (before.manifest?.state !== "pushing") return;
  const ours = new Set([
    ...wanted,
    ...compared.unchanged.map(({ path }) => path),
    ...plan.left.filter(({ ours }) => ours).map(({ path }) => path),
  ]);
  for (const { path, uploadId } of await target.ownUploads()) {
    const known = session.uploads[path]?.uploadId === uploadId;
    if (ours.has(path) && !known) await target.abort(path, uploadId);
  }
}

async function transfer(push: Push, prepared: Prepared): Promise<PushReport> {
  const { source, target, options, terminal } = push;
  const { plan, compared, before, buffers } = prepared;
  const session = new PushSession(target, before, {
    source: source.name,
    unchanged: compared.unchanged,
    left: plan.left.filter(({ ours }) => ours).map(({ path }) => path),
  });
  const progress = new PushProgress(terminal, plan.sendBytes);
  try {
    await session.begin();
    await abortLeftovers(session, push, prepared);
    const tools: UploadTools = {
      source,
      target,
      session,
      buffers,
      signal: AbortSignal.any([push.signal, session.lost]),
      arrived: (bytes) => (progress.arrivedBytes += bytes),
      sent: (bytes) => (progress.sentBytes += bytes),
    };
    await sendAll(compared.send, tools, options.lanes);
    const pruned = await prune(push, plan, session);
    const manifest = await session.finish();
    return { plan, manifest, sentBytes: progress.sentBytes, seconds: progress.seconds, pruned };
  } catch (error) {
    await session.abandon();
    throw error;
  } finally {
    progress.close();
  }
}

/**
 * Brings a source's weights below the target's prefix: plan, transfer, and the manifest last. What is there already and
 * unchanged is not sent; what an earlier push that was cut off had sent is gone on with.
 *
 * @throws UserError when the source has something that must not be sent, another push works there, or S3 refuses
 */
export async function runPush(push: Push): Promise<PushReport> {
  const { options, terminal } = push;
  const prepared = await prepare(push);
  const { plan } = prepared;
  terminal.say(...pushPlanLines(plan, options.prune));
  const nothing = plan.upToDate && !(options.prune && plan.left.some(({ ours }) => ours));
  if (options.planOnly || nothing) {
    terminal.say(
      options.planOnly ? "Nothing was sent: --plan." : "done       all of it is there already",
    );
    return { plan, manifest: undefined, sentBytes: 0, seconds: 0, pruned: [] };
  }
  const report = await transfer(push, prepared);
  const rate = bytesText(report.sentBytes / Math.max(report.seconds, 0.001));
  terminal.say(
    `done       ${bytesText(report.sentBytes)} sent in ${report.seconds.toFixed(1)} s (${rate}/s); every checksum agrees`,
    ...report.pruned.map((path) => `removed    ${path}`),
  );
  return report;
}
