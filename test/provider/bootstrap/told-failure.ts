import assert from "node:assert/strict";
import { failureMode } from "../../../components/bootstrap/failures.ts";

/**
 * Holds that something ends with a failure of the table, by its code, and gives all that the error says. That every code has a
 * test which produces it is held by test/components/bootstrap/failures.test.ts, which reads these calls.
 */
export async function failsWith(code: string, work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail(`nothing failed, and ${failureMode(code).code} was to be told`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error, String(error));
  const { problems = [], hint = "" } = error as { problems?: readonly string[]; hint?: string };
  const told = [error.message, ...problems, hint].join("\n");
  assert.ok(told.includes(`(${code})`), told);
  return told;
}

/** Holds that a bootstrap met a failure of the table, told it by its code, and went on. */
export function wentOnPast(code: string, done: { readonly lines: readonly string[] }): void {
  assert.ok(
    done.lines.some((line) => line.includes(`(${failureMode(code).code})`)),
    done.lines.join("\n"),
  );
}
