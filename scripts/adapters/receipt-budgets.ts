import {
  BudgetsClient,
  ListTagsForResourceCommand,
  paginateDescribeBudgets,
} from "@aws-sdk/client-budgets";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import {
  isTagged,
  type AccountScope,
  type ClientSettings,
  type Question,
  type Remnant,
} from "./account-scope.ts";

/** The account's number, which every call of AWS Budgets wants. */
export async function accountNumber(settings: ClientSettings): Promise<string> {
  const client = new STSClient(settings);
  try {
    return (await client.send(new GetCallerIdentityCommand({}))).Account ?? "";
  } finally {
    client.destroy();
  }
}

async function ask(scope: AccountScope): Promise<readonly Remnant[]> {
  const client = new BudgetsClient(scope.client);
  const found: Remnant[] = [];
  try {
    const AccountId = await accountNumber(scope.client);
    for await (const page of paginateDescribeBudgets({ client }, { AccountId })) {
      for (const { BudgetName = "" } of page.Budgets ?? []) {
        if (!BudgetName.startsWith(`${scope.stack}-budget-`)) continue;
        const ResourceARN = `arn:aws:budgets::${AccountId}:budget/${BudgetName}`;
        const { ResourceTags } = await client.send(new ListTagsForResourceCommand({ ResourceARN }));
        if (isTagged(ResourceTags, scope)) {
          found.push({ service: "budgets", kind: "budget", id: BudgetName });
        }
      }
    }
    return found;
  } catch (error) {
    if (isRefused(error)) return [];
    throw error;
  } finally {
    client.destroy();
  }
}

/** Who may not look at budgets could not have made one either: they are off unless they are asked for. */
function isRefused(error: unknown): boolean {
  return error instanceof Error && /AccessDenied|NotAuthorized/.test(error.name);
}

/** Budgets by name, then tag: they are in no tag index. */
export const budgetQuestion: Question = { name: "budgets", ask };
