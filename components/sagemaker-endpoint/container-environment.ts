import { vllmQuantisation } from "../model-server/load-precision.ts";
import type { Plan } from "../plan.ts";
import { variantLimits } from "./endpoint-limits.ts";
import type { ContainerServer } from "./serving-container.ts";

/** Where SageMaker puts the files of a model (https://docs.aws.amazon.com/sagemaker/latest/dg/large-model-inference-uncompressed.html). */
const modelFolder = "/opt/ml/model";

/** What a container computes on. */
export type Device = "gpu" | "cpu";

/** What of a plan its container is told. */
export type Served = Pick<
  Plan,
  "engine" | "modelId" | "contextTokens" | "concurrency" | "ladder" | "quantise"
>;

/**
 * Environment of AWS's vLLM image: `SM_VLLM_X_Y` becomes `--x-y`
 * (https://aws.github.io/deep-learning-containers/vllm/deployment/sagemaker/).
 */
function vllmEnvironment(plan: Served): Record<string, string> {
  const quantisation = vllmQuantisation[plan.quantise ?? "none"];
  return {
    SM_VLLM_MODEL: modelFolder,
    SM_VLLM_SERVED_MODEL_NAME: plan.modelId,
    SM_VLLM_MAX_MODEL_LEN: String(plan.contextTokens),
    SM_VLLM_MAX_NUM_SEQS: String(plan.concurrency),
    SM_VLLM_TENSOR_PARALLEL_SIZE: String(plan.ladder[0].tensorParallel),
    ...(quantisation === undefined ? {} : { SM_VLLM_QUANTIZATION: quantisation }),
  };
}

/**
 * Environment of AWS's LMI image, in its asynchronous mode, which takes what vLLM's own server takes
 * (https://docs.djl.ai/docs/serving/serving/docs/lmi/user_guides/vllm_user_guide.html).
 */
function lmiEnvironment(plan: Served): Record<string, string> {
  const quantisation = vllmQuantisation[plan.quantise ?? "none"];
  return {
    HF_MODEL_ID: modelFolder,
    SERVING_FAIL_FAST: "true",
    OPTION_ASYNC_MODE: "true",
    OPTION_ROLLING_BATCH: "disable",
    OPTION_ENTRYPOINT: "djl_python.lmi_vllm.vllm_async_service",
    // Its own is 240 s; SageMaker's health check is what ends a start that takes too long.
    OPTION_MODEL_LOADING_TIMEOUT: String(variantLimits.mostSeconds),
    OPTION_MAX_MODEL_LEN: String(plan.contextTokens),
    OPTION_MAX_ROLLING_BATCH_SIZE: String(plan.concurrency),
    OPTION_TENSOR_PARALLEL_DEGREE: String(plan.ladder[0].tensorParallel),
    ...(quantisation === undefined ? {} : { OPTION_QUANTIZE: quantisation }),
  };
}

/** Environment of AWS's llama.cpp image: its context is shared by all sequences. */
function llamaEnvironment(plan: Served, device: Device): Record<string, string> {
  return {
    SM_LLAMA_CPP_ALIAS: plan.modelId,
    SM_LLAMA_CPP_CTX_SIZE: String(plan.contextTokens * plan.concurrency),
    SM_LLAMA_CPP_PARALLEL: String(plan.concurrency),
    ...(device === "gpu" ? { SM_LLAMA_CPP_N_GPU_LAYERS: "999" } : {}),
  };
}

/** What the containers of each server are told, from the plan. */
export const containerEnvironments: Readonly<
  Record<ContainerServer, (plan: Served, device: Device) => Record<string, string>>
> = {
  vllm: vllmEnvironment,
  lmi: lmiEnvironment,
  "llama.cpp": llamaEnvironment,
};
