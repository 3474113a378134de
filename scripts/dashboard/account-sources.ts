import { ledgerOf } from "../../components/cost/ledger.ts";
import { timestamp } from "../../components/lease/lease.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import { takeInventory, type AccountInventory } from "../adapters/account-things.ts";
import { accountOf } from "../adapters/account.ts";
import { readClock } from "../adapters/clock.ts";
import { updateRecords } from "../adapters/cost/cost-records.ts";
import { checkCredentials } from "../adapters/credentials.ts";
import type { LocalCloud } from "../adapters/local-cloud.ts";
import type { AccountReadings } from "./readings.ts";
import { Source } from "./source.ts";
import type { SourceGround } from "./stack-sources.ts";

type Ledger = NonNullable<AccountReadings["ledger"]["value"]>;

/** All that is asked of one account: AWS's, or the emulated one. */
export class AccountSources {
  readonly emulated: boolean;
  readonly #ground: SourceGround;
  readonly #number: Source<string>;
  readonly #clock: Source<string>;
  readonly #inventory: Source<AccountInventory>;
  readonly #ledger: Source<Ledger>;
  #regions: readonly string[] = [];

  constructor(emulated: boolean, ground: SourceGround) {
    this.emulated = emulated;
    this.#ground = ground;
    const { clock, changed } = ground;
    const rhythm = { clock, changed };
    this.#clock = new Source({
      ...rhythm,
      everyMs: 10_000,
      read: async () => (await readClock(this.#cloud())).toISOString(),
    });
    this.#number = new Source({
      ...rhythm,
      everyMs: 300_000,
      read: () => checkCredentials(this.#scope()),
    });
    this.#inventory = new Source({
      ...rhythm,
      everyMs: 30_000,
      patienceMs: 120_000,
      read: () => takeInventory(this.#scope().client, this.#regions),
    });
    this.#ledger = new Source({
      ...rhythm,
      everyMs: 120_000,
      patienceMs: 120_000,
      read: () => this.#askLedger(),
    });
  }

  /** Asks what is due in these regions; resolves when all of it has answered or failed. */
  async refresh(regions: readonly string[]): Promise<void> {
    this.#regions = regions;
    const rest = regions.length === 0 ? [] : [this.#inventory.refresh(), this.#ledger.refresh()];
    await Promise.all([this.#clock.refresh(), this.#number.refresh(), ...rest]);
  }

  get readings(): AccountReadings {
    return {
      emulated: this.emulated,
      regions: this.#regions,
      number: this.#number.reading,
      clock: this.#clock.reading,
      inventory: this.#inventory.reading,
      ledger: this.#ledger.reading,
    };
  }

  #cloud(): LocalCloud | undefined {
    return this.emulated ? this.#ground.cloud() : undefined;
  }

  #scope(): AccountScope {
    return accountOf("", this.#regions[0] ?? "us-east-1", this.#cloud());
  }

  async #askLedger(): Promise<Ledger> {
    const { client } = this.#scope();
    const now = await readClock(this.#cloud());
    const account = await checkCredentials(this.#scope());
    const { records, unanswered } = await updateRecords(client, this.#regions, { now, account });
    return { lines: ledgerOf(records, now), at: timestamp(now), unanswered };
  }
}
