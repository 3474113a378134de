import type { Catalogue } from "../components/catalogue/catalogue.ts";
import { findModel } from "../components/catalogue/find-model.ts";
import { loadCatalogue } from "../components/catalogue/load.ts";
import {
  planExistingHost,
  type ExistingHostPlan,
} from "../components/existing-host/existing-host-plan.ts";
import { partName } from "../components/identity.ts";
import { storedAdapters } from "../components/model-server/adapters.ts";
import { loadPrecision } from "../components/model-server/load-precision.ts";
import type { Plan } from "../components/plan.ts";
import {
  componentEndings,
  endpointName,
} from "../components/sagemaker-endpoint/endpoint-limits.ts";
import { planEndpoint, type EndpointPlan } from "../components/sagemaker-endpoint/endpoint-plan.ts";
import { loadServingImages } from "../components/sagemaker-endpoint/load-serving-images.ts";
import { makePlan, type PlanRequest } from "../components/sizing/make-plan.ts";
import { UserError } from "../components/user-error.ts";
import { endpointWishes } from "./endpoint-wishes.ts";
import { checkHosts } from "./check-hosts.ts";
import { checkServing } from "./check-serving.ts";
import { checkThrough } from "./check-through.ts";
import {
  planRequest,
  type EndpointSettings,
  type ExistingHostSettings,
  type HostSettings,
  type Settings,
} from "./parse-settings.ts";

/** The plan that a stack's settings ask for, of the target that they name; a command line may ask otherwise. */
export function makeStackPlan(
  settings: EndpointSettings,
  catalogue?: Catalogue,
  request?: PlanRequest,
): EndpointPlan;
export function makeStackPlan(
  settings: ExistingHostSettings,
  catalogue?: Catalogue,
  request?: PlanRequest,
): ExistingHostPlan;
export function makeStackPlan(
  settings: Settings,
  catalogue?: Catalogue,
  request?: PlanRequest,
): Plan;
export function makeStackPlan(
  settings: Settings,
  catalogue = loadCatalogue(),
  request = planRequest(settings),
): Plan {
  checkServing(settings);
  checkThrough(settings);
  checkHosts(settings);
  if (settings.target === "ec2") {
    const plan = makePlan(request, catalogue);
    checkAdapters(settings, plan);
    return onHosts(loaded(plan, settings, catalogue), settings.hosts);
  }
  if (settings.target === "existing-host") {
    const { host, gpus } = settings;
    return loaded(planExistingHost({ ...request, host, gpus }, catalogue), settings, catalogue);
  }
  const asked = { ...request, ...endpointWishes(settings) };
  const plan = planEndpoint(asked, catalogue, loadServingImages());
  checkNames(settings.stack, plan);
  return plan;
}

/** @throws UserError for an adapter that has the model's own name: requests by it would get the model */
function checkAdapters({ adapters }: HostSettings, { modelId }: Plan): void {
  if (!storedAdapters(adapters).some(({ name }) => name === modelId)) return;
  throw new UserError(`An adapter cannot be served beside ${modelId} by the same name.`, {
    problems: [`berth:adapters: ${modelId} is the model itself`],
    hint: "Give it another name, before the = of its entry.",
  });
}

/** As long as the id that a deployment's first `up` makes. */
const anyRunId = "0".repeat(12);

/** @throws UserError for a stack or a component whose name leaves no room for those of what is made */
function checkNames(stack: string, { endpoint }: EndpointPlan): void {
  partName(stack, "endpoint");
  endpointName(stack, anyRunId, componentEndings(endpoint));
}

/** The plan on so many hosts, each with the whole model: what it costs, it costs as many times. */
function onHosts(plan: Plan, hosts: number): Plan {
  if (hosts === 1) return plan;
  const { hourlyUsd, leaseUsd, leaseMostUsd } = plan;
  const times = (usd: number | undefined) => (usd === undefined ? undefined : usd * hosts);
  return {
    ...plan,
    hosts,
    hourlyUsd: hourlyUsd * hosts,
    leaseUsd: times(leaseUsd),
    leaseMostUsd: times(leaseMostUsd),
  };
}

/** The plan with what its engine makes of the weights, so that what was computed with is what is loaded. */
function loaded<P extends Plan>(
  plan: P,
  { precision }: Pick<Settings, "precision">,
  catalogue: Catalogue,
): P {
  const { nativePrecision } = findModel(plan.modelId, catalogue);
  return { ...plan, quantise: loadPrecision(plan.engine, precision, nativePrecision) };
}
