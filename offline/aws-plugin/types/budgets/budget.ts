import type {
  Budget,
  BudgetType,
  ComparisonOperator,
  Expression,
  Metric,
  Notification,
  NotificationType,
  Subscriber,
  ThresholdType,
  TimeUnit,
} from "@aws-sdk/client-budgets";
import { sameValue } from "../../engine/compare.ts";
import { fromAws, toAws } from "../../engine/casing.ts";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context, type InputsOf } from "../../engine/resource-type.ts";
import { list, number, object, set, string, type ValuesOf } from "../../engine/schema.ts";
import { awsTags } from "../../engine/tags.ts";
import { tagBudgets, tagsOfArn } from "./budget-calls.ts";

const named = object({
  key: string({ required: true }),
  values: set(string(), { required: true }),
});
const terms = { dimensions: named, tags: named, not: object({ dimensions: named, tags: named }) };

const notificationFields = {
  comparisonOperator: string({ required: true }),
  notificationType: string({ required: true, oneOf: ["ACTUAL", "FORECASTED"] }),
  threshold: number({ required: true }),
  thresholdType: string({ required: true, oneOf: ["PERCENTAGE", "ABSOLUTE_VALUE"] }),
  subscriberEmailAddresses: set(string()),
  subscriberSnsTopicArns: set(string()),
};
const notification = object(notificationFields);
type Given = ValuesOf<typeof notificationFields>;

const inputs = {
  accountId: string({ computed: true, replace: true }),
  name: string({ computed: true, replace: true }),
  budgetType: string({ required: true, oneOf: ["COST", "USAGE"] }),
  timeUnit: string({ required: true, oneOf: ["DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY"] }),
  limitAmount: string({ required: true }),
  limitUnit: string({ required: true }),
  filterExpression: object({ ...terms, ands: list(object(terms)) }),
  metrics: string(),
  notifications: set(notification),
};
type Inputs = InputsOf<typeof inputs>;

/** Account and name: the provider's id is both, with a colon between. */
function partsOf(id: string): { AccountId: string; BudgetName: string } {
  const [AccountId = "", ...rest] = id.split(":");
  return { AccountId, BudgetName: rest.join(":") };
}

function arnOf(id: string): string {
  const { AccountId, BudgetName } = partsOf(id);
  return `arn:aws:budgets::${AccountId}:budget/${BudgetName}`;
}

/** The provider names the list of terms in the plural. */
function expressionOf(given: Inputs["filterExpression"]): Expression | undefined {
  if (given === undefined) return undefined;
  const { ands, ...rest } = given;
  const And = ands === undefined ? {} : { And: toAws(ands) as Expression[] };
  return { ...(toAws(rest) as Expression), ...And };
}

function expressionFrom(found: Expression | undefined): object | undefined {
  if (found === undefined) return undefined;
  const { And, ...rest } = found;
  const ands = And === undefined ? {} : { ands: fromAws(And) };
  return { ...(fromAws(rest) as object), ...ands };
}

function budgetOf(id: string, given: Inputs): Budget {
  const { metrics } = given;
  return {
    BudgetName: partsOf(id).BudgetName,
    BudgetType: given.budgetType as BudgetType,
    TimeUnit: given.timeUnit as TimeUnit,
    BudgetLimit: { Amount: given.limitAmount, Unit: given.limitUnit },
    FilterExpression: expressionOf(given.filterExpression),
    ...(metrics === undefined ? {} : { Metrics: [metrics as Metric] }),
  };
}

function notificationOf(given: Given): Notification {
  return {
    NotificationType: given.notificationType as NotificationType,
    ComparisonOperator: given.comparisonOperator as ComparisonOperator,
    Threshold: given.threshold,
    ThresholdType: given.thresholdType as ThresholdType,
  };
}

function subscribersOf(given: Given): Subscriber[] {
  const of = (SubscriptionType: "EMAIL" | "SNS", addresses: readonly string[] = []) =>
    addresses.map((Address) => ({ SubscriptionType, Address }));
  return [
    ...of("EMAIL", given.subscriberEmailAddresses),
    ...of("SNS", given.subscriberSnsTopicArns),
  ];
}

