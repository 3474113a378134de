import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseFacts, parseGpu, type HostFacts } from "../components/bootstrap/facts.ts";
import {
  planBootstrap,
  refuseGpus,
  type BootstrapWish,
  type Refusal,
} from "../components/bootstrap/plan.ts";
import { UserError } from "../components/user-error.ts";
import type { Host } from "./adapters/ssh.ts";
import { ensureFolder } from "./connection.ts";
import { lastLines, runDetached } from "./detached-step.ts";
import { ensureNode, sendArchive } from "./ensure-node.ts";
import { llamaServerBundle } from "./engines/llama-server/bundle.ts";
import type { Operation } from "./plugin/resource-type.ts";
import type { Properties } from "./plugin/values.ts";

/** The version that is installed where vLLM serves: https://pypi.org/project/vllm/ */
export const vllmVersion = "0.11.0";

/** What a bootstrap is to bring about. */
export interface BootstrapInputs extends BootstrapWish {
  readonly dataFolder: string;
  /** For each step. */
  readonly timeoutSeconds: number;
}

/** One step, done. */
export interface StepRecord {
  readonly name: string;
  readonly seconds: number;
  readonly changed: boolean;
}

function stepScript(name: string): string {
  const url = new URL(`../components/bootstrap/steps/${name}.sh`, import.meta.url);
  return readFileSync(fileURLToPath(url), "utf8");
}

function refuse(host: Host, refusal: Refusal | undefined): void {
  if (refusal === undefined) return;
  throw new UserError(`${host.name} cannot be made ready: ${refusal.message} (${refusal.code})`, {
    hint: refusal.remedy,
  });
}

/** Gathers what is known of a host, in one round trip. */
export async function readFacts(host: Host, folder: string): Promise<HostFacts> {
  return parseFacts(await host.output(stepScript("facts"), [folder], 90_000));
}

class Bootstrap {
  readonly steps: StepRecord[] = [];
  readonly #host: Host;
  readonly #inputs: BootstrapInputs;
  readonly #folder: string;
  readonly #operation: Operation;

  constructor(host: Host, inputs: BootstrapInputs, folder: string, operation: Operation) {
    this.#host = host;
    this.#inputs = inputs;
    this.#folder = folder;
    this.#operation = operation;
  }

  /** Runs a step's script detached; an exit status other than 0 is an error with its last lines. */
  async script(name: string, args: readonly string[]): Promise<readonly string[]> {
    const result = await runDetached(this.#host, {
      name,
      script: stepScript(name),
      args,
      folder: `${this.#folder}/steps`,
      timeoutSeconds: this.#inputs.timeoutSeconds,
      signal: this.#operation.signal,
      onLine: (line) => {
        if (line.startsWith("@warning "))
          this.#operation.log(line.slice("@warning ".length), "warning");
      },
    });
    if (result.code !== 0) {
      throw new UserError(
        `the step \`${name}\` failed with status ${result.code} on ${this.#host.name}`,
        {
          problems: [`its last words:\n${lastLines(result.lines)}`],
          hint: `Run \`up\` again to go on from there; the whole log is ${result.logPath} on the host.`,
        },
      );
    }
    return result.lines;
  }

  /** Runs a step, notes its time and tells it. */
  async step(name: string, act: () => Promise<{ changed: boolean; note?: string }>): Promise<void> {
    const began = Date.now();
    const { changed, note } = await act();
    const seconds = Math.round((Date.now() - began) / 100) / 10;
    this.steps.push({ name, seconds, changed });
    const told = note === undefined ? "" : `: ${note}`;
    this.#operation.log(
      `${name} ${changed ? "done" : "already so"} in ${seconds.toFixed(1)} s${told}`,
    );
  }

  async scriptStep(name: string, args: readonly string[], note: string): Promise<void> {
    await this.step(name, async () => {
      const lines = await this.script(name, args);
      return { changed: lines.includes("@changed yes"), note };
    });
  }

  async runtime(facts: HostFacts): Promise<{ changed: boolean; note: string }> {
    if (this.#inputs.engine === "vllm") {
      const lines = await this.script("vllm", [this.#folder, vllmVersion]);
      return { changed: lines.includes("@changed yes"), note: `vLLM ${vllmVersion}` };
    }
    const node = await ensureNode(this.#host, this.#folder);
    const platform = facts.architecture === "aarch64" ? "linux-arm64" : "linux-x64";
    const bundle = await llamaServerBundle(platform);
    const target = `${this.#folder}/engines/llama-server`;
    const sent = await sendArchive(this.#host, { kind: "folder", ...bundle }, target);
    const own = node.sent ? "sent from this machine" : "the host's own";
    return { changed: node.sent || sent, note: `Node ${node.version} (${own}), llama.cpp server` };
  }

  async verify(facts: HostFacts): Promise<Properties> {
    if (this.#inputs.gpu.count === 0) return { cuda: "none", gpus: [] };
    const lines = await this.script("verify", [facts.emulated ? "yes" : "no"]);
    const gpus = lines.flatMap((line) =>
      line.startsWith("@gpu ") ? [parseGpu(line.slice(5))] : [],
    );
    const seen = gpus.filter((gpu) => gpu !== undefined);
    refuse(this.#host, refuseGpus(seen, this.#inputs.gpu));
    const cuda = lines.find((line) => line.startsWith("@cuda "))?.slice("@cuda ".length) ?? "none";
    return { cuda, gpus: seen };
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
  const folder = await ensureFolder(host, inputs.dataFolder);
  const facts = await readFacts(host, folder);
  const plan = planBootstrap(facts, inputs);
  operation.log(
    `${facts.os} ${facts.osVersion} ${facts.architecture}, driver: ${plan.driver.strategy} (${plan.driver.why})`,
  );
  refuse(host, plan.refusal);
  const bootstrap = new Bootstrap(host, inputs, folder, operation);
  let verified: Properties = {};
  for (const step of plan.steps) {
    if (step === "prepare") await bootstrap.scriptStep("prepare", [folder], folder);
    else if (step === "driver") {
      const args = [plan.driver.strategy, facts.emulated ? "yes" : "no"];
      await bootstrap.scriptStep("driver", args, plan.driver.strategy);
    } else if (step === "runtime") await bootstrap.step("runtime", () => bootstrap.runtime(facts));
    else
      await bootstrap.step("verify", async () => {
        verified = await bootstrap.verify(facts);
        return {
          changed: false,
          note: `${inputs.gpu.count} x ${inputs.gpu.model}, CUDA: ${String(verified["cuda"])}`,
        };
      });
  }
  return { facts, steps: bootstrap.steps, verified };
}
