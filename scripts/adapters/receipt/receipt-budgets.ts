import {
  BudgetsClient,
  ListTagsForResourceCommand,
  paginateDescribeBudgets,
} from "@aws-sdk/client-budgets";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Tags } from "../../../components/identity.ts";
import { timestamp } from "../../../components/lease/lease.ts";
import {
  scopeTag,
  tagMap,
  type AccountScope,
  type ClientSettings,
  type Question,
  type Remnant,
} from "../account-scope.ts";

/** The account's number, which every call of AWS Budgets wants. */
export async function accountNumber(settings: ClientSettings): Promise<string> {
  const client = new STSClient(settings);
  try {
    return (await client.send(new GetCallerIdentityCommand({}))).Account ?? "";
  } finally {
    client.destroy();
  }
}

/** A budget as the account tells of it. */
export interface FoundBudget {
  readonly name: string;
  readonly tags: Tags;
  /** RFC 3339. */
  readonly changedAt: string | undefined;
}

/** The budgets whose name `isWanted`, with their tags: AWS Budgets is in no tag index. */
export async function findBudgets(
  settings: ClientSettings,
  isWanted: (name: string) => boolean,
): Promise<readonly FoundBudget[]> {
  const client = new BudgetsClient(settings);
  const found: FoundBudget[] = [];
  try {
    const AccountId = await accountNumber(settings);
    for await (const page of paginateDescribeBudgets({ client }, { AccountId })) {
      for (const { BudgetName: name = "", LastUpdatedTime } of page.Budgets ?? []) {
        if (!isWanted(name)) continue;
        const ResourceARN = `arn:aws:budgets::${AccountId}:budget/${name}`;
        const { ResourceTags } = await client.send(new ListTagsForResourceCommand({ ResourceARN }));
        const changedAt = LastUpdatedTime === undefined ? undefined : timestamp(LastUpdatedTime);
        found.push({ name, tags: tagMap(ResourceTags), changedAt });
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}

async function ask(scope: AccountScope): Promise<readonly Remnant[]> {
  const { Key, Value } = scopeTag(scope);
  try {
    const own = (name: string) => name.startsWith(`${scope.stack}-budget-`);
    const budgets = await findBudgets(scope.client, own);
    return budgets
      .filter(({ tags }) => tags[Key] === Value)
      .map(({ name: id }) => ({ service: "budgets", kind: "budget", id }));
  } catch (error) {
    if (isRefused(error)) return [];
    throw error;
  }
}

/** Who may not look at budgets could not have made one either: they are off unless they are asked for. */
function isRefused(error: unknown): boolean {
  return error instanceof Error && /AccessDenied|NotAuthorized/.test(error.name);
}

/** Budgets by name, then tag: they are in no tag index. */
export const budgetQuestion: Question = { name: "budgets", ask };
