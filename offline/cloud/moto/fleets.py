"""CreateFleet of type `instant`: the overrides in their order, one RunInstances each, errors kept."""

from types import SimpleNamespace
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.ec2.models import fleets as fleet_models
from moto.ec2.responses import fleets as fleet_responses

# What a fleet gives up on at once, since no other override can change it.
FATAL = {"UnauthorizedOperation", "InvalidLaunchTemplateId.NotFound", "RequestLimitExceeded"}


def client(region: str, proxy_port: str) -> Any:
    ec2 = boto3.client(
        "ec2",
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{proxy_port}",
        aws_access_key_id="fleet",
        aws_secret_access_key="fleet",
        config=Config(retries={"total_max_attempts": 1}),
    )

    def mark(request: Any, **_: Any) -> None:
        request.headers["x-berth-fleet"] = "1"

    ec2.meta.events.register("before-sign.ec2.RunInstances", mark)
    return ec2


def candidates(configs: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    pairs = [
        (config["LaunchTemplateSpecification"], override)
        for config in configs
        for override in (config.get("Overrides") or [{}])
    ]
    # Priority 0 is the highest; without priorities the order of the request holds.
    return sorted(pairs, key=lambda pair: float(pair[1].get("Priority") or 0))


def request_of(
    template: dict[str, Any], override: dict[str, Any], lifecycle: str, tags: list[Any]
) -> dict[str, Any]:
    specification = {
        key: template[key]
        for key in ("LaunchTemplateId", "LaunchTemplateName", "Version")
        if template.get(key)
    }
    request: dict[str, Any] = {"MinCount": 1, "MaxCount": 1, "LaunchTemplate": specification}
    for key in ("InstanceType", "SubnetId", "ImageId"):
        if override.get(key):
            request[key] = override[key]
    zone = override.get("AvailabilityZone") or (override.get("Placement") or {}).get("AvailabilityZone")
    if zone:
        request["Placement"] = {"AvailabilityZone": zone}
    if lifecycle == "spot":
        limit = {"SpotOptions": {"MaxPrice": override["MaxPrice"]}} if override.get("MaxPrice") else {}
        request["InstanceMarketOptions"] = {"MarketType": "spot", **limit}
    instance_tags = [spec for spec in tags if spec.get("ResourceType") != "fleet"]
    if instance_tags:
        request["TagSpecifications"] = instance_tags
    return request


def template_tags(template: dict[str, Any], instance: Any) -> dict[str, str]:
    """What EC2 puts on whatever comes from a launch template."""
    found = instance.ec2_backend.get_launch_template(template["LaunchTemplateId"]) if template.get(
        "LaunchTemplateId"
    ) else instance.ec2_backend.get_launch_template_by_name(template["LaunchTemplateName"])
    return {"aws:ec2launchtemplate:id": found.id}


def take_down(fleet: Any) -> None:
    """What a fleet gave that is fewer than it may give."""
    ids = [entry["instance"].id for entry in fleet.on_demand_instances]
    if ids:
        fleet.ec2_backend.terminate_instances(ids)
    fleet.on_demand_instances.clear()
    fleet.fulfilled_capacity = 0.0


def launch(fleet: Any, configs: list[Any], lifecycle: str, wanted: dict[str, Any], tags: list[Any], port: str) -> None:
    """`wanted`: the count, and whether all of it has to come from one override, as one type in one zone is."""
    ec2 = client(fleet.ec2_backend.region_name, port)
    count = wanted["count"]
    for template, override in candidates(configs):
        if wanted["together"] and len(fleet.on_demand_instances) < count:
            take_down(fleet)
        while len(fleet.on_demand_instances) < count:
            try:
                run = ec2.run_instances(**request_of(template, override, lifecycle, tags))
            except ClientError as error:
                problem = error.response["Error"]
                fleet.errors.append(
                    {
                        "LaunchTemplateAndOverrides": {
                            "LaunchTemplateSpecification": template,
                            "Overrides": override,
                        },
                        "Lifecycle": lifecycle,
                        "ErrorCode": problem["Code"],
                        "ErrorMessage": problem["Message"],
                    }
                )
                if problem["Code"] in FATAL:
                    return
                break
            instance = fleet.ec2_backend.get_instance(run["Instances"][0]["InstanceId"])
            instance.add_tags({"aws:ec2:fleet-id": fleet.id, **template_tags(template, instance)})
            shown = SimpleNamespace(launch_template_spec=template, overrides=override or None)
            fleet.on_demand_instances.append(
                {"id": run["ReservationId"], "instance": instance, "launch_spec": shown}
            )
            fleet.fulfilled_capacity += 1
    if len(fleet.on_demand_instances) < wanted["least"]:
        take_down(fleet)


def wanted_of(given: dict[str, Any], count: int, lifecycle: str) -> dict[str, Any]:
    options = given.get("spot_options" if lifecycle == "spot" else "on_demand_options") or {}
    together = any(str(options.get(key)).lower() == "true" for key in ("SingleInstanceType", "SingleAvailabilityZone"))
    return {"count": count, "together": together, "least": int(options.get("MinTargetCapacity") or 0)}


def apply(proxy_port: str) -> None:
    original = fleet_models.FleetsBackend.create_fleet

    def create_fleet(self: Any, **given: Any) -> Any:
        if given["fleet_type"] != "instant":
            return original(self, **given)
        target = given["target_capacity_specification"]
        configs = given["launch_template_configs"]
        count = int(target.get("TotalTargetCapacity") or 1)
        lifecycle = target.get("DefaultTargetCapacityType") or "on-demand"
        nothing = {"TotalTargetCapacity": 0, "DefaultTargetCapacityType": lifecycle}
        fleet = original(
            self, **{**given, "target_capacity_specification": nothing, "launch_template_configs": []}
        )
        fleet.errors = []
        fleet.launch_template_configs = configs
        fleet.target_capacity_specification = target
        fleet.target_capacity = count
        wanted = wanted_of(given, count, lifecycle)
        launch(fleet, configs, lifecycle, wanted, given["tag_specifications"] or [], proxy_port)
        return fleet

    end = fleet_models.Fleet.terminate_instances

    def terminate_instances(self: Any) -> Any:
        # moto refuses to end none, as it ends instances by their ids.
        live = [entry for entry in self.on_demand_instances if entry["instance"].state != "terminated"]
        return end(self) if live or self.spot_requests else None

    build = fleet_models.Fleet._build_instance_data

    def build_instance_data(instance: Any, lifecycle: str, launch_spec: Any) -> dict[str, Any]:
        data = build(instance=instance, lifecycle=lifecycle, launch_spec=launch_spec)
        data["Lifecycle"] = instance.lifecycle or "on-demand"
        return data

    respond = fleet_responses.Fleets.create_fleet
    answers: dict[tuple[str, str], Any] = {}

    def create_fleet_response(self: Any) -> Any:
        token = (self.region, self._get_param("ClientToken") or "")
        # A caller that never heard the answer asks again, and is told of the fleet it has.
        if token in answers:
            return answers[token]
        answer = respond(self)
        result = answer._result
        fleet = self.ec2_backend.get_fleet(result["FleetId"])
        result["Errors"] = getattr(fleet, "errors", [])
        if token[1]:
            answers[token] = answer
        return answer

    fleet_models.FleetsBackend.create_fleet = create_fleet
    fleet_models.Fleet.terminate_instances = terminate_instances
    fleet_models.Fleet._build_instance_data = staticmethod(build_instance_data)
    fleet_responses.Fleets.create_fleet = create_fleet_response
