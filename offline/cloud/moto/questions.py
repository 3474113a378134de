"""What the proxy asks of moto's state beyond the public API: instances as machines see them."""

import os
from typing import Any

import budget_watch
import endpoints
import schedules
from moto.ec2.models import ec2_backends
from moto.ec2.models.instance_types import INSTANCE_TYPES

ACCOUNT = "123456789012"
STATES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}


def backend(region: str) -> Any:
    return ec2_backends[ACCOUNT][region]


def regions() -> list[str]:
    """The regions that have been used."""
    return list(ec2_backends[ACCOUNT].keys())


def find(instance_id: str) -> Any:
    for region in regions():
        for instance in backend(region).all_instances():
            if instance.id == instance_id:
                return instance
    return None


def set_state(instance: Any, name: str) -> None:
    instance._state.name = name
    instance._state.code = STATES[name]


def public_keys(region: str, key_name: str | None) -> list[str]:
    pair = backend(region).key_pairs.get(key_name) if key_name else None
    material = pair.material_public if pair is not None else None
    if material is None:
        return []
    return [material.decode() if isinstance(material, bytes) else str(material)]


def root_gib(instance: Any) -> int:
    sizes = [
        int(device.size or 8)
        for name, device in instance.block_device_mapping.items()
        if name == instance.root_device_name
    ] or [int(device.size or 8) for device in instance.block_device_mapping.values()]
    return max([8, *sizes])


def profile_of(region: str, instance: Any) -> dict[str, str] | None:
    association = backend(region).iam_instance_profile_associations.get(instance.id)
    if association is None:
        return None
    profile = association.iam_instance_profile
    roles = [role.name for role in profile.roles]
    return {"arn": profile.arn, "id": profile.id, "role": roles[0] if roles else ""}


def describe(region: str, instance: Any) -> dict[str, Any]:
    user_data = instance.user_data
    return {
        "id": instance.id,
        "region": region,
        "state": instance.state,
        "type": instance.instance_type,
        "zone": instance.availability_zone,
        "imageId": instance.image_id,
        "subnetId": instance.subnet_id,
        "vpcId": instance.vpc_id,
        "privateIp": instance.private_ip,
        "mac": instance.nics[0].mac_address,
        "securityGroups": [group.name for group in instance.security_groups],
        "userData": str(user_data) if user_data else "",
        "keyName": instance.key_name,
        "publicKeys": public_keys(region, instance.key_name),
        "rootGiB": root_gib(instance),
        "profile": profile_of(region, instance),
        "shutdownBehaviour": instance.instance_initiated_shutdown_behavior,
        "lifecycle": instance.lifecycle or "on-demand",
        "tags": {tag["key"]: tag["value"] for tag in instance.get_tags()},
        "metadataTags": instance.metadata_options.instance_metadata_tags == "enabled",
        "tokensRequired": instance.metadata_options.http_tokens == "required",
    }


def update(body: dict[str, Any]) -> tuple[str, Any]:
    instance = find(body["id"])
    if instance is None:
        return "404 Not Found", {"error": "no such instance"}
    if body.get("ifState") not in (None, instance.state):
        return "200 OK", {}
    if body.get("terminate"):
        instance.terminate()
        # Deleted at the end by the machine's own will, not by an API call.
        instance.state_reason.message = "Client.InstanceInitiatedShutdown: Instance initiated shutdown"
        instance.state_reason.code = "Client.InstanceInitiatedShutdown"
    if "state" in body:
        set_state(instance, body["state"])
    if "privateIp" in body:
        instance.nics[0].private_ip_address = body["privateIp"]
    if body.get("publicIp"):
        instance.nics[0].public_ip = body["publicIp"]
    if "console" in body:
        instance.berth_console = body["console"]
    return "200 OK", {}


def placement(body: dict[str, Any]) -> tuple[str, Any]:
    """Resolves what a RunInstances request means: its type, zone and size, from template and subnet."""
    ec2 = backend(body["region"])
    data: dict[str, Any] = {}
    template = {key: value for key, value in (body.get("launchTemplate") or {}).items() if value}
    if template:
        data = ec2._get_template_from_args(template).data
    interfaces = data.get("NetworkInterfaces") or [{}]
    instance_type = body.get("instanceType") or data.get("InstanceType") or "m1.small"
    subnet_id = body.get("subnetId") or interfaces[0].get("SubnetId")
    zone = body.get("zone") or (data.get("Placement") or {}).get("AvailabilityZone")
    if subnet_id:
        zone = ec2.get_subnet(subnet_id).availability_zone
    known = INSTANCE_TYPES.get(instance_type)
    return "200 OK", {
        "instanceType": instance_type,
        "zone": zone or f"{body['region']}a",
        "exists": known is not None,
        "vcpus": known["VCpuInfo"]["DefaultVCpus"] if known else 0,
    }


def answer(path: str, body: dict[str, Any]) -> tuple[str, Any]:
    try:
        if path == "instances":
            return "200 OK", [
                describe(region, instance)
                for region in regions()
                for instance in backend(region).all_instances()
            ]
        if path == "instance":
            return update(body)
        if path == "placement":
            return placement(body)
        if path == "schedules":
            return "200 OK", schedules.every()
        if path == "sdk":
            return schedules.call(body, os.environ["MOTO_PORT"])
        if path == "regions":
            return "200 OK", regions()
        for each in (endpoints, budget_watch):
            answered = each.answer(path, body)
            if answered is not None:
                return answered
    except Exception as error:  # noqa: BLE001: the proxy shows it as the API's own error
        return "400 Bad Request", {
            "code": getattr(error, "error_type", None) or getattr(error, "code", type(error).__name__),
            "error": getattr(error, "message", None) or str(error),
        }
    return "404 Not Found", {"error": f"no such question: {path}"}
