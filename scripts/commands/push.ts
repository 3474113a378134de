import { asksForLicence } from "../../components/catalogue/licence.ts";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import type { Model } from "../../components/catalogue/model.ts";
import { UserError } from "../../components/user-error.ts";
import { checkLicence, withLicence } from "../../stacks/licence.ts";
import { accountOf } from "../adapters/account.ts";
import type { EngineChoice } from "../adapters/engine.ts";
import { stackFilePath } from "../adapters/repository.ts";
import { writeStackConfig } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { InterruptedError } from "../cli/command-error.ts";
import { exitCode } from "../cli/exit-code.ts";
import { findTarget, readPushStack, type PushStack } from "../push/find-target.ts";
import { pushedAdapter } from "../finetune/pushed-adapter.ts";
import { tunedModel, type TunedModel } from "../finetune/tuned-model.ts";
import { openSource, ownerOf } from "../push/open-source.ts";
import { runPush } from "../push/run-push.ts";
import { explainS3, S3Connection } from "../push/s3-client.ts";
import { sayWhenSlow } from "../push/say-when-slow.ts";

/** Flags of `berth push`. */
export interface PushFlags {
  readonly env: string;
  readonly engine: EngineChoice;
  /** Of `job:<folder>` and `adapter:<folder>`: what the trained model is called. */
  readonly as?: string;
  readonly acceptLicence?: string;
  readonly allowPickle?: readonly string[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly plan?: boolean;
  readonly prune?: boolean;
  readonly takeOver?: boolean;
  readonly allowCrossRegion?: boolean;
  readonly kmsKey?: string;
  readonly requesterPays?: boolean;
  readonly lanes: string;
}

function lanesOf(text: string): number {
  const lanes = Number(text);
  if (Number.isInteger(lanes) && lanes >= 1 && lanes <= 256) return lanes;
  throw new UserError(`--lanes ${text} is not possible.`, { hint: "Give a number from 1 to 256." });
}

/**
 * Holds a gated model's weights until its licence is accepted, as `up` does.
 *
 * @param before names that the stack's file accepts
 * @returns the names with the flag's, where it accepts one that is new
 */
function gate(
  model: Model,
  before: readonly string[] | undefined,
  { acceptLicence }: PushFlags,
): readonly string[] | undefined {
  const { id: modelId, licence = "unknown", huggingfaceRepo } = model;
  const gated = asksForLicence(model);
  const isNew = gated && acceptLicence === licence && before?.includes(licence) !== true;
  const names = isNew ? withLicence(before, licence) : undefined;
  checkLicence(
    { acceptLicence: names ?? [...(before ?? [])] },
    { modelId, gated, licence, huggingfaceRepo },
    false,
  );
  return names;
}

/** The same for the stack's own model; what is accepted is kept in its file. */
async function gateStack({ settings, model }: PushStack, flags: PushFlags): Promise<void> {
  const names = gate(model, settings.acceptLicence, flags);
  if (names === undefined) return;
  await writeStackConfig(stackFilePath(settings.stack), {
    "berth:acceptLicence": names.join(", "),
  });
}

/** A repository that is not the stack's model: said, and gated by its own licence where the catalogue knows it. */
function checkRepository(
  { settings, model }: PushStack,
  repository: string | undefined,
  flags: PushFlags,
  terminal: Terminal,
): void {
  if (repository === undefined || repository === model.huggingfaceRepo) return;
  terminal.say(
    `model      ${settings.stack} serves ${model.id}; ${repository} is pushed in its place`,
  );
  const other = loadCatalogue().models.find(
    ({ huggingfaceRepo }) => huggingfaceRepo === repository,
  );
  if (other !== undefined) gate(other, settings.acceptLicence, flags);
}

/** Ctrl-C, as a signal with the error that it ends in. */
function interruption(terminal: Terminal) {
  const stop = new AbortController();
  const listener = (): void => {
    // Nothing is lost by ending at once: S3 has what it has.
    if (stop.signal.aborted) process.exit(exitCode.interrupted);
    terminal.complain(
      "  stopping after the parts that are under way; Ctrl-C again ends at once ...",
    );
    stop.abort(new InterruptedError("Stopped. The same command goes on from there."));
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, listener);
  const forget = (): void => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, listener);
  };
  return { signal: stop.signal, forget };
}

