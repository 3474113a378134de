import type {
  ActionThreshold,
  ActionType,
  ApprovalModel,
  Definition,
  NotificationType,
  Subscriber,
} from "@aws-sdk/client-budgets";
import { fromAws, toAws } from "../../engine/casing.ts";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type InputsOf } from "../../engine/resource-type.ts";
import { number, object, set, string } from "../../engine/schema.ts";
import { awsTags } from "../../engine/tags.ts";
import { isObject } from "../../engine/wire.ts";
import { tagBudgets, tagsOfArn } from "./budget-calls.ts";

const inputs = {
  accountId: string({ computed: true, replace: true }),
  budgetName: string({ required: true, replace: true }),
  actionType: string({ required: true, oneOf: ["APPLY_IAM_POLICY"], replace: true }),
  approvalModel: string({ required: true, oneOf: ["AUTOMATIC", "MANUAL"] }),
  executionRoleArn: string({ required: true }),
  notificationType: string({ required: true, oneOf: ["ACTUAL", "FORECASTED"] }),
  actionThreshold: object(
    {
      actionThresholdType: string({ required: true, oneOf: ["PERCENTAGE", "ABSOLUTE_VALUE"] }),
      actionThresholdValue: number({ required: true }),
    },
    { required: true },
  ),
  definition: object(
    {
      iamActionDefinition: object({
        policyArn: string({ required: true }),
        roles: set(string()),
        groups: set(string()),
        users: set(string()),
      }),
    },
    { required: true },
  ),
  subscribers: set(
    object({
      address: string({ required: true }),
      subscriptionType: string({ required: true, oneOf: ["EMAIL", "SNS"] }),
    }),
    { required: true },
  ),
};
type Inputs = InputsOf<typeof inputs>;

/** The provider's id: account, action and budget, with colons between. */
function partsOf(id: string): { AccountId: string; ActionId: string; BudgetName: string } {
  const [AccountId = "", ActionId = "", ...rest] = id.split(":");
  return { AccountId, ActionId, BudgetName: rest.join(":") };
}

function arnOf(id: string): string {
  const { AccountId, ActionId, BudgetName } = partsOf(id);
  return `arn:aws:budgets::${AccountId}:budget/${BudgetName}/action/${ActionId}`;
}

/** All that an update may change. */
function termsOf(given: Inputs) {
  return {
    NotificationType: given.notificationType as NotificationType,
    ActionThreshold: toAws(given.actionThreshold) as ActionThreshold,
    Definition: toAws(given.definition) as Definition,
    ExecutionRoleArn: given.executionRoleArn,
    ApprovalModel: given.approvalModel as ApprovalModel,
    Subscribers: toAws(given.subscribers) as Subscriber[],
  };
}

/** What is done by itself when a budget is spent. */
export const budgetAction = resourceType({
  token: "aws:budgets/budgetAction:BudgetAction",
  regional: false,
  inputs,
  outputs: ["actionId", "arn", "status"],
  volatile: ["status"],
  tag: (context, id, change) => tagBudgets(context, change, arnOf(id)),
  create: async (context, given) => {
    const budgets = await context.clients.budgets();
    const AccountId = given.accountId ?? (await context.clients.account());
    const made = await budgets.createBudgetAction({
      AccountId,
      BudgetName: given.budgetName,
      ActionType: given.actionType as ActionType,
      ...termsOf(given),
      ResourceTags: awsTags(given.tagsAll),
    });
    return { id: `${AccountId}:${made.ActionId ?? ""}:${given.budgetName ?? ""}` };
  },
  read: async (context, id) => {
    const budgets = await context.clients.budgets();
    const found = (await unlessGone(budgets.describeBudgetAction(partsOf(id))))?.Action;
    if (found === undefined) return undefined;
    const told = fromAws(found);
    return {
      ...(isObject(told) ? told : {}),
      arn: arnOf(id),
      accountId: partsOf(id).AccountId,
      tagsAll: await tagsOfArn(context, arnOf(id)),
    };
  },
  update: async (context, id, { news }) => {
    const budgets = await context.clients.budgets();
    await budgets.updateBudgetAction({ ...partsOf(id), ...termsOf(news) });
  },
  delete: async (context, id) => {
    const budgets = await context.clients.budgets();
    await unlessGone(budgets.deleteBudgetAction(partsOf(id)));
  },
});
