import type { Operation } from "../plugin/resource-type.ts";

/** What talks to a service, and is closed when the work is done. */
interface Closable {
  close(): void;
}

/** Does the work, however it ends, and closes what it was done with. */
export function whileOpen<C extends Closable, T>(
  control: C,
  work: (control: C) => Promise<T>,
): Promise<T> {
  return work(control).finally(() => {
    control.close();
  });
}

/** How a control waits within an operation, and tells what it sees. */
export function withinOperation(operation: Operation): {
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
} {
  const log = (message: string): void => {
    operation.log(message);
  };
  return { signal: operation.signal, log };
}
