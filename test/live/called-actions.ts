import { readFile } from "node:fs/promises";
import type { ApiCall } from "../../offline/cloud/call-log.ts";

/** One statement of a policy of docs/iam-policy.md. */
export interface DocumentedStatement {
  readonly Sid: string;
  readonly Action: readonly string[];
}

/** The statements of the first policy below a heading of docs/iam-policy.md. */
export async function policyStatements(heading: string): Promise<readonly DocumentedStatement[]> {
  const page = await readFile("docs/iam-policy.md", "utf8");
  const below = page.split(`\n## ${heading}\n`)[1] ?? "";
  const policy = /```json\n([^]*?)\n```/.exec(below)?.[1] ?? "";
  return (JSON.parse(policy) as { Statement: readonly DocumentedStatement[] }).Statement;
}

/** Services that IAM calls otherwise than their API. */
const prefixes: Readonly<Record<string, string>> = {
  tagging: "tag",
  resourcegroupstaggingapi: "tag",
  monitoring: "cloudwatch",
};

/** Operations that need the right to another: https://docs.aws.amazon.com/service-authorization/latest/reference/ */
const rights: Readonly<Record<string, string>> = {
  "budgets:DescribeBudgets": "budgets:ViewBudget",
  "s3:ListBuckets": "s3:ListAllMyBuckets",
  "s3:ListObjectsV2": "s3:ListBucket",
};

/** The rights that clients' calls needed, each once and in order. */
export function actionsCalled(calls: readonly ApiCall[]): readonly string[] {
  const actions = calls
    .filter(({ caller }) => caller === undefined)
    .map(({ service, operation }) => `${prefixes[service] ?? service}:${operation}`)
    .map((action) => rights[action] ?? action);
  return [...new Set(actions)].toSorted();
}
