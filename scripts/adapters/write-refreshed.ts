import { UserError } from "../../components/user-error.ts";
import { replaceFile } from "../../processes/replace-file.ts";

/**
 * Writes what a refresh has read, whole or not at all: a reader, or the next run after a crash, never sees half a file.
 *
 * @throws UserError when it cannot be written
 */
export async function writeRefreshed(path: string, content: unknown): Promise<void> {
  try {
    await replaceFile(path, `${JSON.stringify(content, null, 2)}\n`);
  } catch (error) {
    throw new UserError(`${path} cannot be written.`, { cause: error, problems: [String(error)] });
  }
}
