import {
  CostExplorerClient,
  GetCostAndUsageCommand,
  type Expression,
  type GetCostAndUsageCommandOutput,
} from "@aws-sdk/client-cost-explorer";
import type { BilledDay } from "../../../components/cost/compare-bill.ts";
import { stackTag } from "../../../components/identity.ts";
import { UserError } from "../../../components/user-error.ts";
import type { ClientSettings } from "../account-scope.ts";

/** Days from one to before another one, `2026-11-24`, and where. */
export interface BilledPeriod {
  readonly from: string;
  readonly until: string;
  readonly regions: readonly string[];
}

/** USD of one request: https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/ */
export const requestUsd = 0.01;

function filterOf({ regions }: BilledPeriod): Expression {
  return {
    And: [
      { Dimensions: { Key: "REGION", Values: [...regions] } },
      { Not: { Dimensions: { Key: "RECORD_TYPE", Values: ["Credit", "Refund", "Tax"] } } },
      { Not: { Tags: { Key: stackTag, MatchOptions: ["ABSENT"] } } },
    ],
  };
}

function daysOf({ ResultsByTime = [] }: GetCostAndUsageCommandOutput): readonly BilledDay[] {
  return ResultsByTime.flatMap(({ TimePeriod, Estimated = false, Groups = [] }) =>
    Groups.map(({ Keys = [], Metrics = {} }) => ({
      day: TimePeriod?.Start ?? "",
      // A group of a tag is called `berth:stack$dev`.
      stack: (Keys[0] ?? "").slice(stackTag.length + 1),
      usd: Number(Metrics["UnblendedCost"]?.Amount ?? 0),
      estimated: Estimated,
    })),
  );
}

/**
 * What Cost Explorer knows of each stack, day by day: cost before credits, refunds and tax.
 *
 * @throws UserError when the account does not let it be asked
 */
export async function askBill(
  settings: ClientSettings,
  period: BilledPeriod,
): Promise<{ readonly days: readonly BilledDay[]; readonly requests: number }> {
  const client = new CostExplorerClient(settings);
  const days: BilledDay[] = [];
  let NextPageToken: string | undefined;
  let requests = 0;
  try {
    do {
      const page: GetCostAndUsageCommandOutput = await client.send(
        new GetCostAndUsageCommand({
          TimePeriod: { Start: period.from, End: period.until },
          Granularity: "DAILY",
          Metrics: ["UnblendedCost"],
          GroupBy: [{ Type: "TAG", Key: stackTag }],
          Filter: filterOf(period),
          NextPageToken,
        }),
      );
      requests += 1;
      days.push(...daysOf(page));
      NextPageToken = page.NextPageToken;
    } while (NextPageToken !== undefined && NextPageToken !== "");
    return { days, requests };
  } catch (error) {
    throw explained(error);
  } finally {
    client.destroy();
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (!/AccessDenied|NotAuthorized|DataUnavailable/.test(error.name)) return error;
  return new UserError(`Cost Explorer does not answer: ${error.message}`, {
    hint: "Switch Cost Explorer on in the payer's account, and give ce:GetCostAndUsage (docs/iam-policy.md); or leave --compare out.",
    cause: error,
  });
}
