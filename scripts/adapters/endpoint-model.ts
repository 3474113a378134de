import {
  InvokeEndpointCommand,
  InvokeEndpointWithResponseStreamCommand,
  SageMakerRuntimeClient,
  type InvokeEndpointWithResponseStreamCommandOutput,
} from "@aws-sdk/client-sagemaker-runtime";
import { readAnswer, serverSentEvents, type Answer } from "../invoke/answer.ts";
import type { ModelClient } from "../invoke/model-client.ts";
import { requestBody, type RequestForm } from "../invoke/question.ts";
import type { ClientSettings } from "./account-scope.ts";

/** A SageMaker endpoint, and in which form its container is asked. */
export interface EndpointModel {
  readonly endpointName: string;
  readonly form: RequestForm;
  readonly client: ClientSettings;
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
export function openEndpointModel({ endpointName, form, client }: EndpointModel): ModelClient {
  const runtime = new SageMakerRuntimeClient(client);
  const ContentType = "application/json";
  const asked = { EndpointName: endpointName, ContentType };
  return {
    ask: async (question) => {
      const Body = requestBody(question, form, false);
      const answer = await runtime.send(new InvokeEndpointCommand({ ...asked, Body }));
      return readAnswer(new TextDecoder().decode(answer.Body));
    },
    stream: async function* (question): AsyncGenerator<Answer> {
      const Body = requestBody(question, form, true);
      const answer = await runtime.send(
        new InvokeEndpointWithResponseStreamCommand({ ...asked, Body }),
      );
      for await (const data of serverSentEvents(piecesOf(answer))) yield readAnswer(data);
    },
    close: () => {
      runtime.destroy();
    },
  };
}
