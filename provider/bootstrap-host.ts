import { parseFacts, type HostFacts } from "../components/bootstrap/facts.ts";
import { readGpuReport, type GpuReport } from "../components/bootstrap/gpu-report.ts";
import { planBootstrap, type BootstrapPlan } from "../components/bootstrap/plan.ts";
import type { BootstrapStep } from "../components/bootstrap/plan-steps.ts";
import { refuseGpus } from "../components/bootstrap/refuse-gpus.ts";
import { vllmRelease } from "../components/catalogue/vllm-release.ts";
import type { Refusal } from "../components/bootstrap/refusal.ts";
import type { BootstrapWish } from "../components/bootstrap/wish.ts";
import { UserError } from "../components/user-error.ts";
import type { Host } from "./adapters/ssh.ts";
import { ensureFolder } from "./connection.ts";
import { runStep, type StepGround } from "./host-steps.ts";
import { installPythonServer } from "./engines/python-server/bundle.ts";
import { installLlamaServer } from "./install-engine.ts";
import { PlanRun, type StepOutcome } from "./plan-run.ts";
import type { Operation } from "./plugin/resource-type.ts";
import type { Properties } from "./plugin/values.ts";
import { rebootHost } from "./reboot-host.ts";
import { factsScript, usualWaits, type StepWaits } from "./step-scripts.ts";

/** What a bootstrap is to bring about. */
export interface BootstrapInputs extends BootstrapWish {
  readonly dataFolder: string;
  /** For each step. */
  readonly timeoutSeconds: number;
  /** @default ten minutes for a lock, ten seconds before another try */
  readonly waits?: StepWaits | undefined;
  /** Whether it may be rebooted where nothing else helps. @default true */
  readonly reboot?: boolean | undefined;
  /** @default ten minutes */
  readonly rebootSeconds?: number | undefined;
}

/** @throws UserError with every refusal, where there is one */
export function refuseHost(host: Host, refusals: readonly Refusal[]): void {
  const [first, ...others] = refusals;
  if (first === undefined) return;
  const hints = [...new Set(refusals.map(({ remedy }) => remedy))];
  throw new UserError(`${host.name} cannot be made ready: ${first.message} (${first.code})`, {
    problems: others.map(({ code, message }) => `${message} (${code})`),
    hint: hints.join(" "),
  });
}

/** Gathers what is known of a host, in one round trip; it changes nothing. */
export async function readFacts(host: Host, folder: string): Promise<HostFacts> {
  return parseFacts(await host.output(factsScript(), [folder], 90_000));
}

class Bootstrap {
  readonly #ground: StepGround;
  readonly #inputs: BootstrapInputs;
  readonly #facts: HostFacts;
  readonly #plan: BootstrapPlan;
  readonly #run: PlanRun;
  #rebooted = false;
  report: GpuReport = { cuda: "none", gpus: [], devices: [], findings: [] };

  constructor(
    ground: StepGround,
    inputs: BootstrapInputs,
    { facts, plan }: { readonly facts: HostFacts; readonly plan: BootstrapPlan },
  ) {
    this.#ground = ground;
    this.#inputs = inputs;
    this.#facts = facts;
    this.#plan = plan;
    this.#run = new PlanRun(
      (step) => this.#step(step),
      (line) => {
        ground.operation.log(line);
      },
    );
  }

  run(): Promise<void> {
    return this.#run.run(this.#plan);
  }

  get records(): PlanRun["records"] {
    return this.#run.records;
  }

  #step(step: BootstrapStep): Promise<StepOutcome> {
    const { host, folder } = this.#ground;
    if (step.name === "verify") return this.#verify(step);
    if (step.name !== "runtime") return this.#script(step);
    const { engine } = this.#inputs;
    if (engine === "llama.cpp") return installLlamaServer(host, folder, this.#facts);
    if (engine !== "vllm") return installPythonServer(host, folder);
    const python = this.#plan.python?.command ?? "python3";
    const args = [folder, python, vllmRelease.version, ...vllmRelease.packages];
    const way = { script: "vllm", args, why: `vLLM ${vllmRelease.version}` };
    return this.#script({ ...step, ways: [way] });
  }

  async #script(step: BootstrapStep): Promise<StepOutcome> {
    const { lines, way } = await runStep(this.#ground, step, (why) => this.#reboot(step, why));
    return { changed: lines.includes("@changed yes"), note: way.why };
  }

  async #reboot(step: BootstrapStep, why: string): Promise<boolean> {
    const { host, operation } = this.#ground;
    if (this.#inputs.reboot === false)
      throw new UserError(`${host.name} needs a reboot, and may not be rebooted: ${why}`, {
        hint: "Reboot it yourself and run the same command again, or set berth:allowReboot to true.",
      });
    if (this.#rebooted) return false;
    this.#rebooted = true;
    await this.#run.alone(step.name, async () => {
      operation.log(`rebooting ${host.name}: ${why}`, "warning");
      await rebootHost(host, this.#inputs.rebootSeconds, operation.signal);
    });
    return true;
  }

  async #verify(step: BootstrapStep): Promise<StepOutcome> {
    const { gpu } = this.#inputs;
    const { host, operation } = this.#ground;
    const { lines } = await runStep(this.#ground, step, () => Promise.resolve(false));
    this.report = readGpuReport(lines);
    const refusal = refuseGpus(this.report.gpus, gpu);
    if (refusal !== undefined) refuseHost(host, [refusal]);
    for (const finding of this.report.findings) operation.log(finding, "warning");
    return { changed: false, note: `${gpu.count} x ${gpu.model}, CUDA: ${this.report.cuda}` };
  }
}

/**
 * Makes a host ready: facts, plan, steps, verification. Each step checks before it acts, so that a second run, or one after a
 * cut-off first, does only what is missing.
 *
 * @throws UserError when the host cannot be made ready, with the cause's code and what to do
 */
export async function bootstrapHost(
  host: Host,
  inputs: BootstrapInputs,
  operation: Operation,
): Promise<Properties> {
  const facts = await readFacts(host, inputs.dataFolder);
  const plan = planBootstrap(facts, inputs);
  operation.log(
    `${facts.os} ${facts.osVersion} ${facts.architecture}, driver: ${plan.driver.strategy} (${plan.driver.why})`,
  );
  refuseHost(host, plan.refusals);
  if (plan.python !== undefined && plan.python.source !== "system")
    operation.log(`Python: ${plan.python.what}: ${plan.python.why}`);
  const folder = await ensureFolder(host, inputs.dataFolder);
  const { timeoutSeconds, waits = usualWaits } = inputs;
  const ground = { host, folder, timeoutSeconds, waits, operation };
  const bootstrap = new Bootstrap(ground, inputs, { facts, plan });
  await bootstrap.run();
  return { facts, steps: bootstrap.records, verified: bootstrap.report };
}
