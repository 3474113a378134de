import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  InvokeEndpointAsyncCommand,
  SageMakerRuntimeClient,
} from "@aws-sdk/client-sagemaker-runtime";
import { UserError } from "../../../components/user-error.ts";
import { readAnswer, type Answer } from "../../invoke/answer.ts";
import type { ModelClient } from "../../invoke/model-client.ts";
import { requestBody, type Question } from "../../invoke/question.ts";
import type { EndpointModel } from "./endpoint-model.ts";

/** An asynchronous endpoint, and where its requests and answers lie. */
export interface AsyncModel extends EndpointModel {
  /** `s3://<bucket>/`. */
  readonly asyncUri: string;
}

/** A first instance takes minutes to start; a request may wait an hour for it. */
const patienceMs = 3_600_000;
const firstPauseMs = 250;
const longestPauseMs = 5000;

function place(uri: string): { Bucket: string; Key: string } {
  const [, Bucket = "", Key = ""] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? [];
  return { Bucket, Key };
}

async function textAt(s3: S3Client, uri: string | undefined): Promise<string | undefined> {
  if (uri === undefined) return undefined;
  try {
    const { Body } = await s3.send(new GetObjectCommand(place(uri)));
    return await Body?.transformToString();
  } catch (error) {
    // Without the right to list a bucket, what is not there is refused rather than missing.
    if (error instanceof Error && /^(NoSuchKey|AccessDenied|Forbidden)$/.test(error.name)) {
      return undefined;
    }
    throw error;
  }
}

async function waitFor(
  s3: S3Client,
  output: string | undefined,
  failure: string | undefined,
): Promise<string> {
  const end = Date.now() + patienceMs;
  let pauseMs = firstPauseMs;
  for (;;) {
    const answer = await textAt(s3, output);
    if (answer !== undefined) return answer;
    const refusal = await textAt(s3, failure);
    if (refusal !== undefined) throw new UserError(`The model refused the request: ${refusal}`);
    if (Date.now() > end) {
      throw new UserError(`There is no answer at ${output ?? "?"} after an hour.`, {
        hint: "berth status says whether an instance runs.",
      });
    }
    await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, longestPauseMs);
  }
}

/** The model of an asynchronous endpoint: the request is put into S3, and the answer waited for there. */
export function openAsyncModel({ endpointName, form, client, asyncUri }: AsyncModel): ModelClient {
  const runtime = new SageMakerRuntimeClient(client);
  const s3 = new S3Client({ ...client, forcePathStyle: client.endpoint !== undefined });
  const ask = async (question: Question): Promise<Answer> => {
    const input = `${asyncUri}requests/${randomUUID()}.json`;
    const ContentType = "application/json";
    const Body = requestBody(question, form, false);
    await s3.send(new PutObjectCommand({ ...place(input), Body, ContentType }));
    const taken = await runtime.send(
      new InvokeEndpointAsyncCommand({
        EndpointName: endpointName,
        InputLocation: input,
        ContentType,
      }),
    );
    return readAnswer(await waitFor(s3, taken.OutputLocation, taken.FailureLocation));
  };
  return {
    ask,
    // It comes whole, whenever it comes.
    stream: async function* (question): AsyncGenerator<Answer> {
      yield await ask(question);
    },
    close: () => {
      runtime.destroy();
      s3.destroy();
    },
  };
}
