"""EventBridge Scheduler's schedules, and the calls that they make when they fire."""

from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from moto.scheduler.exceptions import ScheduleGroupNotFound
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends
from moto.scheduler.responses import EventBridgeSchedulerResponse

ACCOUNT = "123456789012"
# Names of services in scheduler targets that differ from botocore's.
SERVICES = {"sfn": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}


def every() -> list[dict[str, Any]]:
    found = []
    for region, backend in scheduler_backends[ACCOUNT].items():
        for group in backend.schedule_groups.values():
            for schedule in group.schedules.values():
                shown = schedule.to_dict()
                found.append(
                    {
                        "region": region,
                        "arn": shown["Arn"],
                        "name": shown["Name"],
                        "group": shown["GroupName"],
                        "expression": shown["ScheduleExpression"],
                        "timezone": shown.get("ScheduleExpressionTimezone") or "UTC",
                        "state": shown.get("State") or "ENABLED",
                        "target": shown["Target"],
                        "after": shown.get("ActionAfterCompletion") or "NONE",
                        "created": str(schedule.creation_date),
                        "modified": str(schedule.last_modified_date),
                        "start": float(shown.get("StartDate") or 0),
                        "end": float(shown.get("EndDate") or 0),
                    }
                )
    return found


def client(service: str, region: str, proxy_port: str, caller: str) -> Any:
    made = boto3.client(
        SERVICES.get(service, service),
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{proxy_port}",
        aws_access_key_id="scheduler",
        aws_secret_access_key="scheduler",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )

    def mark(request: Any, **_: Any) -> None:
        request.headers["x-berth-caller"] = caller

    made.meta.events.register("before-sign", mark)
    return made


def call(body: dict[str, Any], proxy_port: str) -> tuple[str, Any]:
    """Makes one SDK call: {service, action, region, input}."""
    try:
        sdk = client(body["service"], body["region"], proxy_port, body["caller"])
        operation = body["action"][0].upper() + body["action"][1:]
        shape = sdk.meta.service_model.operation_model(operation).input_shape
        members = {name.lower(): name for name in shape.members} if shape else {}
        given = {members.get(key.lower(), key): value for key, value in body["input"].items()}
        answer = getattr(sdk, xform_name(operation))(**given)
        answer.pop("ResponseMetadata", None)
        return "200 OK", {"result": {key: str(value) for key, value in answer.items()}}
    except ClientError as error:
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 400)
        return "200 OK", {
            "failure": error.response["Error"].get("Code", ""),
            "message": error.response["Error"].get("Message", ""),
            "status": status,
        }
    except (BotoCoreError, AttributeError, KeyError, ValueError) as error:
        return "200 OK", {"failure": "ValidationException", "message": str(error), "status": 400}


def apply() -> None:
    update, delete = EventBridgeSchedulerResponse.update_schedule, EventBridgeSchedulerBackend.delete_schedule_group

    def update_schedule(self: Any) -> str:
        answer = update(self)
        name = self.uri.split("?")[0].split("/")[-1]
        group = self.scheduler_backend.schedule_groups[self._get_param("GroupName") or "default"]
        group.get_schedule(name).action_after_completion = self._get_param("ActionAfterCompletion")
        return answer

    def delete_group(self: Any, name: str | None) -> None:
        if (name or "default") not in self.schedule_groups:
            raise ScheduleGroupNotFound(name or "default")
        delete(self, name)

    EventBridgeSchedulerResponse.update_schedule = update_schedule
    EventBridgeSchedulerBackend.delete_schedule_group = delete_group
