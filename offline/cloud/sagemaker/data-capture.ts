import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { ObjectStore } from "../s3/object-store.ts";
import type { HostedEndpoint } from "./hosted-endpoint.ts";
import { writeObject } from "./model-data.ts";

/** What of the requests is kept, as CreateEndpointConfig has it. */
export interface DataCaptureConfig {
  readonly EnableCapture?: boolean;
  readonly InitialSamplingPercentage?: number;
  readonly DestinationS3Uri?: string;
  readonly CaptureOptions?: readonly { readonly CaptureMode: "Input" | "Output" }[];
}

/** A request and its answer, whole. */
export interface Exchange {
  readonly request: Buffer;
  readonly answer: Buffer;
  readonly contentType: string;
  readonly variant: string;
}

/**
 * Keeps requests and answers in S3, one JSON line an object
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html). SageMaker draws which; here it is
 * every n-th, so that a run can be repeated.
 */
export class DataCapture {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  #count = 0;

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async keep(endpoint: HostedEndpoint, exchange: Exchange): Promise<void> {
    const { request, answer, contentType, variant } = exchange;
    const {
      EnableCapture,
      InitialSamplingPercentage = 0,
      DestinationS3Uri = "",
      CaptureOptions = [],
    } = endpoint.capture ?? {};
    if (EnableCapture !== true) return;
    const share = InitialSamplingPercentage / 100;
    const before = this.#count;
    this.#count += 1;
    if (Math.floor(this.#count * share) === Math.floor(before * share)) return;
    const modes = CaptureOptions.map(({ CaptureMode }) => CaptureMode);
    const part = (data: Buffer, mode: string) => ({
      observedContentType: contentType,
      mode,
      data: data.toString("base64"),
      encoding: "BASE64",
    });
    const now = this.#clock.now().toISOString();
    const eventId = randomUUID();
    const line = {
      captureData: {
        ...(modes.includes("Input") ? { endpointInput: part(request, "INPUT") } : {}),
        ...(modes.includes("Output") ? { endpointOutput: part(answer, "OUTPUT") } : {}),
      },
      eventMetadata: { eventId, inferenceTime: now },
      eventVersion: "0",
    };
    const hour = now.slice(0, 13).replaceAll(/[-T]/g, "/");
    const folder = `${DestinationS3Uri.replace(/\/*$/, "")}/${endpoint.name}/${variant}/${hour}`;
    await writeObject(
      this.#store,
      `${folder}/${eventId}.jsonl`,
      Buffer.from(`${JSON.stringify(line)}\n`),
    );
  }
}
