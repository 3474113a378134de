import { explainUserError, UserError } from "../../components/user-error.ts";
import { OfflineError } from "../../offline/offline-error.ts";
import { awsProblem } from "../adapters/aws-problem.ts";
import { sshProblem } from "../adapters/ssh-problem.ts";
import { machineProblem } from "./machine-problem.ts";
import { exitCode } from "./exit-code.ts";

/** An operation of the engine that began and failed, with what it said. */
export class ProvisioningError extends Error {
  override readonly name = "ProvisioningError";
  readonly messages: readonly string[];

  constructor(message: string, messages: readonly string[], cause?: unknown) {
    super(message, { cause });
    this.messages = messages;
  }
}

/** The user stopped it. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** An error as both a person and a program are told of it. */
export interface ExplainedError {
  readonly code: number;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

function userError(error: UserError): ExplainedError {
  const { message, hint, problems } = error;
  const json = { error: { kind: "user", message, problems, hint: hint ?? null } };
  return { code: exitCode.userError, text: explainUserError(error), json };
}

/** The same error as one for the user, where it is the user's to solve. */
function forUser(error: unknown): UserError | undefined {
  if (error instanceof UserError) return error;
  if (error instanceof OfflineError) return new UserError(error.message, { hint: error.hint });
  return machineProblem(error) ?? awsProblem(error) ?? sshProblem(error);
}

/** What went wrong and the exit code; a mistake of berth itself keeps its stack. */
export function explainError(error: unknown): ExplainedError {
  const solvable = forUser(error);
  if (solvable !== undefined) return userError(solvable);
  if (error instanceof InterruptedError) {
    const json = { error: { kind: "interrupted", message: error.message } };
    return { code: exitCode.interrupted, text: error.message, json };
  }
  if (error instanceof ProvisioningError) {
    const { message, messages } = error;
    const text = [message, ...messages.map((line) => `  ${line}`)].join("\n");
    const json = { error: { kind: "provisioning", message, problems: messages } };
    return { code: exitCode.provisioningFailed, text, json };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = error instanceof Error ? error.message : text;
  const json = { error: { kind: "internal", message } };
  return {
    code: exitCode.userError,
    text: `berth itself failed; please report this:\n${text}`,
    json,
  };
}
