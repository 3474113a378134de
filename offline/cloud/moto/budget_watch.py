"""What the proxy asks to see budgets spent: what runs, what may be spent, and whom a spent budget has denied what."""

import json
from typing import Any

import budgets_gaps
from moto.budgets.models import budgets_backends
from moto.ec2.models import ec2_backends
from moto.iam import iam_backends
from moto.sagemaker.models import sagemaker_backends
from moto.sts.models import sts_backends

ACCOUNT = "123456789012"


def running() -> list[dict[str, Any]]:
    """Instances and endpoints that cost now, with their tags."""
    found = []
    for region, backend in ec2_backends[ACCOUNT].items():
        for instance in backend.all_instances():
            if instance.state in ("pending", "running"):
                tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
                found.append({"region": region, "type": instance.instance_type, "count": 1, "tags": tags})
    for region, backend in sagemaker_backends[ACCOUNT].items():
        for endpoint in backend.endpoints.values():
            tags = {tag["Key"]: tag["Value"] for tag in endpoint.tags}
            for variant in endpoint.production_variants:
                pools = variant.get("InstancePools") or [{}]
                kind = pools[0].get("InstanceType") or instance_type(backend, endpoint)
                count = variant.get("CurrentInstanceCount") or 0
                found.append({"region": region, "type": kind, "count": count, "tags": tags})
    return found


def instance_type(backend: Any, endpoint: Any) -> str:
    config = backend.endpoint_configs.get(endpoint.endpoint_config_name)
    variants = config.production_variants if config is not None else []
    return next((each["InstanceType"] for each in variants if each.get("InstanceType")), "")


def budgets() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "limit": float(budget.budget["BudgetLimit"]["Amount"]),
            "filter": budget.budget.get("FilterExpression"),
            "notifications": [{**each.details, "subscribers": each.subscribers} for each in budget.notifications],
            "actions": [each["shown"] for each in budgets_gaps.actions_of(budget).values()],
        }
        for name, budget in budgets_backends[ACCOUNT]["aws"].budgets[ACCOUNT].items()
        if "BudgetLimit" in budget.budget
    ]


def tell(body: dict[str, Any]) -> dict[str, Any]:
    """Keeps what was spent of a budget, and how its actions ended."""
    budget = budgets_backends[ACCOUNT]["aws"].budgets[ACCOUNT].get(body["name"])
    if budget is not None:
        actual, forecast = ({"Amount": f"{body[key]:.4f}", "Unit": "USD"} for key in ("actual", "forecast"))
        budget.budget["CalculatedSpend"] = {"ActualSpend": actual, "ForecastedSpend": forecast}
        for action_id, status in body["statuses"].items():
            budgets_gaps.action_of(budget, action_id)["shown"]["Status"] = status
    return {}


def execute(body: dict[str, Any]) -> dict[str, Any]:
    """Attaches a policy to roles in the name of a role that budgets may use; fails where that role is gone or may not."""
    iam = iam_backends[ACCOUNT]["aws"]
    own = iam.get_role_by_arn(body["executionRoleArn"])
    trusted = json.dumps(own.assume_role_policy_document)
    allowed = " ".join(str(policy) for policy in own.policies.values())
    if "budgets.amazonaws.com" not in trusted or "iam:AttachRolePolicy" not in allowed:
        raise PermissionError(f"{own.name} may not attach a policy")
    for role in body["roles"]:
        iam.attach_role_policy(body["policyArn"], role)
    return {}


def denied(body: dict[str, Any]) -> dict[str, Any]:
    """What the policies attached to the role behind an access key deny, as IAM writes actions."""
    for session in sts_backends[ACCOUNT]["aws"].assumed_roles:
        if session.access_key_id != body["accessKeyId"]:
            continue
        role = iam_backends[ACCOUNT]["aws"].get_role_by_arn(session.role_arn)
        statements = [
            statement
            for policy in role.managed_policies.values()
            for version in policy.versions
            if version.is_default
            for statement in listed(json.loads(version.document)["Statement"])
            if statement["Effect"] == "Deny"
        ]
        actions = [action for statement in statements for action in listed(statement["Action"])]
        return {"arn": session.arn, "actions": actions}
    return {"actions": []}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def answer(path: str, body: dict[str, Any]) -> tuple[str, Any] | None:
    questions = {
        "running": lambda: running(),
        "budgets": lambda: budgets(),
        "budget-spend": lambda: tell(body),
        "budget-action": lambda: execute(body),
        "denied": lambda: denied(body),
    }
    return ("200 OK", questions[path]()) if path in questions else None
