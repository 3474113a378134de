"""SageMaker endpoints that take their time: moto keeps what they are, the proxy says how far they have come."""

import json
from datetime import UTC, datetime
from typing import Any

from moto.applicationautoscaling import applicationautoscaling_backends
from moto.cloudwatch import cloudwatch_backends
from moto.core.utils import unix_time_millis, utcnow
from moto.logs import logs_backends
from moto.sagemaker import models, sagemaker_backends
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.responses import SageMakerResponse
from shadow_variants import shadows_of

ACCOUNT = "123456789012"
BUSY = ("Creating", "Updating", "RollingBack", "Deleting", "SystemUpdating")


def refuse_taken(kind: str, known: dict[str, Any], name: str, shown: str) -> None:
    if name in known:
        raise ValidationError(message=f'Cannot create already existing {kind} "{shown}".')


def start_creating() -> None:
    """An endpoint begins as Creating, goes by Deleting, and is not replaced by another of its name."""
    create, create_model = models.SageMakerModelBackend.create_endpoint, models.SageMakerModelBackend.create_model
    create_config = models.SageMakerModelBackend.create_endpoint_config

    def created(self: Any, endpoint_name: str, *arguments: Any, **named: Any) -> Any:
        arn = models.FakeEndpoint.arn_formatter(endpoint_name, self.account_id, self.region_name)
        refuse_taken("endpoint", self.endpoints, endpoint_name, arn)
        endpoint = create(self, endpoint_name, *arguments, **named)
        endpoint.endpoint_status = "Creating"
        return endpoint

    def model(self: Any, model_name: str, *arguments: Any, **named: Any) -> Any:
        refuse_taken("model", self._models, model_name, model_name)
        return create_model(self, model_name, *arguments, **named)

    def config(self: Any, endpoint_config_name: str, *arguments: Any, **named: Any) -> Any:
        refuse_taken("endpoint configuration", self.endpoint_configs, endpoint_config_name, endpoint_config_name)
        return create_config(self, endpoint_config_name, *arguments, **named)

    def deleted(self: Any, endpoint_name: str) -> None:
        endpoint = self.endpoints.get(endpoint_name)
        if endpoint is None:
            arn = models.FakeEndpoint.arn_formatter(endpoint_name, self.account_id, self.region_name)
            raise ValidationError(message=f'Could not find endpoint "{arn}".')
        if endpoint.endpoint_status == "SystemUpdating":
            raise ValidationError(message=f'Cannot delete endpoint "{endpoint.arn}" while it is being maintained.')
        endpoint.endpoint_status = "Deleting"

    models.SageMakerModelBackend.create_endpoint = created
    models.SageMakerModelBackend.create_model = model
    models.SageMakerModelBackend.create_endpoint_config = config
    models.SageMakerModelBackend.delete_endpoint = deleted


def update_endpoint(self: Any) -> str:
    given = json.loads(self.body)
    backend = self.sagemaker_backend
    endpoint = backend.endpoints.get(given["EndpointName"])
    if endpoint is None:
        raise ValidationError(message=f"Could not find endpoint \"{given['EndpointName']}\".")
    if endpoint.endpoint_status in BUSY:
        raise ValidationError(message=f'Cannot update in-progress endpoint "{endpoint.arn}".')
    if endpoint.endpoint_status == "Failed":
        raise ValidationError(message=f'Cannot update failed endpoint "{endpoint.arn}".')
    config = given["EndpointConfigName"]
    if config not in backend.endpoint_configs:
        raise ValidationError(message=f'Could not find endpoint configuration "{config}".')
    endpoint.endpoint_status = "Updating"
    endpoint.failure_reason = None
    endpoint.berth_wanted = (config, given.get("DeploymentConfig"))
    endpoint.last_deployment_config = given.get("DeploymentConfig")
    return json.dumps({"EndpointArn": endpoint.arn})


def keep_weights() -> None:
    """Traffic that moves takes its moment: the endpoint is Updating, and takes no other change meanwhile."""
    original = models.SageMakerModelBackend.update_endpoint_weights_and_capacities

    def update(self: Any, endpoint_name: str, desired_weights_and_capacities: list[dict[str, Any]]) -> str:
        endpoint = self.endpoints.get(endpoint_name)
        if endpoint is not None and endpoint.endpoint_status in BUSY:
            raise ValidationError(message=f'Cannot update in-progress endpoint "{endpoint.arn}".')
        before = {each["VariantName"]: dict(each) for each in endpoint.production_variants} if endpoint else {}
        answer = original(self, endpoint_name, desired_weights_and_capacities)
        # moto forgets whichever of weight and count is not given.
        for variant in endpoint.production_variants:
            kept = before[variant["VariantName"]].items()
            variant.update({key: value for key, value in kept if variant.get(key) is None})
        endpoint.endpoint_status = "Updating"
        endpoint.berth_weights = {each["VariantName"]: each["CurrentWeight"] for each in endpoint.production_variants}
        return answer

    models.SageMakerModelBackend.update_endpoint_weights_and_capacities = update


