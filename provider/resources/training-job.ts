import { z } from "zod";
import {
  runSeconds,
  trainingRequest,
} from "../../components/sagemaker-training/training-request.ts";
import { UserError } from "../../components/user-error.ts";
import { TrainingControl } from "../adapters/training-control.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";

const uri = z.string().regex(/^s3:\/\/[^/]+\/(.*\/)?$/, "must be s3://bucket/prefix/");

const inputs = z.object({
  region: z.string().min(1),
  jobName: z.string().regex(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/),
  roleArn: z.string().min(1),
  image: z.string().min(1),
  instanceType: z.string().startsWith("ml."),
  instances: z.number().int().min(1),
  volumeGiB: z.number().int().min(1),
  spot: z.boolean(),
  keepWarmMinutes: z.number().min(0).max(60),
  sourceUri: uri,
  checkpointsUri: uri,
  baseUri: uri.optional(),
  sharedStorage: z.string().optional(),
  baseModel: z.string(),
  syncMinutes: z.number(),
  expiresAt: z.string().min(1),
  subnetIds: z.array(z.string()).optional(),
  securityGroupIds: z.array(z.string()).optional(),
  kmsKeyArn: z.string().optional(),
  volumeKmsKeyArn: z.string().optional(),
  tags: z.record(z.string(), z.string()),
});
type Inputs = z.infer<typeof inputs>;

function withControl<T>(
  { region }: Inputs,
  operation: Operation,
  work: (control: TrainingControl) => Promise<T>,
): Promise<T> {
  const log = (message: string) => {
    operation.log(message);
  };
  const control = new TrainingControl({ region, signal: operation.signal, log });
  return work(control).finally(() => {
    control.close();
  });
}

async function create(values: Properties, operation: Operation) {
  const asked = inputs.parse(values);
  const seconds = runSeconds(asked, new Date());
  if (seconds === undefined) {
    throw new UserError(`The lease of ${asked.jobName} ends too soon to train anything.`, {
      hint: "Start it with more --hours.",
    });
  }
  const request = trainingRequest(asked, seconds);
  const arn = await withControl(asked, operation, (control) => control.create(request, asked.tags));
  return { id: asked.jobName, outputs: { ...values, arn } };
}

/** What becomes of a job is not of its state: it ends by itself. */
async function look(id: string, state: Properties, operation: Operation) {
  const asked = inputs.parse(state);
  const found = await withControl(asked, operation, (control) => control.find(id));
  return found === undefined ? undefined : { ...state, arn: found.TrainingJobArn ?? "" };
}

/** `berth:index:TrainingJob`: a SageMaker training job, from its start until it has ended. */
export const trainingJob: ResourceType = {
  inputs,
  replaceOn: Object.keys(inputs.shape).filter((name) => name !== "tags"),
  computed: ["arn"],
  create,
  read: look,
  update: (_id, olds, news) => Promise.resolve({ ...olds, ...news }),
  delete: (id, state, operation) =>
    withControl(inputs.parse(state), operation, (control) => control.stop(id)),
};
