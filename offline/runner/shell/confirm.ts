import { createInterface } from "node:readline";
import { OfflineError } from "../../offline-error.ts";
import type { UpdateKind } from "../contract.ts";
import type { CommandLine } from "./flags.ts";

/** Whether an update must be asked for. @throws OfflineError when it must, and there is nobody to ask */
export function mustAsk(line: CommandLine, kind: UpdateKind): boolean {
  const agreed = ["yes", "skip-preview", "preview-only"].some((flag) => line.has(flag));
  if (kind === "preview" || agreed) return false;
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  if (terminal && !line.has("non-interactive") && !line.has("json")) return true;
  throw new OfflineError(
    `--yes or --skip-preview must be passed in to proceed when running in non-interactive mode`,
    "Run `pulumi preview` to see what would change, then give --yes.",
  );
}

/** Asks on the terminal; anything but "yes" is a no, and so are Ctrl-C and the end of input. */
export async function confirm(kind: UpdateKind): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const { promise, resolve } = Promise.withResolvers<string>();
  terminal.once("close", () => {
    resolve("");
  });
  const noun = kind === "up" ? "update" : kind;
  terminal.question(`\nDo you want to perform this ${noun}? Type yes, or no: `, resolve);
  const answer = await promise;
  terminal.close();
  return answer.trim().toLowerCase() === "yes";
}
