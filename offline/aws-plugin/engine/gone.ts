import { isObject } from "./wire.ts";

/** Whether an API's error says that the thing asked about is not there. */
function isGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (/NotFound|NoSuch|DoesNotExist/.test(error.name)) return true;
  const metadata = "$metadata" in error ? error.$metadata : undefined;
  return isObject(metadata) && metadata["httpStatusCode"] === 404;
}

/** The answer; undefined when the thing asked about is not there. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
