import assert from "node:assert/strict";
import { declaredMonth } from "../../stacks/declared-month.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { goodConfig } from "../support/builders.ts";
import { valueOf } from "../support/mocks.ts";
import { deployment } from "./endpoint-deployment.ts";

const untaggable =
  /:(RolePolicy|Schedule|Target|Policy|BucketPublicAccessBlock|Bucket\w+Configuration|BucketPolicy)$/;

describe("deployEndpoint", () => {
  it("asks for no SSH, and tells the endpoint by a name that was chosen before it exists", async () => {
    const { result, named } = await deployment();
    const name = await valueOf(result.endpointName);
    assert.match(name, /^dev-[0-9a-f]{12}$/);
    const { inputs } = named("dev-teardown-terminator");
    assert.match(String(inputs["definition"]), new RegExp(`"EndpointName":"${name}"`));
  });

  it("arms what ends the endpoint before it, and the log group too", async () => {
    const { named, resources } = await deployment();
    const { dependencies } = named("dev-endpoint-endpoint");
    const waits = dependencies.map((urn) => urn.split("::").at(-1));
    for (const name of [
      "dev-teardown-at-deadline",
      "dev-teardown-terminator",
      "dev-endpoint-logs",
    ]) {
      assert.ok(waits.includes(name), `${name} among ${waits.join(", ")}`);
    }
    assert.ok(
      resources.every(({ type }) => !type.startsWith("aws:ec2")),
      "no host, no network",
    );
  });

  it("tags everything that can be tagged", async () => {
    const { resources } = await deployment();
    const taggable = resources.filter(
      ({ type }) => type.startsWith("aws:") && !untaggable.test(type),
    );
    assert.ok(taggable.length > 7);
    for (const { name, inputs } of taggable) {
      const tags = inputs["tags"] as Record<string, string> | undefined;
      assert.equal(tags?.["berth:stack"], "dev", name);
      assert.match(tags["berth:run-id"] ?? "", /^[0-9a-f]{12}$/, name);
      assert.equal(tags["Name"], name, name);
    }
  });

  it("gives a configuration no name of its own, and a model its data uncompressed", async () => {
    const { named } = await deployment();
    const config = named("dev-endpoint-config").inputs;
    assert.equal(config["name"], undefined);
    const [variant] = config["productionVariants"] as Record<string, unknown>[];
    assert.equal(variant?.["instanceType"], "ml.g6.xlarge");
    assert.equal(variant["volumeSizeInGb"], undefined, "refused on NVMe types");
    const container = named("dev-endpoint-model").inputs["primaryContainer"];
    assert.match(JSON.stringify(container), /"s3Uri":"s3:\/\/models\/qwen2\.5-7b\/"/);
    assert.match(JSON.stringify(container), /"compressionType":"None"/);
  });

  it("lets the containers read one prefix, pull one image, write one log group", async () => {
    const { named } = await deployment();
    const text = String(named("dev-endpoint-run").inputs["policy"]);
    const { Statement } = JSON.parse(text) as { Statement: { Sid: string; Resource: unknown }[] };
    const resources = Object.fromEntries(Statement.map(({ Sid, Resource }) => [Sid, Resource]));
    assert.equal(resources["ReadWeights"], "arn:aws:s3:::models/qwen2.5-7b/*");
    assert.equal(resources["PullImage"], "arn:aws:ecr:us-east-1:763104351884:repository/vllm");
    assert.match(
      JSON.stringify(resources["WriteLogs"]),
      /log-group:\/aws\/sagemaker\/Endpoints\/dev-[0-9a-f]{12}"/,
    );
    const trust = String(named("dev-endpoint-role").inputs["assumeRolePolicy"]);
    assert.match(trust, /"aws:SourceArn":"arn:aws:sagemaker:us-east-1:123456789012:\*"/);
  });

  it("lets them stand in a network of the account where there is one, and make no interface else", async () => {
    const policyOf = async (change: Readonly<Record<string, unknown>>) =>
      String((await deployment(change)).named("dev-endpoint-run").inputs["policy"]);
    const vpc = { "berth:subnetIds": "subnet-0a", "berth:securityGroupIds": "sg-0a" };
    assert.match(await policyOf(vpc), /"ec2:CreateNetworkInterfacePermission"/);
    assert.doesNotMatch(await policyOf({}), /"ec2:/);
  });

  it("gives an endpoint without instances one archive, and nothing that scales", async () => {
    const { named, resources } = await deployment({
      "berth:endpointMode": "serverless",
      "berth:model": "qwen2.5-1.5b",
      "berth:concurrency": 3,
    });
    const container = JSON.stringify(named("dev-endpoint-model").inputs["primaryContainer"]);
    assert.match(container, /"modelDataUrl":"s3:\/\/models\/qwen2\.5-1\.5b\/model\.tar\.gz"/);
    assert.deepEqual(named("dev-endpoint-config").inputs["productionVariants"], [
      {
        variantName: "AllTraffic",
        modelName: "dev-endpoint-model",
        initialVariantWeight: 1,
        serverlessConfig: { memorySizeInMb: 2048, maxConcurrency: 3 },
      },
    ]);
    assert.ok(resources.every(({ type }) => !type.startsWith("aws:appautoscaling")));
    const policy = String(named("dev-endpoint-run").inputs["policy"]);
    assert.match(policy, /arn:aws:s3:::models\/qwen2\.5-1\.5b\/model\.tar\.gz\*/);
  });

  it("gives a shadow a model and instances, and neither a proof nor an alarm of its own", async () => {
    const { named, resources, result } = await deployment({
      "berth:endpointMode": "realtime",
      "berth:updateBakeSeconds": 60,
      "berth:shadow": { share: 50, context: 8192 },
    });
    const { inputs } = named("dev-endpoint-config");
    const [variant] = inputs["shadowProductionVariants"] as Record<string, unknown>[];
    assert.equal(variant?.["variantName"], "shadow");
    assert.equal(variant["initialVariantWeight"], 0.5);
    assert.equal((inputs["productionVariants"] as unknown[]).length, 1);
    const names = resources.map(({ name }) => name);
    assert.ok(names.includes("dev-endpoint-shadow-model"));
    assert.ok(!names.includes("dev-endpoint-shadow-answer"));
    assert.ok(!names.some((name) => name.startsWith("dev-endpoint-shadow-errors")));
    assert.equal(result.served, undefined, "nobody can ask it");
    assert.ok(await valueOf(result.endpointName));
  });

  it("queues in dev, sleeps when nothing waits, and wakes by an alarm", async () => {
    const { named, childrenOf, result } = await deployment();
    assert.match(await valueOf(result.asyncUri!), /^s3:\/\/dev-endpoint-queue/);
    assert.equal(named("dev-endpoint-capacity").inputs["minCapacity"], 0);
    const alarm = named("dev-endpoint-waiting").inputs;
    assert.equal(alarm["metricName"], "HasBacklogWithoutCapacity");
    assert.equal((alarm["alarmActions"] as string[]).length, 1);
    assert.ok(childrenOf("dev-endpoint").length > 10);
  });

  it("keeps one instance in real-time mode, and scales only where it may", async () => {
    const fixed = await deployment({ "berth:endpointMode": "realtime" });
    assert.equal(fixed.result.asyncUri, undefined);
    assert.ok(fixed.resources.every(({ type }) => !type.startsWith("aws:appautoscaling")));
    const change = { "berth:endpointMode": "realtime", "berth:maxInstances": 3 };
    const { named } = await deployment(change);
    const { inputs } = named("dev-endpoint-load");
    assert.match(JSON.stringify(inputs), /ConcurrentRequestsPerModelHighResolution/);
  });

  it("watches an update with an alarm that is there before the endpoint, outside of dev", async () => {
    const { named, resources } = await deployment({
      "berth:env": "staging",
      "berth:minInstances": 2,
      "berth:rollbackAlarms": "slow-answers",
    });
    const alarm = named("dev-endpoint-errors");
    assert.equal(alarm.inputs["metricName"], "Invocation5XXErrors");
    const endpoint = named("dev-endpoint-endpoint");
    assert.ok(endpoint.dependencies.some((urn) => urn.endsWith("::dev-endpoint-errors")));
    const config = JSON.stringify(endpoint.inputs["deploymentConfig"]);
    assert.match(config, /rollingUpdatePolicy.*"waitIntervalInSeconds":300/);
    assert.match(config, /"alarmName":"slow-answers"/);
    const policy = String(named("dev-endpoint-run").inputs["policy"]);
    assert.match(policy, /alarm:dev-endpoint-errors-\*","[^"]*:alarm:slow-answers"/);
    const inDev = await deployment();
    assert.equal(inDev.named("dev-endpoint-endpoint").inputs["deploymentConfig"], undefined);
    assert.ok(resources.some(({ name }) => name === "dev-endpoint-errors"));
    assert.ok(inDev.resources.every(({ name }) => name !== "dev-endpoint-errors"));
  });

  it("arms what stops and starts an endpoint before it, with its tags, and not past its deadline", async () => {
    const { named } = await deployment({
      "berth:endpointMode": "realtime",
      "berth:endpointHours": "Mon-Fri 08:00-19:00 Europe/Berlin",
    });
    const start = named("dev-endpoint-hours-start-1").inputs;
    const ends = named("dev-teardown-at-deadline").inputs["scheduleExpression"];
    const stop = named("dev-endpoint-hours-stop-1").inputs;
    assert.equal(`at(${String(stop["endDate"]).replace(/Z$/, "")})`, ends);
    // The last start is tried for five minutes, and then no more before the deadline.
    const patience = Date.parse(String(stop["endDate"])) - Date.parse(String(start["endDate"]));
    assert.equal(patience, 300_000);
    assert.equal(start["scheduleExpressionTimezone"], "Europe/Berlin");
    const target = start["target"] as {
      arn: string;
      input: string;
      retryPolicy: { maximumEventAgeInSeconds: number };
    };
    assert.equal(target.retryPolicy.maximumEventAgeInSeconds, 300);
    assert.equal(target.arn, "arn:aws:scheduler:::aws-sdk:sagemaker:createEndpoint");
    const { Tags, EndpointName } = JSON.parse(target.input) as {
      Tags: { Key: string; Value: string }[];
      EndpointName: string;
    };
    const { inputs, dependencies } = named("dev-endpoint-endpoint");
    assert.equal(EndpointName, inputs["endpointName"]);
    assert.deepEqual(
      Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])),
      inputs["tags"],
    );
    assert.ok(dependencies.some((urn) => urn.endsWith("::dev-endpoint-hours-stop-1")));
    const policy = String(named("dev-endpoint-switch").inputs["policy"]);
    assert.match(policy, /"Sid":"Stop".*"aws:ResourceTag\/berth:protect":"false"/);
    assert.throws(
      () => deployment({ "berth:endpointHours": "Mon-Fri 08:00-19:00 UTC" }),
      (error: { problems?: readonly string[] }) =>
        error.problems?.some((each) => each.includes("loses its scaling")),
    );
  });

  it("counts the hours of a month in which an endpoint without an end is there", () => {
    const endpointHours = "Mon-Fri 08:00-18:00 UTC";
    assert.equal(declaredMonth(1, { leaseHours: undefined, endpointHours }).hours, 217.3);
    assert.equal(declaredMonth(1, { leaseHours: 4, endpointHours }).hours, 4);
  });

  it("has a configuration of several types made by its own provider, since AWS's has none", async () => {
    const { named } = await deployment({ "berth:fallbackTypes": 2 });
    const { type, inputs } = named("dev-endpoint-config");
    assert.equal(type, "berth:index:HostedConfiguration");
    assert.equal((inputs["instanceTypes"] as string[]).length, 3);
    assert.match(JSON.stringify(inputs["configuration"]), /"berth:run-id"/);
  });

  it("brings the model by a component where copies are to come down to none, ended before its endpoint", async () => {
    const components = { "berth:endpointMode": "components" };
    const { named, result } = await deployment(components);
    const config = named("dev-endpoint-config");
    assert.equal(config.type, "berth:index:HostedConfiguration");
    const { productionVariants, executionRoleArn } = config.inputs["configuration"] as {
      productionVariants: Record<string, unknown>[];
      executionRoleArn: string;
    };
    assert.ok(executionRoleArn);
    assert.equal(productionVariants[0]?.["modelName"], undefined);
    assert.match(JSON.stringify(productionVariants), /"maxInstanceCount":1,"minInstanceCount":0/);
    const name = await valueOf(result.endpointName);
    const component = named("dev-endpoint-component").inputs;
    assert.deepEqual(
      [component["componentName"], component["copies"], component["accelerators"]],
      [name, 1, 1],
    );
    const scaled = named("dev-endpoint-capacity").inputs;
    assert.equal(scaled["resourceId"], `inference-component/${name}`);
    assert.equal(scaled["minCapacity"], 0);
    const alarm = named("dev-endpoint-waiting").inputs;
    assert.equal(alarm["metricName"], "NoCapacityInvocationFailures");
    const machine = String(named("dev-teardown-terminator").inputs["definition"]);
    assert.match(machine, new RegExp(`"InferenceComponentName":"${name}"`));
    const policy = String(named("dev-endpoint-run").inputs["policy"]);
    assert.match(policy, /log-group:\/aws\/sagemaker\/InferenceComponents\/dev-/);
    assert.throws(
      () => deployment({ ...components, "berth:captureDataPercent": 20, "berth:fallbackTypes": 1 }),
      (error: { problems?: readonly string[] }) => error.problems?.length === 2,
    );
  });

  it("moves traffic among variants by the endpoint alone, each with a model, an alarm and a proof", async () => {
    const variants = [{ name: "llama", share: 20, model: "qwen2.5-3b", maxInstances: 2 }];
    const { named, result } = await deployment({
      "berth:env": "staging",
      "berth:variants": JSON.stringify(variants),
    });
    const { type, inputs } = named("dev-endpoint-config");
    assert.equal(type, "berth:index:HostedConfiguration");
    assert.deepEqual(inputs["initialWeights"], [80, 20]);
    const { productionVariants } = inputs["configuration"] as {
      productionVariants: Record<string, unknown>[];
    };
    const weights = productionVariants.map((each) => each["initialVariantWeight"]);
    assert.deepEqual(weights, [1, 1], "another share is no other configuration");
    assert.deepEqual(named("dev-endpoint-endpoint").inputs["weights"], {
      AllTraffic: 80,
      llama: 20,
    });
    const alarm = named("dev-endpoint-llama-errors").inputs["dimensions"];
    assert.match(JSON.stringify(alarm), /"VariantName":"llama"/);
    assert.equal(named("dev-endpoint-llama-answer").inputs["variantName"], "llama");
    assert.match(
      String(named("dev-endpoint-llama-capacity").inputs["resourceId"]),
      /^endpoint\/dev-[0-9a-f]{12}\/variant\/llama$/,
    );
    const policy = String(named("dev-endpoint-run").inputs["policy"]);
    assert.match(
      policy,
      /"arn:aws:s3:::models\/qwen2\.5-7b\/\*","arn:aws:s3:::models\/qwen2\.5-3b/,
    );
    assert.match(policy, /alarm:dev-endpoint-llama-errors-\*/);
    assert.deepEqual(
      result.served?.map(({ modelId, variant }) => [modelId, variant]),
      [
        ["qwen2.5-7b", "AllTraffic"],
        ["qwen2.5-3b", "llama"],
      ],
    );
  });

  it("ends every component of an endpoint before it, and lets none read more than their weights", async () => {
    const { named, result } = await deployment({
      "berth:endpointMode": "components",
      "berth:components": [{ name: "small", model: "qwen2.5-3b", weightsPrefix: "else/where" }],
    });
    const name = await valueOf(result.endpointName);
    const component = named("dev-endpoint-small-component").inputs;
    assert.equal(component["componentName"], `${name}-small`);
    assert.equal(component["variantName"], "AllTraffic");
    const machine = String(named("dev-teardown-terminator").inputs["definition"]);
    assert.match(machine, new RegExp(`"EndComponent2":.*"InferenceComponentName":"${name}-small"`));
    const deletes = String(named("dev-teardown-terminate").inputs["policy"]);
    assert.match(deletes, new RegExp(`inference-component/${name}-small"`));
    const scaled = named("dev-endpoint-small-capacity").inputs;
    assert.equal(scaled["resourceId"], `inference-component/${name}-small`);
    const policy = String(named("dev-endpoint-run").inputs["policy"]);
    assert.match(policy, /"arn:aws:s3:::models\/else\/where\/\*"/);
    assert.match(policy, new RegExp(`InferenceComponents/${name}-small"`));
    const group = await valueOf(result.served![1]!.component!);
    assert.equal(group, `${name}-small`);
  });

  it("has a notebook beside it that is ended with it, is nobody's root, and asks one endpoint", async () => {
    const { named, result } = await deployment({
      "berth:endpointMode": "realtime",
      "berth:notebookType": "ml.t3.medium",
    });
    const name = await valueOf(result.endpointName);
    const { inputs, dependencies } = named("dev-notebook-instance");
    assert.equal(inputs["name"], name);
    assert.deepEqual(
      [inputs["rootAccess"], inputs["directInternetAccess"], inputs["platformIdentifier"]],
      ["Disabled", "Enabled", "notebook-al2023-v1"],
    );
    assert.equal((inputs["tags"] as Record<string, string>)["berth:hourly-usd"], "0.0500");
    assert.ok(dependencies.some((urn) => urn.endsWith("::dev-teardown-at-deadline")));
    const machine = String(named("dev-teardown-terminator").inputs["definition"]);
    assert.match(machine, new RegExp(`"StartAt":"StopNotebook".*"NotebookInstanceName":"${name}"`));
    assert.match(
      String(named("dev-teardown-terminate").inputs["policy"]),
      new RegExp(`notebook-instance/${name}"`),
    );
    const onStart = String(named("dev-notebook-lifecycle").inputs["onStart"]);
    assert.match(Buffer.from(onStart, "base64").toString(), new RegExp(`ENDPOINT = .*${name}`));
    const inVpc = await deployment({
      "berth:endpointMode": "realtime",
      "berth:notebookType": "ml.t3.medium",
      "berth:subnetIds": "subnet-0a",
      "berth:securityGroupIds": "sg-0a",
    });
    const closed = inVpc.named("dev-notebook-instance").inputs;
    assert.deepEqual(
      [closed["directInternetAccess"], closed["subnetId"]],
      ["Disabled", "subnet-0a"],
    );
    assert.throws(
      () => deployment({ "berth:notebookType": "ml.t3.medium" }),
      (error: { problems?: readonly string[] }) =>
        error.problems?.some((each) => each.startsWith("notebookType: ")),
    );
  });

  it("captures a share of the requests in a bucket of its own, and writes nothing else there", async () => {
    const { named, result } = await deployment({
      "berth:endpointMode": "realtime",
      "berth:captureDataPercent": 20,
    });
    assert.match(
      await valueOf(result.capturesUri!),
      /^s3:\/\/dev-endpoint-captures.*\/captures\/$/,
    );
    const capture = named("dev-endpoint-config").inputs["dataCaptureConfig"];
    assert.match(JSON.stringify(capture), /"initialSamplingPercentage":20/);
    assert.match(String(named("dev-endpoint-run").inputs["policy"]), /"WriteCaptures"/);
    assert.throws(
      () => deployment({ "berth:captureDataPercent": 20 }),
      (error: { problems?: readonly string[] }) =>
        error.problems?.some((each) => each.includes("keeps every request and answer in S3")),
    );
  });

  it("knows no settings of a host, and a host none of an endpoint", () => {
    const refused = (change: object) => () =>
      parseSettings({ stack: "dev", config: { ...goodConfig, ...change } });
    const problems = (text: RegExp) => (error: { problems?: readonly string[] }) =>
      text.test((error.problems ?? []).join("\n"));
    assert.throws(
      refused({ "berth:target": "sagemaker", "berth:imageId": "ami-0123" }),
      problems(/berth:imageId: there is no such setting/),
    );
    assert.throws(
      refused({ "berth:target": "sagemaker", "berth:weightsBucket": undefined }),
      problems(/berth:weightsBucket: must be text/),
    );
    assert.throws(refused({ "berth:maxInstances": 2 }), problems(/berth:maxInstances/));
    assert.throws(refused({ "berth:target": "lambda" }), problems(/must be "ec2", "sagemaker" or/));
  });
});
