import { stackPlanLines } from "../../components/sagemaker-endpoint/stack-plan-text.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import { parseSettings, type Settings } from "../../stacks/parse-settings.ts";
import { accountOf } from "../adapters/account.ts";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import type { EngineChoice } from "../adapters/engine.ts";
import { runOperation } from "../adapters/run-operation.ts";
import { Terminal } from "../adapters/terminal.ts";
import { InterruptedError } from "../cli/command-error.ts";
import { costLines } from "../stack/cost-lines.ts";
import { Cleanup } from "../demo/cleanup.ts";
import { passDeadline } from "../demo/deadline.ts";
import { removeBucket } from "../demo/demo-bucket.ts";
import { startDemoCloud, stockBucket, type DemoCloud } from "../demo/demo-cloud.ts";
import { openDemoStack, type DemoStack } from "../demo/demo-stack.ts";
import { demoArchitecture } from "../demo/model/architecture.ts";
import type { Answer } from "../invoke/answer.ts";
import { Narrator } from "../demo/narrator.ts";
import { exitCode } from "../cli/exit-code.ts";
import { openModel } from "../stack/model-of-stack.ts";
import { readOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";

/** Flags of `berth demo`. */
export interface DemoOptions {
  readonly json: boolean;
  readonly engine: EngineChoice;
  readonly tier: "auto" | "nspawn" | "process";
  readonly target: "ec2" | "sagemaker";
  /** Stay up after the model's answer, until Ctrl-C. */
  readonly keep?: boolean;
}

const common = { region: "us-east-1", leaseHours: 2 };
const stoppedText = "Stopped; everything the demo made is removed.";
const prompt = "The harbour at night";

/** The demo's settings, with placeholders for the keys that it makes later. */
function settingsOf(target: DemoOptions["target"]): Settings {
  const config = {
    "aws:region": common.region,
    "berth:env": "local",
    "berth:target": target,
    "berth:model": demoArchitecture.id,
    "berth:owner": "demo",
    "berth:spot": true,
    "berth:leaseHours": common.leaseHours,
    "berth:sshCidr": "127.0.0.1/32",
    "berth:sshPublicKey": "ssh-ed25519 AAAA",
    "berth:weightsBucket": "berth-demo-weights",
  };
  return parseSettings({ stack: "local-demo", config });
}

interface Story {
  readonly terminal: Terminal;
  readonly narrator: Narrator;
  readonly cleanup: Cleanup;
  /** What `--json` prints at the end. */
  readonly facts: Record<string, unknown>;
}

function tellPlan({ narrator, facts }: Story, target: DemoOptions["target"]): void {
  const plan = makeStackPlan(settingsOf(target));
  facts["plan"] = plan;
  narrator.title("1. Plan: from data alone, before anything exists");
  narrator.say(stackPlanLines(plan).join("\n"));
}

async function tellCloud(story: Story, options: DemoOptions): Promise<DemoCloud> {
  const { narrator, cleanup, facts } = story;
  narrator.title("2. An AWS of our own, emulated on this machine");
  const place = await narrator.step("emulated AWS started", () =>
    startDemoCloud(options.tier, cleanup, (line) => {
      narrator.say(line);
    }),
  );
  facts["machines"] = place.cloud.tier;
  const bytes = await narrator.step("a model of random weights made, and put into its S3", () =>
    stockBucket(place),
  );
  const { endpoint, tier } = place.cloud;
  narrator.say(
    `${(bytes / 1e6).toFixed(0)} MB in s3://${place.bucket.bucket}/${place.bucket.prefix}`,
  );
  narrator.say(
    options.target === "sagemaker"
      ? `EMULATED: AWS (${endpoint}), and the endpoint's instance: its container is a process of this machine`
      : `EMULATED: AWS (${endpoint}), its instances (${tier} machines), their GPU and its driver`,
  );
  return place;
}

async function tellUp(
  { terminal, narrator, facts }: Story,
  demo: DemoStack,
): Promise<BerthOutputs> {
  narrator.title(`3. Up: the Pulumi program, run by ${demo.engine}`);
  const report = await runOperation({
    name: "up",
    terminal,
    next: "What it made is removed; the demo can be run again.",
    work: (hooks) => demo.stack.up({ ...hooks, color: "never" }),
  });
  const outputs = readOutputs(report.result.outputs);
  narrator.steps.push({ name: "up", seconds: report.seconds });
  narrator.say(`\n${report.steps.length} steps in ${report.seconds.toFixed(1)} s`);
  const { instanceType = "?", instanceId = "?", address = "?", endpointName } = outputs;
  narrator.say(
    endpointName === undefined
      ? `host       ${instanceType} ${instanceId} at ${address}`
      : `endpoint   ${endpointName} on ${instanceType}`,
  );
  facts["up"] = { seconds: report.seconds, steps: report.steps, outputs };
  return outputs;
}

async function askModel(cloud: Cloud, outputs: BerthOutputs): Promise<Answer> {
  const account = accountOf("local-demo", common.region, cloud);
  const model = await openModel(outputs, account.client);
  try {
    return await model.ask({ prompt, maxTokens: 16 });
  } finally {
    model.close();
  }
}

async function tellAnswer(
  story: Story,
  { cloud }: DemoCloud,
  outputs: BerthOutputs,
): Promise<void> {
  const { narrator, facts } = story;
  const onHost = outputs.endpointName === undefined;
  const way = onHost ? "SSH with the host's key pinned" : "SageMaker's runtime API";
  narrator.title(`4. The model answers, through ${way}`);
  const asked = `asked the model on the ${onHost ? "host" : "endpoint"}`;
  const answer = await narrator.step(asked, () => askModel(cloud, outputs));
  narrator.say(`asked      "${prompt}"`);
  narrator.say(
    `answered   "${answer.text}" (${answer.tokens ?? "?"} tokens of RANDOM weights: real inference of nonsense)`,
  );
  const lines = costLines(outputs, cloud.now());
  narrator.say(lines.join("\n"));
  facts["answer"] = answer;
}

async function tellDeadline(
  story: Story,
  { cloud }: DemoCloud,
  outputs: BerthOutputs,
): Promise<void> {
  const { narrator, facts } = story;
  narrator.title("5. The deadline passes, and nobody is there");
  const report = await narrator.step(
    "clock moved past the deadline; the schedule did the rest",
    () => passDeadline(cloud, outputs),
  );
  for (const { caller, call, status } of report.calls) {
    narrator.say(`${caller.padEnd(10)} ${call} -> ${status}`);
  }
  const { instanceId = "", endpointName } = outputs;
  const what =
    endpointName === undefined ? `instance   ${instanceId}` : `endpoint   ${endpointName}`;
  narrator.say(`${what} is ${report.state}, ended by the schedule in the account`);
  narrator.say(costLines(outputs, cloud.now()).join("\n"));
  facts["deadline"] = report;
}

async function tellDown(story: Story, place: DemoCloud, demo: DemoStack): Promise<boolean> {
  const { terminal, narrator, facts } = story;
  narrator.title("6. Down, and the receipt");
  const report = await runOperation({
    name: "down",
    terminal,
    work: (hooks) => demo.stack.destroy({ ...hooks, color: "never" }),
  });
  narrator.steps.push({ name: "down", seconds: report.seconds });
  narrator.say(`${report.steps.length} steps in ${report.seconds.toFixed(1)} s`);
  await narrator.step("the demo's own bucket of weights removed", () => removeBucket(place.bucket));
  const left = await narrator.step("every API of the emulated account asked what is left", () =>
    place.cloud.leftovers(),
  );
  narrator.say(`receipt    ${left.length} left`);
  for (const { service, kind, id } of left) narrator.say(`  ${service} ${kind} ${id}`);
  facts["receipt"] = { left };
  return left.length === 0;
}

async function untilInterrupted(narrator: Narrator, stopped: AbortSignal): Promise<never> {
  narrator.say("\nIt stays up until Ctrl-C.");
  await new Promise((resolve) => {
    stopped.addEventListener("abort", resolve, { once: true });
  });
  throw new InterruptedError(stoppedText);
}

async function tell(story: Story, options: DemoOptions, stopped: AbortSignal): Promise<number> {
  const mayGoOn = () => {
    if (stopped.aborted) throw new InterruptedError(stoppedText);
  };
  tellPlan(story, options.target);
  const place = await tellCloud(story, options);
  mayGoOn();
  const settings = { ...common, target: options.target };
  const demo = await openDemoStack(place, settings, options.engine, story.cleanup);
  mayGoOn();
  const outputs = await tellUp(story, demo);
  await tellAnswer(story, place, outputs);
  mayGoOn();
  if (options.keep === true) await untilInterrupted(story.narrator, stopped);
  await tellDeadline(story, place, outputs);
  mayGoOn();
  const clean = await tellDown(story, place, demo);
  return clean ? exitCode.ok : exitCode.provisioningFailed;
}

/** `berth demo`: the whole way in the emulated AWS. Ctrl-C at any moment leaves nothing running. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const terminal = new Terminal(options.json);
  const narrator = new Narrator((text) => {
    terminal.say(text.replace(/\n$/, ""));
  });
  const story: Story = { terminal, narrator, cleanup: new Cleanup(), facts: {} };
  const stop = new AbortController();
  const interrupt = () => {
    if (!stop.signal.aborted)
      terminal.complain("  stopping; what the demo made is being removed ...");
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  let code: number;
  try {
    code = await tell(story, options, stop.signal);
  } catch (error) {
    // What was under way was cut off with the rest, and says so in words of its own.
    if (!stop.signal.aborted) throw error;
    throw new InterruptedError(stoppedText, { cause: error });
  } finally {
    const failures = await story.cleanup.run();
    for (const failure of failures) terminal.complain(`  not cleaned up: ${failure}`);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, interrupt);
  }
  narrator.say(
    `\nThe whole way took ${narrator.seconds.toFixed(0)} s; nothing of it is running any more.`,
  );
  terminal.result({ ...story.facts, seconds: narrator.seconds, steps: narrator.steps });
  return code;
}
