"""SageMaker: the accelerated types that moto's frozen list leaves out, and UpdateEndpoint."""

import json
import re
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker import models
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.responses import SageMakerResponse

ACCELERATED = re.compile(r"ml\.(g[4-9]\w*|p[3-9][\w-]*|inf[12]|trn[12]\w*)\.(x|[0-9]+x)large")


def accept_new_types() -> None:
    original = models.FakeEndpointConfig.validate_instance_type

    def validate(self: Any, instance_type: str) -> None:
        if ACCELERATED.fullmatch(instance_type) is None:
            original(self, instance_type)

    models.FakeEndpointConfig.validate_instance_type = validate


def add_update_endpoint() -> None:
    def update_endpoint(self: Any) -> str:
        given = json.loads(self.body)
        backend = self.sagemaker_backend
        endpoint = backend.endpoints.get(given["EndpointName"])
        if endpoint is None:
            raise ValidationError(message=f"Could not find endpoint \"{given['EndpointName']}\".")
        config = backend.endpoint_configs.get(given["EndpointConfigName"])
        if config is None:
            raise ValidationError(
                message=f"Could not find endpoint configuration \"{given['EndpointConfigName']}\"."
            )
        endpoint.endpoint_config_name = given["EndpointConfigName"]
        endpoint.production_variants = endpoint._process_production_variants(config.production_variants)
        endpoint.last_modified_time = utcnow()
        return json.dumps({"EndpointArn": endpoint.arn})

    SageMakerResponse.update_endpoint = update_endpoint


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
    add_update_endpoint()
