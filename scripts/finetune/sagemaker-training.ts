import { existsSync } from "node:fs";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { loadTrainingImages } from "../../components/sagemaker-training/load-training-images.ts";
import { trainingPlanLines } from "../../components/sagemaker-training/training-text.ts";
import {
  trainingJobPlan,
  trainingStackName,
  type TrainingJobPlan,
} from "../../components/sagemaker-training/training-job-plan.ts";
import { UserError } from "../../components/user-error.ts";
import { accountOf } from "../adapters/account.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import { checkCredentials } from "../adapters/credentials.ts";
import { cloudOf, type LocalCloud } from "../adapters/local-cloud.ts";
import { stackFilePath } from "../adapters/repository.ts";
import { readStackSettings } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import {
  findTrainingJob,
  runningTrainingJobs,
  stopTrainingJob,
  TrainingLog,
  type TrainingJobView,
} from "../adapters/training-jobs.ts";
import { checkTrainingQuota } from "../adapters/training-quota.ts";
import type { TrainOptions } from "../commands/train.ts";
import { findDeployment, localConfig } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import { readOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";
import { checkpointStep, fetchKept, sayFetched } from "./fetch-kept.ts";
import { followTraining, trainingEnd } from "./follow-training.ts";
import type { JobFolder } from "./host-job.ts";
import { syncMinutes, uriOf, type KeptPlace } from "./kept-checkpoints.ts";
import { isFinished, keptState } from "./kept-state.ts";
import { progressLine } from "./progress-text.ts";
import { accountSettings, baseSource, trainingPlace } from "./training-place.ts";
import { storedLine } from "./stored-checkpoints.ts";
import { bringUpTraining, standsInVpc } from "./training-up.ts";
import { trainedFolder } from "./trained-folder.ts";
import { costLine, jobLine } from "./training-status-text.ts";
import { uploadJob } from "./upload-job.ts";

interface Words {
  readonly options: TrainOptions;
  readonly terminal: Terminal;
}

/** All that the actions on one folder share. */
interface Ground extends Words {
  readonly job: JobFolder;
  readonly cloud: LocalCloud | undefined;
  readonly settings: ReturnType<typeof accountSettings>;
  readonly place: KeptPlace;
  readonly stack: string;
  readonly scope: AccountScope;
}

/**
 * Whether a folder is trained on SageMaker: as `--target` says, else where it was started last.
 *
 * @throws UserError for a target that there is not
 */
export function runsOnSageMaker(
  job: Pick<JobFolder, "name">,
  { target, env }: Pick<TrainOptions, "target" | "env">,
): boolean {
  if (target === undefined) return existsSync(stackFilePath(trainingStackName(env, job.name)));
  if (target === "ec2" || target === "sagemaker") return target === "sagemaker";
  throw new UserError(`There is no target "${target}" to train on.`, {
    hint: "There are ec2, the stack's host, and sagemaker.",
  });
}

function groundOf(job: JobFolder, { options, terminal }: Words): Ground {
  const cloud = cloudOf(options.env);
  Object.assign(process.env, cloud?.environment ?? {});
  const settings = accountSettings(readStackSettings(options.env, localConfig(cloud, options.env)));
  const place = trainingPlace(settings, job);
  const stack = trainingStackName(options.env, job.name);
  const scope = accountOf(stack, settings.region, cloud);
  return { job, options, terminal, cloud, settings, place, stack, scope };
}

/** A flag's number; NaN where it is none, which the plan names. */
function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : text.trim() === "" ? NaN : Number(text);
}

function planOf({ job, options, settings }: Ground): TrainingJobPlan {
  const { onDemand, spot } = options;
  return trainingJobPlan(
    trainedFolder(job),
    {
      env: options.env,
      region: settings.region,
      hours: numberOf(options.hours) ?? settings.leaseHours,
      maxAgeHours: settings.maxAgeHours,
      spot: onDemand === true ? false : spot,
      instances: numberOf(options.instances),
      keepWarmMinutes: numberOf(options.keepWarm),
      budgetUsd: settings.budgetUsd,
      image: options.image,
      sharedStorage: options.sharedStorage,
      inVpc: standsInVpc(settings),
    },
    { catalogue: loadCatalogue(), images: loadTrainingImages() },
  );
}

async function outputsOf({ options, stack, cloud }: Ground): Promise<BerthOutputs> {
  const opened = await findDeployment({ ...options, env: stack }, cloud);
  return opened === undefined ? {} : readOutputs(await opened.stack.outputs());
}

async function follow(ground: Ground, name: string): Promise<number> {
  const { terminal, scope, place, options, job, stack } = ground;
  terminal.say(`running    ${name}; Ctrl-C leaves it running`);
  const ended = await followTraining(scope, name, {
    terminal,
    isLocal: ground.cloud !== undefined,
  });
  const state = await keptState(place);
  terminal.say(`progress   ${progressLine({ ...state, running: false })}`);
  terminal.result({ job: ended, ...state });
  const end = trainingEnd(ended, state.finished !== undefined, {
    again: `npm run berth -- train start ${job.folder} --env ${options.env}`,
  });
  terminal.say(...end);
  if (state.finished !== undefined) {
    terminal.say(`fetch it   npm run berth -- train fetch ${job.folder} --env ${options.env}`);
  }
  terminal.say(
    `left       roles and schedules, which cost nothing: npm run berth -- down --env ${stack}`,
  );
  return exitCode.ok;
}

