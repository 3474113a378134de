import {
  InvokeEndpointCommand,
  InvokeEndpointWithResponseStreamCommand,
  SageMakerRuntimeClient,
  type InvokeEndpointWithResponseStreamCommandOutput,
} from "@aws-sdk/client-sagemaker-runtime";
import { readAnswer, serverSentEvents, type Answer } from "../../invoke/answer.ts";
import type { ModelClient } from "../../invoke/model-client.ts";
import { whenAwake } from "../../invoke/when-awake.ts";
import { requestBody, type RequestForm } from "../../invoke/question.ts";
import type { ClientSettings } from "../account-scope.ts";

/** A SageMaker endpoint, and in which form its container is asked. */
export interface EndpointModel {
  readonly endpointName: string;
  readonly form: RequestForm;
  readonly client: ClientSettings;
  /** The inference component that brings the model; its copies may have come down to none. @default the endpoint's own model */
  readonly componentName?: string | undefined;
  /** One of several variants. @default whichever the weights give */
  readonly variantName?: string | undefined;
  /** Told when the model has to wake up first, which is waited for. @default it is not waited for */
  readonly tell?: ((line: string) => void) | undefined;
}

async function* piecesOf({
  Body,
}: InvokeEndpointWithResponseStreamCommandOutput): AsyncGenerator<Uint8Array> {
  for await (const { PayloadPart, ModelStreamError, InternalStreamFailure } of Body ?? []) {
    const failure = ModelStreamError ?? InternalStreamFailure;
    if (failure !== undefined) throw new Error(failure.message);
    if (PayloadPart?.Bytes !== undefined) yield PayloadPart.Bytes;
  }
}

/** The model of a real-time SageMaker endpoint, through its runtime API. */
export function openEndpointModel({
  endpointName,
  form,
  client,
  componentName: InferenceComponentName,
  variantName: TargetVariant,
  tell,
}: EndpointModel): ModelClient {
  const sent = <T>(work: () => Promise<T>): Promise<T> =>
    tell === undefined ? work() : whenAwake(work, { tell });
  const runtime = new SageMakerRuntimeClient(client);
  const ContentType = "application/json";
  const target = { InferenceComponentName, TargetVariant };
  const asked = { EndpointName: endpointName, ...target, ContentType };
  return {
    ask: async (question) => {
      const Body = requestBody(question, form, false);
      const command = new InvokeEndpointCommand({ ...asked, Body });
      const answer = await sent(() => runtime.send(command));
      return readAnswer(new TextDecoder().decode(answer.Body));
    },
    stream: async function* (question): AsyncGenerator<Answer> {
      const Body = requestBody(question, form, true);
      const command = new InvokeEndpointWithResponseStreamCommand({ ...asked, Body });
      const answer = await sent(() => runtime.send(command));
      for await (const data of serverSentEvents(piecesOf(answer))) yield readAnswer(data);
    },
    close: () => {
      runtime.destroy();
    },
  };
}
