"""Placement groups, which moto lacks: made, told of, and not removed while an instance is in one."""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, EC2_RESOURCE_TO_PREFIX
from moto.moto_api._internal import mock_random


def groups_of(backend: Any) -> dict[str, dict[str, Any]]:
    if not hasattr(backend, "berth_placement_groups"):
        backend.berth_placement_groups = {}
    return backend.berth_placement_groups


def shown(backend: Any, group: dict[str, Any]) -> dict[str, Any]:
    tags = backend.tags.get(group["GroupId"]) or {}
    return {**group, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def unknown(name: str) -> EC2ClientError:
    return EC2ClientError("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")


def matches(group: dict[str, Any], name: str, values: list[str]) -> bool:
    if name.startswith("tag:"):
        return any(tag["Key"] == name[4:] and tag["Value"] in values for tag in group["Tags"])
    fields = {"group-name": "GroupName", "strategy": "Strategy", "state": "State"}
    if name not in fields:
        raise EC2ClientError("InvalidParameterValue", f"The filter '{name}' is invalid.")
    return group[fields[name]] in values


def create(self: Any) -> Any:
    groups = groups_of(self.ec2_backend)
    name = self._get_param("GroupName")
    if name in groups:
        raise EC2ClientError("InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists.")
    group = {
        "GroupName": name,
        "GroupId": f"pg-{mock_random.get_random_hex(17)}",
        "Strategy": self._get_param("Strategy") or "cluster",
        "State": "available",
    }
    group["GroupArn"] = f"arn:aws:ec2:{self.region}:{self.current_account}:placement-group/{name}"
    groups[name] = group
    tags = self._parse_tag_specification("placement-group").get("placement-group", {})
    self.ec2_backend.create_tags([group["GroupId"]], tags)
    return ActionResult({"PlacementGroup": shown(self.ec2_backend, group)})


def describe(self: Any) -> Any:
    groups = groups_of(self.ec2_backend)
    names = self._get_param("GroupNames", [])
    for name in names:
        if name not in groups:
            raise unknown(name)
    found = [shown(self.ec2_backend, group) for name, group in groups.items() if not names or name in names]
    for filter_name, values in self._filters_from_querystring().items():
        found = [group for group in found if matches(group, filter_name, values)]
    return ActionResult({"PlacementGroups": found})


def delete(self: Any) -> Any:
    groups = groups_of(self.ec2_backend)
    name = self._get_param("GroupName")
    if name not in groups:
        raise unknown(name)
    for instance in self.ec2_backend.all_instances():
        if getattr(instance, "berth_placement_group", None) == name and instance.state != "terminated":
            raise EC2ClientError("InvalidPlacementGroup.InUse", f"The placement group '{name}' is in use.")
    group = groups.pop(name)
    self.ec2_backend.tags.pop(group["GroupId"], None)
    return ActionResult({"Return": True})


def asked_for(backend: Any, launch: dict[str, Any]) -> str | None:
    """The group that a launch's template names, which has to be there."""
    if not launch.get("launch_template"):
        return None
    data = backend._get_template_from_args(launch["launch_template"]).data
    name = (data.get("Placement") or {}).get("GroupName")
    if name is not None and name not in groups_of(backend):
        raise unknown(name)
    return name


def apply() -> None:
    EC2_RESOURCE_TO_PREFIX["placement-group"] = "pg"
    EC2_PREFIX_TO_RESOURCE["pg"] = "placement-group"
    EC2Response.create_placement_group = create
    EC2Response.describe_placement_groups = describe
    EC2Response.delete_placement_group = delete
