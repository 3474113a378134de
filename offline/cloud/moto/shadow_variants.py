"""Shadow variants of SageMaker's endpoint configurations, which moto drops."""

import json
from typing import Any

from moto.sagemaker import models
from moto.sagemaker.responses import SageMakerResponse

# What DescribeEndpoint tells of a variant, and where it is from.
TOLD = (
    ("CurrentWeight", "InitialVariantWeight"),
    ("DesiredWeight", "InitialVariantWeight"),
    ("CurrentInstanceCount", "InitialInstanceCount"),
    ("DesiredInstanceCount", "InitialInstanceCount"),
)


def shadows_of(config: Any) -> list[dict[str, Any]]:
    return getattr(config, "berth_shadows", [])


def keep() -> None:
    create = SageMakerResponse.create_endpoint_config

    def created(self: Any) -> Any:
        answer = create(self)
        given = json.loads(self.body)
        config = self.sagemaker_backend.endpoint_configs[given["EndpointConfigName"]]
        config.berth_shadows = given.get("ShadowProductionVariants") or []
        return answer

    SageMakerResponse.create_endpoint_config = created


def tell() -> None:
    backend = models.SageMakerModelBackend
    config, endpoint = backend.describe_endpoint_config, backend.describe_endpoint

    def described_config(self: Any, endpoint_config_name: str) -> dict[str, Any]:
        found = config(self, endpoint_config_name)
        shadows = shadows_of(self.endpoint_configs[endpoint_config_name])
        return {**found, "ShadowProductionVariants": shadows} if shadows else found

    def described(self: Any, endpoint_name: str) -> dict[str, Any]:
        found = endpoint(self, endpoint_name)
        running = self.endpoint_configs.get(found["EndpointConfigName"])
        told = [
            {"VariantName": each["VariantName"], **{name: each[origin] for name, origin in TOLD if origin in each}}
            for each in shadows_of(running)
        ]
        return {**found, "ShadowProductionVariants": told} if told else found

    backend.describe_endpoint_config, backend.describe_endpoint = described_config, described


def apply() -> None:
    keep()
    tell()
