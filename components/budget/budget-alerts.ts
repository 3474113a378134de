/** Who is told that a budget is being spent. */
export interface BudgetAlerts {
  readonly emails: readonly string[];
  /** ARNs of SNS topics whose policy lets `budgets.amazonaws.com` publish. */
  readonly topics: readonly string[];
}

const email = /^[^\s@,]+@[^\s@,]+\.[^\s@,]+$/;
const topic = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+$/;

/** Most e-mail addresses that one notification takes, beside one topic: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateNotification.html */
const mostEmails = 10;

/** Whether AWS Budgets can send to it: an e-mail address, or the ARN of an SNS topic. */
export function isAlertAddress(text: string): boolean {
  return email.test(text) || topic.test(text);
}

/** Whether all of them together can be told by one notification. */
export function fitsOneNotification(addresses: readonly string[]): boolean {
  const topics = addresses.filter((address) => topic.test(address));
  return topics.length <= 1 && addresses.length - topics.length <= mostEmails;
}

/** The addresses by kind; the owner's where none are given and that is one. */
export function budgetAlerts(given: readonly string[] | undefined, owner: string): BudgetAlerts {
  const addresses = given ?? (isAlertAddress(owner) ? [owner] : []);
  return {
    emails: addresses.filter((address) => email.test(address)),
    topics: addresses.filter((address) => topic.test(address)),
  };
}