/** Without credentials nothing can be sent: said before anybody else is asked. */
async function requireCredentials(
  { settings, cloud }: PushStack,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const { client } = accountOf(settings.stack, settings.region, cloud);
  const connection = new S3Connection({ ...client, lanes: 1 });
  try {
    const found = connection.requireCredentials();
    await sayWhenSlow(found, { terminal, signal, whom: "AWS credentials" });
  } catch (error) {
    throw signal.aborted ? signal.reason : explainS3(error, "there are no AWS credentials");
  } finally {
    connection.close();
  }
}

/** `berth push`: weights from Hugging Face, a folder, another bucket or a training into the stack's bucket, checked. */
export async function runPushCommand(
  from: string,
  flags: PushFlags,
  terminal: Terminal,
): Promise<number> {
  const lanes = lanesOf(flags.lanes);
  const stack = readPushStack(flags.env);
  if (from.startsWith("adapter:")) {
    const adapter = await pushedAdapter(from.slice("adapter:".length), flags.as, stack, terminal);
    return pushWeights(
      adapter.folder,
      { stack: adapter.stack, flags, lanes, tuned: adapter },
      terminal,
    );
  }
  if (!from.startsWith("job:")) {
    if (flags.as === undefined) return pushWeights(from, { stack, flags, lanes }, terminal);
    throw new UserError("--as names the model of a training.", {
      hint: "Give it with job:<folder> or adapter:<folder>, or leave it out.",
    });
  }
  const wishes = { name: flags.as, planOnly: flags.plan ?? false };
  const tuned = await tunedModel(from.slice("job:".length), wishes, stack, terminal);
  if (tuned === undefined) return exitCode.ok;
  return pushWeights(tuned.folder, { stack: tuned.stack, flags, lanes, tuned }, terminal);
}

interface Pushed {
  readonly stack: PushStack;
  readonly flags: PushFlags;
  readonly lanes: number;
  /** The result of a training, which the stack serves from then on. */
  readonly tuned?: TunedModel;
}

async function pushWeights(
  from: string,
  { stack, flags, lanes, tuned }: Pushed,
  terminal: Terminal,
): Promise<number> {
  await gateStack(stack, flags);
  const { signal, forget } = interruption(terminal);
  const requesterPays = flags.requesterPays ?? false;
  const allowCrossRegion = flags.allowCrossRegion ?? false;
  try {
    await requireCredentials(stack, terminal, signal);
    const opening = openSource(from, { stack, lanes, requesterPays, allowCrossRegion, signal });
    const source = await sayWhenSlow(opening, { terminal, signal, whom: ownerOf(from) });
    checkRepository(stack, source.repository, flags, terminal);
    const bytes = source.files.reduce((sum, { size }) => sum + size, 0);
    const wishes = {
      engine: flags.engine,
      lanes,
      allowCrossRegion,
      requesterPays: false,
      kmsKey: flags.kmsKey,
      mayMake: flags.plan !== true,
    };
    const target = await findTarget(stack, wishes, bytes, terminal);
    try {
      const report = await runPush({
        source,
        target,
        terminal,
        signal,
        options: {
          lanes,
          allowPickle: flags.allowPickle ?? [],
          include: flags.include ?? [],
          exclude: flags.exclude ?? [],
          prune: flags.prune ?? false,
          takeOver: flags.takeOver ?? false,
          planOnly: flags.plan ?? false,
        },
      });
      if (flags.plan !== true) await tuned?.keep(terminal);
      terminal.result(report);
    } finally {
      await source.close();
      target.connection.close();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const isS3 = error instanceof Error && "$metadata" in error;
    throw isS3 ? explainS3(error, "the push stopped") : error;
  } finally {
    forget();
  }
  return exitCode.ok;
}
