"""SageMaker: the accelerated types that moto's frozen list leaves out, configurations that it stumbles on, and tags."""

import re
from typing import Any

from moto.sagemaker import models
from moto.sagemaker.exceptions import ValidationError

ACCELERATED = re.compile(r"ml\.(g[4-9]\w*|p[3-9][\w-]*|inf[12]|trn[12]\w*)\.(x|[0-9]+x)large")


def accept_new_types() -> None:
    original = models.FakeEndpointConfig.validate_instance_type

    def validate(self: Any, instance_type: str) -> None:
        if ACCELERATED.fullmatch(instance_type) is None:
            original(self, instance_type)

    models.FakeEndpointConfig.validate_instance_type = validate


def accept_pools() -> None:
    """A variant with several types to try has them in pools, and no type of its own."""
    original = models.FakeEndpointConfig.validate_production_variants

    def validate(self: Any, variants: list[dict[str, Any]]) -> None:
        for variant in variants:
            for pool in variant.get("InstancePools") or []:
                self.validate_instance_type(pool["InstanceType"])
        original(self, [each for each in variants if not each.get("InstancePools")])

    models.FakeEndpointConfig.validate_production_variants = validate


def name_configs_plainly() -> None:
    """moto keeps the ARN of an endpoint configuration as a tuple, on which GetResources stumbles."""
    original = models.FakeEndpointConfig.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        if isinstance(self.arn, tuple):
            self.arn = self.arn[0]

    models.FakeEndpointConfig.__init__ = init


def keep_one_tag_a_key() -> None:
    """moto adds a second tag of a key, where AWS writes over the first; what is not there it stumbles on."""
    find = models.SageMakerModelBackend._get_resource_from_arn

    def found(self: Any, arn: str) -> Any:
        resource = find(self, arn)
        if resource is None:
            raise ValidationError(message=f'Could not find "{arn}".')
        return resource

    def add(self: Any, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
        resource = self._get_resource_from_arn(arn)
        news = {tag["Key"] for tag in tags}
        resource.tags = [*(tag for tag in resource.tags if tag["Key"] not in news), *tags]
        return resource.tags

    models.SageMakerModelBackend._get_resource_from_arn = found
    models.SageMakerModelBackend.add_tags = add


def apply() -> None:
    keep_one_tag_a_key()
    name_configs_plainly()
    accept_new_types()
    accept_pools()