def keep_deployment_config() -> None:
    """moto drops the DeploymentConfig of CreateEndpoint, which DescribeEndpoint tells again."""
    original = SageMakerResponse.create_endpoint

    def create(self: Any) -> Any:
        answer = original(self)
        given = json.loads(self.body)
        endpoint = self.sagemaker_backend.endpoints[given["EndpointName"]]
        endpoint.last_deployment_config = given.get("DeploymentConfig")
        return answer

    SageMakerResponse.create_endpoint = create


def container_of(backend: Any, variant: dict[str, Any]) -> dict[str, Any]:
    model = backend._models.get(variant.get("ModelName"))
    if model is None:
        return {}
    return {**(model.primary_container or {}), "role": model.execution_role_arn}


def shape(region: str, endpoint: Any) -> dict[str, Any]:
    backend = sagemaker_backends[ACCOUNT][region]
    wanted, deployment = getattr(endpoint, "berth_wanted", (endpoint.endpoint_config_name, None))
    config = backend.endpoint_configs.get(wanted)
    variants = config.production_variants if config is not None else []
    return {
        "region": region,
        "name": endpoint.endpoint_name,
        "status": endpoint.endpoint_status,
        "config": wanted,
        "variants": [{**each, "container": container_of(backend, each)} for each in variants],
        "shadows": [{**each, "container": container_of(backend, each)} for each in shadows_of(config)],
        "async": getattr(config, "async_inference_config", None),
        "capture": getattr(config, "data_capture_config", None),
        "deployment": deployment,
        "reweighed": getattr(endpoint, "berth_weights", None),
    }


def every() -> list[dict[str, Any]]:
    return [
        shape(region, endpoint)
        for region, backend in sagemaker_backends[ACCOUNT].items()
        for endpoint in backend.endpoints.values()
    ]


def settle(body: dict[str, Any]) -> tuple[str, Any]:
    """Tells moto how far an endpoint has come: its state, why it failed, and the configuration that it runs."""
    backend = sagemaker_backends[ACCOUNT][body["region"]]
    endpoint = backend.endpoints.get(body["name"])
    if endpoint is None or (endpoint.endpoint_status == "Deleting" and not body.get("gone")):
        return "200 OK", {"taken": False}
    if body.get("gone"):
        del backend.endpoints[body["name"]]
        return "200 OK", {"taken": True}
    endpoint.endpoint_status = body["status"]
    endpoint.failure_reason = body.get("failureReason")
    if body.get("config"):
        endpoint.endpoint_config_name = body["config"]
        config = backend.endpoint_configs.get(body["config"])
        if config is not None:
            endpoint.production_variants = endpoint._process_production_variants(config.production_variants)
    alone = len(endpoint.production_variants) == 1
    for variant in endpoint.production_variants:
        # A weight of 0 moto takes for none.
        variant.setdefault("CurrentWeight", 0)
        variant.setdefault("DesiredWeight", 0)
        if body.get("instances") is not None and alone:
            variant["CurrentInstanceCount"] = body["instances"]
            variant["DesiredInstanceCount"] = body["instances"]
        if body.get("instanceType"):
            variant["InstancePools"] = [
                {"InstanceType": body["instanceType"], "CurrentInstanceCount": body.get("instances", 1)}
            ]
    if body["status"] in ("InService", "Failed"):
        endpoint.berth_wanted = (endpoint.endpoint_config_name, None)
        endpoint.berth_weights = None
    endpoint.last_modified_time = utcnow()
    return "200 OK", {"taken": True}


