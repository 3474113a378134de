import type { Clock } from "../clock.ts";
import { MotoRefusal, type Moto } from "../moto/moto.ts";
import { ApiError, type ApiRequest } from "../proxy/api-request.ts";
import { matches, type BillLine, type Expression } from "./cost-explorer.ts";
import { priceTable } from "./price-table.ts";

/** What costs now, by `budget_watch.py`. */
interface Running {
  readonly region: string;
  readonly type: string;
  readonly count: number;
  readonly tags: Readonly<Record<string, string>>;
}

interface Notification {
  readonly NotificationType: "ACTUAL" | "FORECASTED";
  readonly Threshold: number;
  readonly ThresholdType?: "PERCENTAGE" | "ABSOLUTE_VALUE";
  readonly subscribers: readonly { readonly SubscriptionType: string; readonly Address: string }[];
}

interface Action {
  readonly ActionId: string;
  readonly Status: string;
  readonly NotificationType: "ACTUAL" | "FORECASTED";
  readonly ActionThreshold: {
    readonly ActionThresholdValue: number;
    readonly ActionThresholdType: "PERCENTAGE" | "ABSOLUTE_VALUE";
  };
  readonly ApprovalModel: "AUTOMATIC" | "MANUAL";
  readonly ExecutionRoleArn: string;
  readonly Definition: {
    readonly IamActionDefinition?: {
      readonly PolicyArn: string;
      readonly Roles?: readonly string[];
    };
  };
}

interface Budget {
  readonly name: string;
  readonly limit: number;
  readonly filter?: Expression | null;
  readonly notifications: readonly Notification[];
  readonly actions: readonly Action[];
}

/** One message that AWS Budgets would have sent. */
export interface BudgetAlert {
  /** RFC 3339, on the cloud's clock. */
  readonly at: string;
  readonly budget: string;
  /** An e-mail address, or the ARN of a topic. */
  readonly to: string;
  readonly text: string;
}

interface Spend {
  readonly actual: number;
  /** Of the whole month, at the pace so far. */
  readonly forecast: number;
}

const hourMs = 3_600_000;

function hourlyUsd({ region, type }: Running): number {
  const { regions, hourlyUsd: prices } = priceTable(
    type.startsWith("ml.") ? "sagemaker-prices" : "ec2-prices",
  );
  return prices[type]?.[regions.indexOf(region)] ?? 0;
}

/**
 * AWS Budgets, looking at every move of the clock: what runs is metered by the price tables and by what Cost Explorer was
 * told, alerts are kept, and an action attaches its policy and denies those whose role then has it.
 */
export class BudgetWatch {
  readonly #moto: Moto;
  readonly #clock: Clock;
  readonly #bill: readonly BillLine[];
  readonly #metered: BillLine[] = [];
  readonly #alerts: BudgetAlert[] = [];
  /** Alerts that went out, by month, budget and threshold. */
  readonly #told = new Set<string>();
  #executed = false;

  constructor(moto: Moto, clock: Clock, bill: readonly BillLine[]) {
    this.#moto = moto;
    this.#clock = clock;
    this.#bill = bill;
  }

  alerts(): readonly BudgetAlert[] {
    return this.#alerts;
  }

