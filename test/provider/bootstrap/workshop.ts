import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { nspawnTier } from "../../../offline/cloud/machines/nspawn.ts";
import type { System } from "../../../offline/cloud/machines/nspawn/image.ts";
import type { HostFacts } from "../../../components/bootstrap/facts.ts";
import type { GpuReport } from "../../../components/bootstrap/gpu-report.ts";
import type { Host } from "../../../provider/adapters/ssh.ts";
import { bootstrapHost, type BootstrapInputs } from "../../../provider/bootstrap-host.ts";
import type { StepRecord } from "../../../provider/plan-run.ts";
import { needs, Started } from "../../support/tier.ts";
import { operation } from "../support/host.ts";
import { BareMachine } from "./bare-machine.ts";
import { canBuildPackages, PackageRepository } from "./package-repository.ts";

/** What a bootstrap came to, and what it said on the way. */
export interface Done {
  readonly facts: HostFacts;
  readonly steps: readonly StepRecord[];
  readonly verified: GpuReport;
  readonly lines: readonly string[];
}

/** A bare machine and its repository, for the tests of one suite. */
export class Workshop {
  readonly #started = new Started();
  #repository: PackageRepository | undefined;
  #machine: BareMachine | undefined;

  get repository(): PackageRepository {
    if (this.#repository === undefined) throw new Error("the workshop was not opened");
    return this.#repository;
  }

  get machine(): BareMachine {
    if (this.#machine === undefined) throw new Error("the workshop was not opened");
    return this.#machine;
  }

  /** Starts both, or skips the suite where this host does not allow them. */
  async open(context: Mocha.Context, system: System = "bookworm", diskGiB?: number): Promise<void> {
    context.timeout(300_000);
    const { ok, why } = await nspawnTier.available();
    needs(context, "nspawn", ok, why);
    const tools = await canBuildPackages();
    needs(context, "package tools", tools, "install dpkg-dev, apt-utils, gnupg and gcc");
    this.#repository = this.#started.use(await PackageRepository.start());
    this.#machine = this.#started.use(
      await BareMachine.start(this.#repository, { system, diskGiB }),
    );
  }

  close(): Promise<void> {
    return this.#started.stop();
  }

  /** What the bootstraps of the tests ask for: the machine's GPU, no engine, short waits. */
  #inputs(): BootstrapInputs {
    const { port, keyringSha256 } = this.repository;
    return {
      gpu: { model: "L4", count: 1 },
      engine: "none",
      dataFolder: "/opt/berth",
      timeoutSeconds: 50,
      waits: { lockSeconds: 20, retrySeconds: 0 },
      rebootSeconds: 40,
      mirror: { url: `http://127.0.0.1:${port}`, keyringSha256 },
    };
  }

  /** A bootstrap in a process of its own, to be killed. */
  client(): ChildProcess {
    const { host, port } = this.machine.address;
    const provider = pathToFileURL(join(import.meta.dirname, "../../../provider")).href;
    const target = { host, port, user: "ubuntu" };
    const program = `
      import { Host } from "${provider}/adapters/ssh.ts";
      import { bootstrapHost } from "${provider}/bootstrap-host.ts";
      const hostKeys = () => Promise.resolve([${JSON.stringify(this.machine.hostKey)}]);
      const host = new Host({ ...${JSON.stringify(target)}, hostKeys }, { connectMs: 30000 });
      const operation = { urn: "", timeoutSeconds: 0, signal: new AbortController().signal, log: () => undefined };
      await bootstrapHost(host, ${JSON.stringify(this.#inputs())}, operation);
      process.exit(0);
    `;
    const loader = pathToFileURL(
      join(import.meta.dirname, "../../../node_modules/tsx/dist/loader.mjs"),
    );
    const args = ["--import", loader.href, "--input-type=module", "--eval", program];
    const environment = {
      ...process.env,
      BERTH_SSH_PRIVATE_KEY: this.machine.clientKey.privateKey,
    };
    return spawn(process.execPath, args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: environment,
    });
  }

  /** Bootstraps the machine for its GPU, with no engine and short waits. */
  async bootstrap(changes: Partial<BootstrapInputs> = {}, through?: Host): Promise<Done> {
    const host = through ?? this.machine.host();
    const told = operation();
    try {
      const outputs = await bootstrapHost(host, { ...this.#inputs(), ...changes }, told);
      return { ...(outputs as unknown as Done), lines: told.lines };
    } finally {
      host.close();
    }
  }
}
