import { setTimeout as sleep } from "node:timers/promises";
import {
  CreatePresignedNotebookInstanceUrlCommand,
  DescribeNotebookInstanceCommand,
  SageMakerClient,
  StartNotebookInstanceCommand,
  StopNotebookInstanceCommand,
} from "@aws-sdk/client-sagemaker";
import { UserError } from "../../components/user-error.ts";
import type { ClientSettings } from "./account-scope.ts";

/** Between two looks. */
const pausesMs = { first: 500, last: 10_000 };
/** A start takes minutes; one that takes longer than this has gone wrong. */
const patienceMs = 20 * 60_000;
/** How long a session of a URL may last, seconds (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedNotebookInstanceUrl.html). */
export const sessionSeconds = { least: 1800, most: 43_200 } as const;

/** Which notebook instance, and who is told what becomes of it. */
export interface NotebookPlace {
  readonly notebookName: string;
  readonly client: ClientSettings;
  readonly tell: (line: string) => void;
}

/** What became of a notebook that was to stop: it did, it had before, or there is none. */
export type NotebookEnd = "stopped" | "rested" | "gone";

/** What a person is told of it. */
export const notebookEndLines: Readonly<Record<NotebookEnd, string>> = {
  stopped: "notebook   stopped, with its kernels; its disk stays until the lease ends",
  rested: "notebook   had stopped before; its disk stays until the lease ends",
  gone: "notebook   is not there, and neither is its disk; the next up makes another",
};

/** A notebook instance of SageMaker, which is started, opened and stopped. */
export class NotebookControl {
  readonly #client: SageMakerClient;
  readonly #place: NotebookPlace;

  constructor(place: NotebookPlace) {
    this.#place = place;
    this.#client = new SageMakerClient({ ...place.client, maxAttempts: 6 });
  }

  close(): void {
    this.#client.destroy();
  }

  /** SageMaker's word, and why it failed; "gone" when there is none. */
  async look(): Promise<{ readonly state: string; readonly why: string }> {
    const { notebookName: NotebookInstanceName } = this.#place;
    try {
      const found = await this.#client.send(
        new DescribeNotebookInstanceCommand({ NotebookInstanceName }),
      );
      return { state: found.NotebookInstanceStatus ?? "?", why: found.FailureReason ?? "" };
    } catch (error) {
      if (error instanceof Error && /could not find|RecordNotFound/i.test(error.message)) {
        return { state: "gone", why: "" };
      }
      throw error;
    }
  }

  /**
   * Has it in service, started where it was stopped.
   *
   * @throws UserError when it fails, is gone, or takes too long
   */
  async start(): Promise<void> {
    const { notebookName: NotebookInstanceName } = this.#place;
    const { state } = await this.#settled();
    if (state === "InService") return;
    if (state === "Stopped" || state === "Failed") {
      await this.#client.send(new StartNotebookInstanceCommand({ NotebookInstanceName }));
    }
    const { state: after, why } = await this.#settled();
    if (after === "InService") return;
    throw new UserError(
      `The notebook instance ${NotebookInstanceName} is ${after}${why === "" ? "" : `: ${why}`}`,
      { hint: "Run berth up where it is gone; else correct what it says, and try again." },
    );
  }

  /** Has it stopped, where it runs; says what it was before. */
  async stop(): Promise<NotebookEnd> {
    const { notebookName: NotebookInstanceName } = this.#place;
    const { state } = await this.#settled();
    if (state === "gone") return "gone";
    if (state !== "InService") return "rested";
    await this.#client.send(new StopNotebookInstanceCommand({ NotebookInstanceName }));
    await this.#settled();
    return "stopped";
  }

  /** An address that opens it within five minutes, for a session of so long; it needs no further permission. */
  async address(seconds: number): Promise<string> {
    const { AuthorizedUrl = "" } = await this.#client.send(
      new CreatePresignedNotebookInstanceUrlCommand({
        NotebookInstanceName: this.#place.notebookName,
        SessionExpirationDurationInSeconds: seconds,
      }),
    );
    return AuthorizedUrl;
  }

  async #settled(): Promise<{ readonly state: string; readonly why: string }> {
    const end = Date.now() + patienceMs;
    let pauseMs = pausesMs.first;
    let told = "";
    for (;;) {
      const found = await this.look();
      if (!/^(Pending|Stopping|Updating|Deleting)$/.test(found.state)) return found;
      if (found.state !== told) this.#place.tell(`notebook   ${found.state}`);
      told = found.state;
      if (Date.now() > end) {
        throw new UserError(
          `The notebook instance is ${found.state} for ${patienceMs / 60_000} minutes.`,
          {
            hint: "Look at it in the console; the lease ends it whatever it is.",
          },
        );
      }
      await sleep(pauseMs);
      pauseMs = Math.min(pausesMs.last, pauseMs * 1.5);
    }
  }
}