  /** Moves the clock by `work`, meters what ran through it, and looks at every budget. What ended meanwhile is counted to the end. */
  async during(work: () => Promise<void>): Promise<void> {
    const from = this.#clock.now();
    const running = await this.#moto.ask<readonly Running[]>("running");
    await work();
    const hours = (this.#clock.now().getTime() - from.getTime()) / hourMs;
    const day = this.#clock.now().toISOString().slice(0, 10);
    for (const each of running) {
      const usd = hourlyUsd(each) * each.count * hours;
      this.#metered.push({ day, region: each.region, tags: each.tags, usd });
    }
    for (const budget of await this.#moto.ask<readonly Budget[]>("budgets"))
      await this.#look(budget);
  }

  /**
   * Holds a call that a spent budget's policy denies its caller.
   *
   * @throws ApiError as IAM answers an explicit denial
   */
  async refuseDenied(call: ApiRequest): Promise<void> {
    if (!this.#executed) return;
    const accessKeyId = /Credential=([^/]+)/.exec(call.headers["authorization"] ?? "")?.[1] ?? "";
    const { arn = "", actions } = await this.#moto.ask<{ arn?: string; actions: string[] }>(
      "denied",
      { accessKeyId },
    );
    const asked = `${call.service}:${call.operation}`;
    const isDenied = actions.some((action) => {
      const pattern = action.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
      return new RegExp(`^${pattern.replaceAll("?", ".")}$`, "i").test(asked);
    });
    if (!isDenied) return;
    const why = `User: ${arn} is not authorized to perform: ${asked} with an explicit deny in an identity-based policy`;
    throw call.service === "ec2"
      ? new ApiError(
          "UnauthorizedOperation",
          `You are not authorized to perform this operation. ${why}`,
          403,
        )
      : new ApiError("AccessDeniedException", why, 403);
  }

  #spendOf(budget: Budget): Spend {
    const now = this.#clock.now();
    const month = now.toISOString().slice(0, 7);
    const actual = [...this.#bill, ...this.#metered]
      .filter((line) => line.day.startsWith(month) && matches(line, budget.filter ?? undefined))
      .reduce((sum, { usd }) => sum + usd, 0);
    const begun = Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
    const over = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
    const passed = Math.max(now.getTime() - begun, hourMs) / (over - begun);
    return { actual, forecast: actual / passed };
  }

  async #look(budget: Budget): Promise<void> {
    const spend = this.#spendOf(budget);
    const passes = (kind: "ACTUAL" | "FORECASTED", threshold: number, unit = "PERCENTAGE") =>
      (kind === "ACTUAL" ? spend.actual : spend.forecast) >
      (unit === "PERCENTAGE" ? (budget.limit * threshold) / 100 : threshold);
    for (const each of budget.notifications) {
      if (!passes(each.NotificationType, each.Threshold, each.ThresholdType)) continue;
      const what = `${each.NotificationType} ${each.Threshold}`;
      this.#alert(
        budget,
        what,
        each.subscribers.map(({ Address }) => Address),
      );
    }
    const statuses: Record<string, string> = {};
    for (const action of budget.actions) {
      const { ActionThresholdValue: threshold, ActionThresholdType: unit } = action.ActionThreshold;
      if (action.Status !== "STANDBY" || !passes(action.NotificationType, threshold, unit))
        continue;
      statuses[action.ActionId] = await this.#execute(action);
    }
    await this.#moto.ask("budget-spend", { name: budget.name, ...spend, statuses });
  }

  #alert(budget: Budget, what: string, addresses: readonly string[]): void {
    const at = this.#clock.now().toISOString();
    const key = `${at.slice(0, 7)} ${budget.name} ${what}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const text = `${budget.name}: ${what} % of $${budget.limit.toFixed(2)} is passed`;
    this.#alerts.push(...addresses.map((to) => ({ at, budget: budget.name, to, text })));
  }

  /** @returns the action's new status */
  async #execute({ ApprovalModel, ExecutionRoleArn, Definition }: Action): Promise<string> {
    if (ApprovalModel === "MANUAL") return "PENDING";
    const { PolicyArn: policyArn, Roles: roles = [] } = Definition.IamActionDefinition ?? {};
    try {
      await this.#moto.ask("budget-action", {
        executionRoleArn: ExecutionRoleArn,
        policyArn,
        roles,
      });
      this.#executed = true;
      return "EXECUTION_SUCCESS";
    } catch (error) {
      if (error instanceof MotoRefusal) return "EXECUTION_FAILURE";
      throw error;
    }
  }
}
