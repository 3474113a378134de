"""What the emulation changes in moto: where it is laxer than EC2, or leaves out what a machine needs."""

import hashlib
import os
from typing import Any

import budgets_gaps
import endpoints
import fleets
import placement_groups
import sagemaker_gaps
import schedules
import shadow_variants
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.models.instances import Instance, InstanceBackend, InstanceState, MetadataOptions
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.responses.general import General
from moto.ec2.utils import convert_tag_spec
from moto.ssm import models as ssm_models

MACHINES = os.environ.get("BERTH_MACHINES") == "1"
DLAMI_ROOT = "/aws/service/deeplearning/ami/x86_64/"
# https://docs.aws.amazon.com/dlami/latest/devguide/appendix-ami-release-notes.html
DLAMI_FLAVOURS = {
    "base-oss-nvidia-driver-gpu-ubuntu-22.04": "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04)",
    "base-oss-nvidia-driver-gpu-ubuntu-24.04": "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04)",
    "base-with-single-cuda-ubuntu-22.04": "Deep Learning Base AMI with Single CUDA (Ubuntu 22.04)",
}


def dlami_id(flavour: str, region: str) -> str:
    return "ami-0" + hashlib.sha256(f"{region}/{flavour}".encode()).hexdigest()[:16]


def add_images() -> None:
    original = AmiBackend._load_amis

    def load(self: Any) -> None:
        original(self)
        for flavour, title in DLAMI_FLAVOURS.items():
            image_id = dlami_id(flavour, self.region_name)
            image = Ami(
                self,
                image_id,
                name=f"{title} 20261101",
                description=f"{title}, as emulated",
                owner_id="898082745236",
                owner_alias="amazon",
                public=True,
                virtualization_type="hvm",
                architecture="x86_64",
                hypervisor="xen",
                root_device_type="ebs",
                root_device_name="/dev/sda1",
                region_name=self.region_name,
                image_location=f"amazon/{title} 20261101",
                creation_date=utcnow(),
            )
            self.amis[image_id] = image

    AmiBackend._load_amis = load


def add_parameters() -> None:
    original = ssm_models.ParameterDict._check_loading_status

    def check(self: Any, key: str) -> None:
        original(self, key)
        if not str(key or "").startswith("/aws/service/deeplearning") or getattr(self, "_dlami", False):
            return
        self._dlami = True
        for flavour in DLAMI_FLAVOURS:
            name = f"{DLAMI_ROOT}{flavour}/latest/ami-id"
            parameter = ssm_models.Parameter(
                account_id=self.account_id,
                name=name,
                value=dlami_id(flavour, self.region_name),
                parameter_type="String",
                description=None,
                allowed_pattern=None,
                keyid=None,
                last_modified_date=utcnow(),
                version=1,
                data_type="aws:ec2:image",
            )
            self[name].append(parameter)

    ssm_models.ParameterDict._check_loading_status = check


def resolve_image(backend: Any, image_id: str) -> str:
    if not image_id.startswith("resolve:ssm:"):
        return image_id
    name = image_id.removeprefix("resolve:ssm:")
    store = ssm_models.ssm_backends[backend.account_id][backend.region_name]
    return store.get_parameters([name])[name].value


def fill_from_template(backend: Any, kwargs: dict[str, Any]) -> str | None:
    """Takes over the template's parts that moto leaves out; returns its instance profile's name or arn."""
    data = backend._get_template_from_args(kwargs["launch_template"]).data
    kwargs["metadata_options"] = {**(data.get("MetadataOptions") or {}), **(kwargs.get("metadata_options") or {})}
    if not kwargs.get("instance_initiated_shutdown_behavior"):
        kwargs["instance_initiated_shutdown_behavior"] = data.get("InstanceInitiatedShutdownBehavior")
    if not kwargs.get("instance_market_options") and data.get("InstanceMarketOptions"):
        kwargs["instance_market_options"] = data["InstanceMarketOptions"].get("MarketType")
    disks = [disk for disk in data.get("BlockDeviceMappings") or [] if disk.get("Ebs")]
    if disks and "block_device_mappings" not in kwargs:
        kwargs["block_device_mappings"] = disks
    if data.get("DisableApiTermination"):
        kwargs["disable_api_termination"] = True
    if not kwargs.get("nics") and data.get("NetworkInterfaces"):
        nics = [dict(nic) for nic in data["NetworkInterfaces"]]
        if kwargs.get("subnet_id"):
            nics[0]["SubnetId"] = kwargs.pop("subnet_id")
        kwargs["nics"] = nics
        groups = nics[0].get("Groups") or nics[0].get("SecurityGroupId") or []
        if not kwargs.get("security_group_ids"):
            kwargs["security_group_ids"] = groups
        if nics[0].get("AssociatePublicIpAddress") is not None:
            kwargs["associate_public_ip"] = str(nics[0]["AssociatePublicIpAddress"]).lower() == "true"
    template_tags = convert_tag_spec(data.get("TagSpecifications") or [])
    tags = dict(kwargs.get("tags") or {})
    for kind in ("volume", "network-interface"):
        tags[kind] = {**template_tags.get(kind, {}), **tags.get(kind, {})}
    kwargs["tags"] = tags
    profile = data.get("IamInstanceProfile") or {}
    return profile.get("Arn") or profile.get("Name")


