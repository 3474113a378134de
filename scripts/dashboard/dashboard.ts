import type { DashboardView } from "../../components/dashboard-page/dashboard-view.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import { stackFiles } from "../adapters/stack-file.ts";
import { AccountSources } from "./account-sources.ts";
import { makeView } from "./make-view.ts";
import type { DashboardReadings, StackFacts } from "./readings.ts";
import { Source } from "./source.ts";
import { isEmulated, StackSources, type SourceGround } from "./stack-sources.ts";

/** Where a dashboard reads, and what. */
export interface DashboardOptions {
  readonly stackNames: () => Promise<readonly string[]>;
  readonly facts: (stack: string) => Promise<StackFacts>;
  /** Regions to ask besides those of the stacks. */
  readonly regions: readonly string[];
  /** Whether hosts are logged in to. */
  readonly probe: boolean;
  /** Milliseconds since 1970. @default this machine's */
  readonly clock?: () => number;
}

/**
 * Everything that is read of stacks, accounts and hosts. It asks when it is looked at, each part in its own rhythm, and
 * nothing while nobody looks. One part that is slow or fails holds up no other.
 */
export class Dashboard {
  readonly #options: DashboardOptions;
  readonly #ground: SourceGround;
  readonly #names: Source<readonly string[]>;
  readonly #stacks = new Map<string, StackSources>();
  readonly #accounts = new Map<boolean, AccountSources>();
  #files: readonly string[] = [];
  #revision = 0;

  constructor(options: DashboardOptions) {
    this.#options = options;
    const clock = options.clock ?? Date.now;
    const changed = () => {
      this.#revision += 1;
    };
    const cloud = () => {
      const found = cloudOf("local");
      if (found === undefined) throw new Error("there is no emulated cloud");
      return found;
    };
    this.#ground = { clock, changed, cloud };
    this.#names = new Source({ clock, changed, everyMs: 15_000, read: () => this.#readNames() });
  }

  /** Grows whenever something that is shown has been read anew. */
  get revision(): number {
    return this.#revision;
  }

  /** Asks what is due; resolves when all of it has answered or failed. Never throws. */
  async refresh(): Promise<void> {
    await this.#names.refresh();
    const stacks = [...this.#stacks.values()];
    const states = stacks.map((stack) => stack.state.refresh());
    await Promise.all([
      ...stacks.map((stack) => stack.refresh()),
      Promise.all(states).then(() => this.#refreshAccounts()),
    ]);
  }

  /** Only accounts that a stack lives in: a machine of one's own is in none. */
  async #refreshAccounts(): Promise<void> {
    for (const emulated of [false, true]) {
      const lives = [...this.#stacks.values()].some(
        ({ name, state }) =>
          isEmulated(name) === emulated && state.reading.value?.ownMachine !== true,
      );
      if (!lives) this.#accounts.delete(emulated);
      else if (!this.#accounts.has(emulated)) {
        this.#accounts.set(emulated, new AccountSources(emulated, this.#ground));
      }
    }
    const accounts = [...this.#accounts.values()];
    await Promise.all(accounts.map((each) => each.refresh(this.#regionsOf(each.emulated))));
  }

  /** What all that was read comes to. */
  get view(): DashboardView {
    return makeView(this.#readings());
  }

  #readings(): DashboardReadings {
    return {
      now: new Date(this.#ground.clock()).toISOString(),
      names: this.#names.reading,
      stacks: [...this.#stacks.values()].map(({ readings }) => readings),
      files: this.#files,
      accounts: [...this.#accounts.values()].map(({ readings }) => readings),
    };
  }

  async #readNames(): Promise<readonly string[]> {
    this.#files = await stackFiles();
    const names = await this.#options.stackNames();
    for (const name of this.#stacks.keys()) if (!names.includes(name)) this.#stacks.delete(name);
    for (const name of names) {
      if (!this.#stacks.has(name)) {
        this.#stacks.set(name, new StackSources(name, this.#options, this.#ground));
      }
    }
    return names;
  }

  #regionsOf(emulated: boolean): readonly string[] {
    const own = [...this.#stacks.values()]
      .filter(({ name }) => isEmulated(name) === emulated)
      .flatMap(({ region }) => region ?? []);
    return [...new Set([...own, ...(emulated ? [] : this.#options.regions)])].toSorted();
  }
}