async function start(ground: Ground): Promise<number> {
  const { terminal, scope, settings, job, place, options } = ground;
  await checkCredentials(scope);
  const [running] = await runningTrainingJobs(scope);
  const known = (await outputsOf(ground)).trainingJob;
  if (running !== undefined && running === known) {
    terminal.say("it runs already, and is followed");
    return follow(ground, running);
  }
  if (await isFinished(job, place)) {
    terminal.say(
      `finished   the result is in ${uriOf(place)}; nothing was started`,
      `fetch it   npm run berth -- train fetch ${job.folder} --env ${options.env}`,
    );
    return exitCode.ok;
  }
  const plan = planOf(ground);
  const minutes = syncMinutes(options.syncMinutes);
  if (minutes === 0) {
    throw new UserError("--sync-minutes 0: a job of SageMaker keeps nothing but what it sends.", {
      hint: "Give minutes, such as 15.",
    });
  }
  const [base, quota] = await Promise.all([
    baseSource(scope, settings, job),
    checkTrainingQuota(scope, plan),
  ]);
  terminal.say(
    ...trainingPlanLines(plan, settings.target === "sagemaker" ? settings.kmsKeyArn : undefined),
    `base       ${base.uri ?? `${job.baseModel}, which the job fetches from Hugging Face`}`,
    `kept       every ${minutes} min in ${uriOf(place)}`,
  );
  for (const warning of [...base.warnings, ...quota]) terminal.complain(`  ${warning}`);
  const sourceUri = await uploadJob(job, place);
  const name = await bringUpTraining(
    { plan, settings, sourceUri, checkpointsUri: uriOf(place), baseUri: base.uri, minutes, job },
    { ...ground, adopts: running !== undefined },
  );
  return follow(ground, name);
}

/** The job of the folder's stack, by its state, else by what SageMaker has. */
async function currentJob(ground: Ground): Promise<TrainingJobView> {
  const name =
    (await outputsOf(ground)).trainingJob ?? (await runningTrainingJobs(ground.scope))[0];
  const found = name === undefined ? undefined : await findTrainingJob(ground.scope, name);
  if (found !== undefined) return found;
  const { job, options } = ground;
  throw new UserError(`No training job of ${job.name} is known in "${options.env}".`, {
    hint: `Start one with: npm run berth -- train start ${job.folder} --env ${options.env} --target sagemaker`,
  });
}

async function status(ground: Ground): Promise<number> {
  const { terminal, place } = ground;
  const outputs = await outputsOf(ground);
  const view = await currentJob(ground);
  const state = await keptState(place);
  const running = view.status === "InProgress" || view.status === "Stopping";
  terminal.say(
    jobLine(view),
    `progress   ${progressLine({ ...state, running })}`,
    costLine(view, outputs.hourlyUsd),
    await storedLine(place),
    ...(outputs.expiresAt === undefined ? [] : [`ends       ${outputs.expiresAt} at the latest`]),
    ...(view.failure === undefined ? [] : [`failure    ${view.failure}`]),
    ...(view.warmPool === "Available" ? ["warm       its instances are kept, and cost"] : []),
  );
  terminal.result({ job: view, ...state, outputs });
  return exitCode.ok;
}

async function stop(ground: Ground): Promise<number> {
  const view = await currentJob(ground);
  if (view.status === "InProgress") {
    await stopTrainingJob(ground.scope, view.name);
    ground.terminal.say(
      "it ends after this step, with a checkpoint that has two minutes to reach S3",
    );
  } else ground.terminal.say(`${view.name} is ${view.status}; nothing was done`);
  ground.terminal.result({ job: view });
  return exitCode.ok;
}

async function logs(ground: Ground): Promise<number> {
  const view = await currentJob(ground);
  const lines = await new TrainingLog(ground.scope, view.name).next();
  ground.terminal.say(...(lines.length > 0 ? lines.slice(-200) : ["nothing was said yet"]));
  return exitCode.ok;
}

async function fetchResult({ job, place, options, terminal }: Ground): Promise<number> {
  return sayFetched(await fetchKept(job, place, checkpointStep(options.checkpoint)), terminal);
}

/** `berth train start|status|logs|stop|fetch <folder> --target sagemaker`. */
export async function trainOnSageMaker(
  action: string,
  job: JobFolder,
  words: Words,
): Promise<number> {
  const ground = groundOf(job, words);
  switch (action) {
    case "start":
      return start(ground);
    case "status":
      return status(ground);
    case "logs":
      return logs(ground);
    case "stop":
      return stop(ground);
    default:
      return fetchResult(ground);
  }
}
