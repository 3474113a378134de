import { readFile } from "node:fs/promises";
import { parseFacts, type HostFacts } from "../../components/bootstrap/facts.ts";
import { gpusOnBus } from "../../components/bootstrap/gpu-hardware.ts";
import { planBootstrap } from "../../components/bootstrap/plan.ts";
import { bootstrapPlanLines } from "../../components/bootstrap/plan-text.ts";
import type { BootstrapWish } from "../../components/bootstrap/wish.ts";
import { UserError } from "../../components/user-error.ts";
import { bootstrapHost, readFacts } from "../../provider/bootstrap-host.ts";
import { bootWindowMs, hostOf, onHost } from "../../provider/connection.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../cli/exit-code.ts";
import { parseHostOptions, type HostOptions } from "../stack/host-options.ts";

/** Flags of `berth bootstrap`. */
export interface BootstrapOptions extends HostOptions {
  readonly facts?: string;
  readonly dryRun?: boolean;
  readonly engine: string;
  readonly dataFolder: string;
  readonly torch?: string;
  readonly containers?: boolean;
  readonly gpu?: string;
  readonly gpus?: string;
  readonly driverBranch?: string;
  readonly modules?: string;
  readonly replaceDriver?: boolean;
  readonly mirror?: string;
  readonly mirrorKeyringSha256?: string;
  readonly pythonMirror?: string;
  readonly pythonMirrorSha256?: string;
}

/** The GPUs that a host has: those that nvidia-smi names, else those on its bus. */
function gpusOf(facts: HostFacts): BootstrapWish["gpu"] {
  const [named] = facts.gpus;
  if (named !== undefined) return { model: named.name, count: facts.gpus.length };
  const found = gpusOnBus(facts);
  return { model: found[0]?.model ?? "", count: found.length };
}

function countOf(options: BootstrapOptions): number | undefined {
  if (options.gpus === undefined) return undefined;
  const count = Number(options.gpus);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new UserError(`--gpus must be a number of GPUs, and is "${options.gpus}"`);
}

function branchOf(options: BootstrapOptions): number | undefined {
  if (options.driverBranch === undefined) return undefined;
  if (/^\d{3}$/.test(options.driverBranch)) return Number(options.driverBranch);
  throw new UserError(
    `--driver-branch must be a branch such as 580, and is "${options.driverBranch}"`,
  );
}

function modulesOf({ modules }: BootstrapOptions): "open" | "closed" | undefined {
  if (modules === undefined || modules === "open" || modules === "closed") return modules;
  throw new UserError(`--modules must be open or closed, and is "${modules}"`);
}

/** What is wished for: what the flags say, and for the rest what the host has. */
export function wishOf(facts: HostFacts, options: BootstrapOptions): BootstrapWish {
  const found = gpusOf(facts);
  const { mirror, mirrorKeyringSha256, pythonMirror, pythonMirrorSha256 } = options;
  return {
    gpu: { model: options.gpu ?? found.model, count: countOf(options) ?? found.count },
    engine: options.engine,
    driver: {
      branch: branchOf(options),
      modules: modulesOf(options),
      replace: options.replaceDriver,
    },
    torch: options.torch,
    containers: options.containers,
    mirror: mirror === undefined ? undefined : { url: mirror, keyringSha256: mirrorKeyringSha256 },
    pythonMirror:
      pythonMirror === undefined ? undefined : { url: pythonMirror, sha256: pythonMirrorSha256 },
  };
}

function showPlan(facts: HostFacts, options: BootstrapOptions, terminal: Terminal): number {
  const wish = wishOf(facts, options);
  const plan = planBootstrap(facts, wish);
  terminal.say(...bootstrapPlanLines(facts, plan));
  terminal.result({ facts, wish, plan });
  return plan.refusals.length === 0 ? exitCode.ok : exitCode.userError;
}

/**
 * `berth bootstrap`: makes a machine that is there already ready to serve, with the steps that a host of a stack gets; or
 * says what it would do. It needs no account.
 */
export async function runBootstrap(options: BootstrapOptions, terminal: Terminal): Promise<number> {
  if (options.facts !== undefined) {
    const text = await readFile(options.facts, "utf8").catch((cause: unknown) => {
      throw new UserError(`${options.facts} cannot be read`, {
        hint: "Record a host's facts with `bash components/bootstrap/steps/facts.sh /opt/berth > FILE` on it.",
        cause,
      });
    });
    return showPlan(parseFacts(text), options, terminal);
  }
  const connection = parseHostOptions(options);
  const interrupt = new AbortController();
  const stop = (): void => {
    interrupt.abort(
      new UserError("stopped; the step that runs goes on, and the same command follows it"),
    );
  };
  process.once("SIGINT", stop);
  const patience = {
    connectMs: options.dryRun === true ? 20_000 : bootWindowMs,
    signal: interrupt.signal,
  };
  try {
    return await onHost(hostOf(connection, patience), async (host) => {
      const facts = await readFacts(host, options.dataFolder);
      if (options.dryRun === true) return showPlan(facts, options, terminal);
      const wish = wishOf(facts, options);
      const inputs = { ...wish, dataFolder: options.dataFolder, timeoutSeconds: 3600 };
      const outputs = await bootstrapHost(host, inputs, {
        urn: "",
        timeoutSeconds: 0,
        signal: interrupt.signal,
        log: (line, severity) => {
          terminal.say(severity === "warning" ? `warning: ${line}` : line);
        },
      });
      terminal.result(outputs);
      return exitCode.ok;
    });
  } finally {
    process.off("SIGINT", stop);
  }
}