async function readNotifications(context: Context, id: string): Promise<object[]> {
  const budgets = await context.clients.budgets();
  const name = partsOf(id);
  const { Notifications = [] } = await budgets.describeNotificationsForBudget(name);
  return Promise.all(
    Notifications.map(async (each) => {
      const asked = { ...name, Notification: each };
      const { Subscribers = [] } = await budgets.describeSubscribersForNotification(asked);
      const addresses = (type: string) =>
        Subscribers.flatMap(({ SubscriptionType, Address }) =>
          SubscriptionType === type && Address !== undefined ? [Address] : [],
        );
      const { notificationType, comparisonOperator, threshold, thresholdType } = fromAws(
        each,
      ) as Given;
      return {
        ...{ notificationType, comparisonOperator, threshold, thresholdType },
        subscriberEmailAddresses: addresses("EMAIL"),
        subscriberSnsTopicArns: addresses("SNS"),
      };
    }),
  );
}

/** One that changed is another one: its terms are its name. */
async function setNotifications(context: Context, id: string, olds: Given[], news: Given[]) {
  const budgets = await context.clients.budgets();
  const name = partsOf(id);
  const among = (each: Given, others: Given[]) =>
    others.some((other) => sameValue(notification, each, other));
  for (const old of olds) {
    if (among(old, news)) continue;
    await unlessGone(budgets.deleteNotification({ ...name, Notification: notificationOf(old) }));
  }
  for (const given of news) {
    if (among(given, olds)) continue;
    const Subscribers = subscribersOf(given);
    await budgets.createNotification({
      ...name,
      Notification: notificationOf(given),
      Subscribers,
    });
  }
}

/** What may be spent, and who is told. */
export const budget = resourceType({
  token: "aws:budgets/budget:Budget",
  regional: false,
  inputs,
  outputs: ["arn"],
  name: { property: "name", limit: 100 },
  tag: (context, id, change) => tagBudgets(context, change, arnOf(id)),
  create: async (context, given) => {
    const budgets = await context.clients.budgets();
    const AccountId = given.accountId ?? (await context.clients.account());
    const id = `${AccountId}:${given.name ?? ""}`;
    await budgets.createBudget({
      AccountId,
      Budget: budgetOf(id, given),
      NotificationsWithSubscribers: (given.notifications ?? []).map((each) => ({
        Notification: notificationOf(each),
        Subscribers: subscribersOf(each),
      })),
      ResourceTags: awsTags(given.tagsAll),
    });
    return { id };
  },
  read: async (context, id) => {
    const budgets = await context.clients.budgets();
    const found = (await unlessGone(budgets.describeBudget(partsOf(id))))?.Budget;
    if (found === undefined) return undefined;
    return {
      arn: arnOf(id),
      accountId: partsOf(id).AccountId,
      name: found.BudgetName,
      budgetType: found.BudgetType,
      timeUnit: found.TimeUnit,
      limitAmount: found.BudgetLimit?.Amount,
      limitUnit: found.BudgetLimit?.Unit,
      filterExpression: expressionFrom(found.FilterExpression),
      metrics: found.Metrics?.[0],
      notifications: await readNotifications(context, id),
      tagsAll: await tagsOfArn(context, arnOf(id)),
    };
  },
  update: async (context, id, { olds, news, changed }) => {
    const budgets = await context.clients.budgets();
    const { AccountId } = partsOf(id);
    await budgets.updateBudget({ AccountId, NewBudget: budgetOf(id, news) });
    if (!changed.has("notifications")) return;
    const before = (olds["notifications"] ?? []) as Given[];
    await setNotifications(context, id, before, news.notifications ?? []);
  },
  delete: async (context, id) => {
    const budgets = await context.clients.budgets();
    await unlessGone(budgets.deleteBudget(partsOf(id)));
  },
});