def complete_launches() -> None:
    original = InstanceBackend.run_instances

    def run(self: Any, image_id: Any, count: int, user_data: Any, names: Any = None, **kwargs: Any) -> Any:
        names = kwargs.pop("security_group_names", names) or []
        profile = None
        if kwargs.get("launch_template"):
            profile = fill_from_template(self, kwargs)
            if not image_id:
                image_id = self._get_template_from_args(kwargs["launch_template"]).data.get("ImageId")
        image_id = resolve_image(self, image_id or "")
        if not self.describe_images(ami_ids=[image_id]):
            raise EC2ClientError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
        group = placement_groups.asked_for(self, kwargs)
        before = set(self.enis)
        reservation = original(self, image_id, count, user_data, names, **kwargs)
        named = kwargs.get("iam_instance_profile_name") or kwargs.get("iam_instance_profile_arn")
        for instance in reservation.instances:
            instance.berth_placement_group = group
            instance.berth_own_interfaces = [nic.id for nic in instance.nics.values() if nic.id not in before]
            interface_tags = (kwargs.get("tags") or {}).get("network-interface") or {}
            if interface_tags and instance.berth_own_interfaces:
                self.create_tags(instance.berth_own_interfaces, interface_tags)
            if profile and not named:
                key = "arn" if profile.startswith("arn:") else "name"
                self.associate_iam_instance_profile(instance.id, **{f"iam_instance_profile_{key}": profile})
            if MACHINES:
                instance._state = InstanceState("pending", 0)
        return reservation

    InstanceBackend.run_instances = run

    options = MetadataOptions.__init__

    def metadata_options(self: Any, given: Any = None) -> None:
        options(self, {key: value for key, value in (given or {}).items() if value is not None})

    MetadataOptions.__init__ = metadata_options


def end_interfaces_with_instances() -> None:
    """Interfaces that a launch made go with their instance, as EC2's do; moto keeps them in use."""
    original = Instance.terminate

    def terminated(self: Any) -> Any:
        previous = original(self)
        for interface in getattr(self, "berth_own_interfaces", []):
            self.ec2_backend.enis.pop(interface, None)
        return previous

    Instance.terminate = terminated


def keep_states_honest() -> None:
    """With machines, an instance is pending or shutting down until its machine has caught up."""
    start, terminate = Instance.start, Instance.terminate

    def started(self: Any) -> Any:
        previous = start(self)
        self._state = InstanceState("pending", 0)
        return previous

    def terminated(self: Any) -> Any:
        if self._state.name in ("shutting-down", "terminated"):
            return InstanceState(self._state.name, self._state.code)
        previous = terminate(self)
        self._state = InstanceState("shutting-down", 32)
        return previous

    Instance.start, Instance.terminate = started, terminated


def console_of_machine() -> None:
    original = General.get_console_output

    def output(self: Any) -> Any:
        import base64

        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        text = getattr(instance, "berth_console", None)
        if text is None:
            return original(self)
        encoded = base64.b64encode(text.encode()[-65536:]).decode()
        return ActionResult({"InstanceId": instance.id, "Timestamp": utcnow(), "Output": encoded})

    General.get_console_output = output


def describe_rules_between_groups() -> None:
    """A rule from group to group keeps its description beside the group, where moto does not look."""
    SecurityGroupRule.description = property(
        lambda self: self.ip_range.get("Description") or self.source_group.get("Description")
    )


def refuse_what_is_in_use() -> None:
    delete_group, delete_subnet = SecurityGroupBackend._delete_security_group, SubnetBackend.delete_subnet

    def living(backend: Any) -> list[Any]:
        return [each for each in backend.all_instances() if each.state != "terminated"]

    def group(self: Any, vpc_id: Any, group_id: str) -> Any:
        used = [each for each in living(self) if group_id in [one.id for one in each.security_groups]]
        if used:
            raise DependencyViolationError(f"resource {group_id} has a dependent object")
        return delete_group(self, vpc_id, group_id)

    def subnet(self: Any, subnet_id: str) -> Any:
        if any(each.subnet_id == subnet_id for each in living(self)):
            raise DependencyViolationError(
                f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
            )
        return delete_subnet(self, subnet_id)

    SecurityGroupBackend._delete_security_group, SubnetBackend.delete_subnet = group, subnet


def tag_snapshots_of_images() -> None:
    original = AmiBackend.create_image

    def create(self: Any, instance_id: str, name: str, description: str, tag_specifications: Any) -> Any:
        rest = [each for each in tag_specifications if each["ResourceType"] != "snapshot"]
        image = original(self, instance_id, name, description, rest)
        for each in tag_specifications:
            if each["ResourceType"] == "snapshot":
                for tag in each["Tags"]:
                    image.ebs_snapshot.add_tag(tag["Key"], tag["Value"])
        return image

    AmiBackend.create_image = create


def apply(proxy_port: str) -> None:
    add_images()
    tag_snapshots_of_images()
    add_parameters()
    complete_launches()
    end_interfaces_with_instances()
    if MACHINES:
        keep_states_honest()
    console_of_machine()
    describe_rules_between_groups()
    refuse_what_is_in_use()
    budgets_gaps.apply()
    sagemaker_gaps.apply()
    endpoints.apply()
    shadow_variants.apply()
    fleets.apply(proxy_port)
    placement_groups.apply()
    schedules.apply()
