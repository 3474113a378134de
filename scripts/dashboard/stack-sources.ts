import type { LocalCloud } from "../adapters/local-cloud.ts";
import { accountOf } from "../adapters/account.ts";
import { readEndpointState } from "../adapters/endpoint/endpoint-state.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import { readHostState } from "../adapters/host-state.ts";
import { readStackConfig, type StackConfig } from "../adapters/stack-file.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import { environmentDefaults, parseSettings } from "../../stacks/parse-settings.ts";
import { servedFacts } from "../stack/endpoint-facts.ts";
import { readHosts, stateTogether } from "../stack/host-serving.ts";
import { notPlanned } from "../plan/plan-inputs.ts";
import { probeHost } from "./probe-host.ts";
import type { HostProbe, ServingState, StackFacts, StackReadings } from "./readings.ts";
import { Source } from "./source.ts";

/** What the sources of stacks and accounts are made with. */
export interface SourceGround {
  readonly clock: () => number;
  readonly changed: () => void;
  /** The emulated cloud. @throws UserError when none runs */
  readonly cloud: () => LocalCloud;
}

/** How one stack is read. */
export interface StackSourceOptions {
  readonly facts: (stack: string) => Promise<StackFacts>;
  /** Whether hosts are logged in to. */
  readonly probe: boolean;
}

/** Stacks that live in the emulated AWS. */
export function isEmulated(stack: string): boolean {
  return /^local(-|$)/.test(stack);
}

/** The stack's file, as far as it can be read: a broken one hides nothing. */
function fileOf(stack: string): StackConfig {
  try {
    return readStackConfig(stack) ?? {};
  } catch {
    return {};
  }
}

/** The plan that the stack's settings make; undefined when they make none. */
function planOf(stack: string): unknown {
  try {
    const config = { ...notPlanned, ...fileOf(stack) };
    return makeStackPlan(parseSettings({ stack, config }));
  } catch {
    return undefined;
  }
}

/** All that is asked of one stack. */
export class StackSources {
  readonly name: string;
  readonly state: Source<StackFacts>;
  #serving: Source<ServingState>;
  #host: Source<HostProbe>;
  /** What the two tell of; another deployment of this stack begins with nothing known. */
  #deployment = "";
  readonly #ground: SourceGround;
  readonly #probe: boolean;
  #plan: unknown;

  constructor(name: string, { facts, probe }: StackSourceOptions, ground: SourceGround) {
    this.name = name;
    this.#ground = ground;
    this.#probe = probe;
    const { clock, changed } = ground;
    this.state = new Source({ clock, changed, everyMs: 8000, read: () => facts(name) });
    this.#serving = this.#newServing();
    this.#host = this.#newHost();
  }

  get region(): string | undefined {
    const said = fileOf(this.name)["aws:region"];
    return this.state.reading.value?.region ?? (typeof said === "string" ? said : undefined);
  }

  /** Asks what is due; resolves when all of it has answered or failed. */
  async refresh(): Promise<void> {
    await this.state.refresh();
    const facts = this.state.reading.value;
    if (facts === undefined) return;
    const planless = facts.lease !== undefined && facts.outputs.plan === undefined;
    if (planless) this.#plan ??= planOf(this.name);
    const { endpointName, instanceId, connection } = facts;
    const deployment = JSON.stringify([endpointName, instanceId, connection]);
    if (deployment !== this.#deployment) {
      this.#deployment = deployment;
      this.#serving = this.#newServing();
      this.#host = this.#newHost();
    }
    await Promise.all([
      ...(endpointName === undefined && instanceId === undefined ? [] : [this.#serving.refresh()]),
      ...(this.#mayLogIn(facts) ? [this.#host.refresh()] : []),
    ]);
  }

  get readings(): StackReadings {
    const config = fileOf(this.name);
    const text = (key: string) => (typeof config[key] === "string" ? config[key] : undefined);
    const [model, owner, region] = [text("berth:model"), text("berth:owner"), text("aws:region")];
    return {
      name: this.name,
      env: String(environmentDefaults(this.name, config)["berth:env"]),
      emulated: isEmulated(this.name),
      file: {
        ...(model === undefined ? {} : { model }),
        ...(owner === undefined ? {} : { owner }),
        ...(region === undefined ? {} : { region }),
        plan: this.#plan,
      },
      state: this.state.reading,
      serving: this.#serving.reading,
      host: this.#host.reading,
    };
  }

  #mayLogIn({ connection }: StackFacts): boolean {
    if (!this.#probe || connection === undefined) return false;
    // A host that ends itself when nobody is there must not be kept up by being looked at.
    return this.#host.reading.value?.idleStop !== true;
  }

  #newServing(): Source<ServingState> {
    const { clock, changed } = this.#ground;
    return new Source({ clock, changed, everyMs: 15_000, read: () => this.#askServing() });
  }

  #newHost(): Source<HostProbe> {
    const { clock, changed } = this.#ground;
    return new Source({ clock, changed, everyMs: 10_000, read: () => this.#askHost() });
  }

  async #askServing(): Promise<ServingState> {
    const { endpointName, instanceId = "", outputs } = this.#facts();
    const cloud = isEmulated(this.name) ? this.#ground.cloud() : undefined;
    const scope = accountOf(this.name, this.region ?? "us-east-1", cloud);
    const told =
      endpointName === undefined
        ? { noun: "host" as const, ...(await this.#hostState(scope, instanceId, outputs)) }
        : { noun: "endpoint" as const, ...(await this.#endpointState(scope, endpointName)) };
    if (told.state === "unknown") throw new Error(told.why ?? "no answer");
    return told;
  }

  async #endpointState(scope: AccountScope, endpointName: string) {
    const state = await readEndpointState(scope, endpointName);
    return { ...state, served: await servedFacts(scope, this.#facts().outputs, state) };
  }

  async #hostState(scope: AccountScope, instanceId: string, outputs: StackFacts["outputs"]) {
    if (outputs.hosts === undefined) return readHostState(scope, instanceId);
    return stateTogether(await readHosts(scope, outputs));
  }

  #askHost(): Promise<HostProbe> {
    const { connection, serverPort } = this.#facts();
    if (connection === undefined) throw new Error("there is no host yet");
    return probeHost(connection, serverPort);
  }

  #facts(): StackFacts {
    const { value } = this.state.reading;
    if (value === undefined) throw new Error("its state has not been read");
    return value;
  }
}
