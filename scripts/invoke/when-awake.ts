import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../components/user-error.ts";

/** How long a model may take to wake up, and who is told that it does. */
export interface WakingPatience {
  readonly tell: (line: string) => void;
  /** @default 1200: an alarm of a minute, an instance, and the weights again; 10 minutes were measured for a small model */
  readonly mostSeconds?: number;
}

const pausesMs = { first: 1000, last: 15_000 };
const defaultMostSeconds = 1200;

/** Whether SageMaker refused since the component has no copy now, which is what wakes it. */
function isAsleep(error: unknown): boolean {
  return error instanceof Error && /has no capacity to process/i.test(error.message);
}

/**
 * Does what asks a model whose copies may have come down to none: the first request starts one, and is refused, and so are all
 * others until it runs. It is sent again until then.
 *
 * @throws UserError when the model does not wake up in time; or what the request itself was refused for
 */
export async function whenAwake<T>(
  work: () => Promise<T>,
  { tell, mostSeconds = defaultMostSeconds }: WakingPatience,
): Promise<T> {
  const end = Date.now() + mostSeconds * 1000;
  let pauseMs = pausesMs.first;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAsleep(error)) throw error;
      if (pauseMs === pausesMs.first) {
        tell(
          `waits      no copy of the model runs; this request starts one, which takes minutes (${mostSeconds / 60} at most)`,
        );
      }
      if (Date.now() + pauseMs > end) {
        throw new UserError(`The model did not wake up in ${mostSeconds} s.`, {
          hint: "Look at berth status: capacity may lack, or the quota be used up. Ask again later.",
          cause: error,
        });
      }
      await sleep(pauseMs);
      pauseMs = Math.min(pausesMs.last, pauseMs * 1.5);
    }
  }
}
