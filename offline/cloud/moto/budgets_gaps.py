"""What moto lacks of AWS Budgets: changes, subscribers, tags and actions."""

import json
from typing import Any
from uuid import uuid4

from moto.budgets import responses
from moto.budgets.exceptions import DuplicateRecordException, NotFoundException
from moto.core.exceptions import JsonRESTError
from moto.iam import iam_backends

NOTIFICATIONS = 5  # https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateNotification.html


def given(self: Any) -> dict[str, Any]:
    return json.loads(self.body or b"{}")


def budget_of(self: Any, body: dict[str, Any]) -> Any:
    name = body["BudgetName"]
    budget = self.backend.budgets[body["AccountId"]].get(name)
    if budget is None:
        raise NotFoundException(f"Unable to get budget: {name} - the budget doesn't exist.")
    return budget


def actions_of(budget: Any) -> dict[str, dict[str, Any]]:
    if not hasattr(budget, "berth_actions"):
        budget.berth_actions = {}
    return budget.berth_actions


def create_budget(self: Any) -> str:
    body = given(self)
    account, budget = body["AccountId"], body["Budget"]
    notifications = body.get("NotificationsWithSubscribers", [])
    if len(notifications) > NOTIFICATIONS:
        raise JsonRESTError("CreationLimitExceededException", f"A budget has at most {NOTIFICATIONS} notifications.")
    self.backend.create_budget(account_id=account, budget=budget, notifications=notifications)
    tags = {tag["Key"]: tag["Value"] for tag in body.get("ResourceTags") or []}
    self.backend.budgets[account][budget["BudgetName"]].berth_tags = tags
    return json.dumps({})


def update_budget(self: Any) -> str:
    body = given(self)
    new = body["NewBudget"]
    budget = budget_of(self, {"AccountId": body["AccountId"], "BudgetName": new["BudgetName"]})
    budget.budget = {**new, "TimePeriod": new.get("TimePeriod", budget.budget["TimePeriod"])}
    return json.dumps({})


def create_notification(self: Any) -> str:
    body = given(self)
    budget = budget_of(self, body)
    if len(budget.notifications) >= NOTIFICATIONS:
        raise JsonRESTError("CreationLimitExceededException", f"A budget has at most {NOTIFICATIONS} notifications.")
    if any(same(each.details, body["Notification"]) for each in budget.notifications):
        raise DuplicateRecordException(record_type="notification", record_name=body["BudgetName"])
    budget.add_notification(body["Notification"], body["Subscribers"])
    return json.dumps({})


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    keys = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return [one.get(key) for key in keys] == [other.get(key) for key in keys]


def delete_notification(self: Any) -> str:
    body = given(self)
    budget = budget_of(self, body)
    budget.notifications = [each for each in budget.notifications if not same(each.details, body["Notification"])]
    return json.dumps({})


def describe_subscribers_for_notification(self: Any) -> str:
    body = given(self)
    for each in budget_of(self, body).notifications:
        if same(each.details, body["Notification"]):
            return json.dumps({"Subscribers": each.subscribers})
    raise NotFoundException("Unable to get the notification - it doesn't exist.")


def tagged(self: Any, arn: str) -> Any:
    """The budget or the action that an ARN names: `arn:aws:budgets::<account>:budget/<name>[/action/<id>]`."""
    account, path = arn.split(":")[4], arn.split(":", 5)[5].split("/")
    budget = budget_of(self, {"AccountId": account, "BudgetName": path[1]})
    if len(path) == 2:
        return budget
    return action_of(budget, path[3])


def tags_of(thing: Any) -> dict[str, str]:
    return thing["tags"] if isinstance(thing, dict) else thing.berth_tags


def list_tags_for_resource(self: Any) -> str:
    tags = tags_of(tagged(self, given(self)["ResourceARN"]))
    return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def tag_resource(self: Any) -> str:
    body = given(self)
    tags_of(tagged(self, body["ResourceARN"])).update({tag["Key"]: tag["Value"] for tag in body["ResourceTags"]})
    return json.dumps({})


def untag_resource(self: Any) -> str:
    body = given(self)
    for key in body["ResourceTagKeys"]:
        tags_of(tagged(self, body["ResourceARN"])).pop(key, None)
    return json.dumps({})


def action_of(budget: Any, action_id: str) -> dict[str, Any]:
    if action_id not in actions_of(budget):
        raise NotFoundException(f"Unable to get action: {action_id} - it doesn't exist.")
    return actions_of(budget)[action_id]


def check_roles(account: str, definition: dict[str, Any]) -> None:
    """AWS refuses a policy or a role that is not there."""
    wanted = definition.get("IamActionDefinition")
    if wanted is None:
        return
    iam = iam_backends[account]["aws"]
    iam.get_policy(wanted["PolicyArn"])
    for role in wanted.get("Roles") or []:
        iam.get_role(role)


def create_budget_action(self: Any) -> str:
    body = given(self)
    budget = budget_of(self, body)
    check_roles(body["AccountId"], body["Definition"])
    action_id = str(uuid4())
    names = ("NotificationType", "ActionType", "ActionThreshold", "Definition", "ExecutionRoleArn", "ApprovalModel", "Subscribers")
    shown = {"ActionId": action_id, "BudgetName": body["BudgetName"], "Status": "STANDBY", **{name: body[name] for name in names}}
    tags = {tag["Key"]: tag["Value"] for tag in body.get("ResourceTags") or []}
    actions_of(budget)[action_id] = {"shown": shown, "tags": tags}
    return json.dumps({"AccountId": body["AccountId"], "BudgetName": body["BudgetName"], "ActionId": action_id})


def describe_budget_action(self: Any) -> str:
    body = given(self)
    action = action_of(budget_of(self, body), body["ActionId"])
    return json.dumps({"AccountId": body["AccountId"], "BudgetName": body["BudgetName"], "Action": action["shown"]})


def describe_budget_actions_for_budget(self: Any) -> str:
    actions = actions_of(budget_of(self, given(self))).values()
    return json.dumps({"Actions": [each["shown"] for each in actions]})


def update_budget_action(self: Any) -> str:
    body = given(self)
    action = action_of(budget_of(self, body), body["ActionId"])
    old = dict(action["shown"])
    check_roles(body["AccountId"], body.get("Definition") or {})
    action["shown"].update({key: body[key] for key in old if key in body})
    answer = {"AccountId": body["AccountId"], "BudgetName": body["BudgetName"]}
    return json.dumps({**answer, "OldAction": old, "NewAction": action["shown"]})


def delete_budget_action(self: Any) -> str:
    body = given(self)
    budget = budget_of(self, body)
    action = action_of(budget, body["ActionId"])
    del actions_of(budget)[body["ActionId"]]
    return json.dumps({"AccountId": body["AccountId"], "BudgetName": body["BudgetName"], "Action": action["shown"]})


def apply() -> None:
    added = (
        create_budget,
        update_budget,
        create_notification,
        delete_notification,
        describe_subscribers_for_notification,
        list_tags_for_resource,
        tag_resource,
        untag_resource,
        create_budget_action,
        describe_budget_action,
        describe_budget_actions_for_budget,
        update_budget_action,
        delete_budget_action,
    )
    for operation in added:
        setattr(responses.BudgetsResponse, operation.__name__, operation)
