"""SageMaker: the accelerated types that moto's frozen list leaves out, and configurations that it stumbles on."""

import re
from typing import Any

from moto.sagemaker import models

ACCELERATED = re.compile(r"ml\.(g[4-9]\w*|p[3-9][\w-]*|inf[12]|trn[12]\w*)\.(x|[0-9]+x)large")


def accept_new_types() -> None:
    original = models.FakeEndpointConfig.validate_instance_type

    def validate(self: Any, instance_type: str) -> None:
        if ACCELERATED.fullmatch(instance_type) is None:
            original(self, instance_type)

    models.FakeEndpointConfig.validate_instance_type = validate


def name_configs_plainly() -> None:
    """moto keeps the ARN of an endpoint configuration as a tuple, on which GetResources stumbles."""
    original = models.FakeEndpointConfig.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        if isinstance(self.arn, tuple):
            self.arn = self.arn[0]

    models.FakeEndpointConfig.__init__ = init


def apply() -> None:
    name_configs_plainly()
    accept_new_types()