def scaling(body: dict[str, Any]) -> dict[str, Any]:
    """Between how many an endpoint or a component scales, and whether an alarm wakes it when something waits and none runs."""
    region, component = body["region"], body.get("component")
    scaler = applicationautoscaling_backends[ACCOUNT][region]
    name = component or body["name"]
    resource = f"inference-component/{name}" if component else f"endpoint/{name}/variant/"
    metric = "NoCapacityInvocationFailures" if component else "HasBacklogWithoutCapacity"
    dimension = "InferenceComponentName" if component else "EndpointName"
    target = next((each for each in scaler._flatten_scalable_targets("sagemaker") if each.resource_id.startswith(resource)), None)
    if target is None:
        return {"scales": False}
    policies = [each for each in scaler.policies.values() if each.resource_id == target.resource_id]
    waking = {each.policy_arn for each in policies if each.policy_type == "StepScaling"}
    tracking = next((each.target_tracking_scaling_policy_configuration for each in policies if each.policy_type == "TargetTrackingScaling"), None)
    wakes = any(
        alarm.metric_name == metric
        and waking.intersection(alarm.alarm_actions or [])
        and any(each.name == dimension and each.value == name for each in alarm.dimensions)
        for alarm in cloudwatch_backends[ACCOUNT][region].alarms.values()
    )
    return {
        "scales": True,
        "least": target.min_capacity,
        "wakes": wakes,
        "quietSeconds": (tracking or {}).get("ScaleInCooldown", 300) if tracking else None,
    }


def alarms(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The alarms of those names, in the terms of one metric of an endpoint."""
    known = cloudwatch_backends[ACCOUNT][body["region"]].alarms
    return [
        {
            "name": each.name,
            "state": each.state_value,
            "metric": each.metric_name if each.namespace == "AWS/SageMaker" else None,
            "endpoint": next((one.value for one in each.dimensions if one.name == "EndpointName"), None),
            "variant": next((one.value for one in each.dimensions if one.name == "VariantName"), None),
            "statistic": each.statistic,
            "periodSeconds": int(each.period) if each.period else None,
            "datapoints": int(each.datapoints_to_alarm or each.evaluation_periods or 1),
            "threshold": float(each.threshold) if each.threshold is not None else None,
            "operator": each.comparison_operator,
        }
        for each in (known[name] for name in body["names"] if name in known)
    ]


def raise_alarm(body: dict[str, Any]) -> dict[str, Any]:
    backend = cloudwatch_backends[ACCOUNT][body["region"]]
    backend.set_alarm_state(body["name"], "Threshold Crossed: by what the containers answered", None, "ALARM")
    return {}


def write_log(body: dict[str, Any]) -> tuple[str, Any]:
    backend = logs_backends[ACCOUNT][body["region"]]
    group, stream = body["group"], body["stream"]
    if group not in backend.groups:
        backend.create_log_group(group, {})
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    now = int(unix_time_millis())
    events = [{"timestamp": now, "message": line} for line in body["lines"]]
    backend.put_log_events(group, stream, events)
    return "200 OK", {}


def report(body: dict[str, Any]) -> tuple[str, Any]:
    """What SageMaker reports of an endpoint to CloudWatch, at the cloud's time."""
    at = datetime.fromtimestamp(body["at"] / 1000, UTC).replace(tzinfo=None)
    dimensions = [{"Name": "EndpointName", "Value": body["name"]}]
    cloudwatch_backends[ACCOUNT][body["region"]].put_metric_data(
        "AWS/SageMaker",
        [
            {"MetricName": metric, "Value": value, "Timestamp": at, "Dimensions": dimensions}
            for metric, value in body["metrics"].items()
        ],
    )
    return "200 OK", {}


def tell_pending() -> None:
    """The configuration that an endpoint moves to, which moto knows nothing of."""
    describe = models.SageMakerModelBackend.describe_endpoint

    def described(self: Any, endpoint_name: str) -> dict[str, Any]:
        found = describe(self, endpoint_name)
        endpoint = self.endpoints[endpoint_name]
        wanted, _ = getattr(endpoint, "berth_wanted", (endpoint.endpoint_config_name, None))
        if endpoint.endpoint_status != "Updating" or wanted == endpoint.endpoint_config_name:
            return found
        return {**found, "PendingDeploymentSummary": {"EndpointConfigName": wanted}}

    models.SageMakerModelBackend.describe_endpoint = described


def answer(path: str, body: dict[str, Any]) -> tuple[str, Any] | None:
    if path == "endpoints":
        return "200 OK", every()
    if path == "scaling":
        return "200 OK", scaling(body)
    if path == "alarms":
        return "200 OK", alarms(body)
    if path == "alarm":
        return "200 OK", raise_alarm(body)
    if path == "variants":
        config = sagemaker_backends[ACCOUNT][body["region"]].endpoint_configs.get(body["config"])
        return "200 OK", config.production_variants if config is not None else []
    if path == "container":
        backend = sagemaker_backends[ACCOUNT][body["region"]]
        return "200 OK", container_of(backend, {"ModelName": body["model"]})
    if path == "endpoint":
        return settle(body)
    if path == "log":
        return write_log(body)
    if path == "report":
        return report(body)
    return None


def apply() -> None:
    start_creating()
    keep_weights()
    keep_deployment_config()
    tell_pending()
    SageMakerResponse.update_endpoint = update_endpoint
