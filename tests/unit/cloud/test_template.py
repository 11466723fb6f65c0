"""What template.yaml promises, checked on the text that is deployed."""

import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

import pytest

from tests.cloud.settings import SECRETS, TEMPLATE, load_template
from tests.cloud.tools import ROOT
from watchferry.http_api.app import SECURITY_HEADERS
from watchferry.settings import Settings

TEMPLATE_DATA = load_template()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE_DATA["Resources"]
FUNCTIONS = {
    "AuthApi": "auth_api",
    "SyncApi": "sync_api",
    "ProxyApi": "proxy_api",
    "ProwlarrApi": "prowlarr_api",
    "SyncScheduler": "sync_scheduler",
    "SyncPlanner": "sync_planner",
    "HistorySender": "history_sender",
    "Notifier": "notifier",
}
WORKERS = {"SyncPlanner": "SyncJobs", "HistorySender": "HistoryBatches", "Notifier": "Notices"}
MAY_SEE_TOKENS = {"AuthApi", "ProxyApi", "SyncPlanner", "HistorySender"}
CALLS_KINOPUB = MAY_SEE_TOKENS - {"HistorySender"}

WRITES = {
    "AuthApi": {"Accounts", "Sessions", "Flows", "Tokens", "ApiTokens", "Prowlarr"},
    "SyncApi": {"Accounts", "Sessions", "Runs", "Plans", "Mappings", "Rechecks", "Unmatched", "Overrides"},
    "ProxyApi": {"Accounts", "Sessions", "Tokens", "Budgets", "CachedAnswers"},
    "ProwlarrApi": set[str](),
    "SyncScheduler": set[str](),
    "SyncPlanner": set[str](),
    "HistorySender": set[str](),
    "Notifier": set[str](),
}
READS = WRITES | {
    "AuthApi": WRITES["AuthApi"]
    | {"Runs", "Plans", "Ledger", "Rechecks", "Unmatched", "Overrides", "Budgets"}
    | {"CachedAnswers"},
}
TOUCHES: dict[str, dict[str, set[str]]] = {
    "AuthApi": {"Runs": {"UpdateItem"}, "Budgets": {"UpdateItem"}},
    "SyncApi": {"ApiTokens": {"GetItem", "UpdateItem"}, "Webhooks": {"UpdateItem", "DeleteItem"}},
    "SyncScheduler": {"Accounts": {"GetItem", "UpdateItem"}},
    "SyncPlanner": {
        "Accounts": {"DeleteItem", "GetItem", "UpdateItem"},
        "Runs": {"BatchWriteItem", "GetItem", "PutItem", "Query", "UpdateItem"},
        "Plans": {"BatchWriteItem", "PutItem", "Query", "UpdateItem"},
        "Ledger": {"BatchWriteItem", "Query"},
        "Mappings": {"BatchGetItem", "PutItem"},
        "Budgets": {"BatchWriteItem", "GetItem", "UpdateItem"},
        "Rechecks": {"BatchWriteItem", "DeleteItem", "Query"},
        "Unmatched": {"BatchWriteItem", "Query"},
        "Overrides": {"DeleteItem", "Query"},
        "Tokens": {"DeleteItem", "GetItem", "UpdateItem"},
        "Sessions": {"BatchWriteItem"},
        "ApiTokens": {"BatchWriteItem"},
        "CachedAnswers": {"BatchWriteItem", "Query"},
        "Webhooks": {"DeleteItem"},
        "Prowlarr": {"DeleteItem"},
    },
    "HistorySender": {
        "Accounts": {"ConditionCheckItem", "GetItem", "UpdateItem"},
        "Runs": {"GetItem", "UpdateItem"},
        "Plans": {"GetItem", "PutItem", "UpdateItem"},
        "Ledger": {"BatchWriteItem", "DeleteItem", "PutItem"},
        "Budgets": {"GetItem", "UpdateItem"},
        "Unmatched": {"BatchWriteItem"},
        "Tokens": {"GetItem", "UpdateItem"},
    },
    "ProxyApi": {"ApiTokens": {"GetItem", "UpdateItem"}},
    "ProwlarrApi": {
        "Accounts": {"GetItem"},
        "Sessions": {"GetItem", "UpdateItem"},
        "ApiTokens": {"GetItem", "UpdateItem"},
        "Prowlarr": {"GetItem"},
    },
    "Notifier": {"Webhooks": {"GetItem"}},
}
"""Less than all, or more than reading: exactly these actions. A webhook is saved by whom it is never shown to."""
ALL = {
    "BatchGetItem",
    "BatchWriteItem",
    "ConditionCheckItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "UpdateItem",
}
READING = {"BatchGetItem", "GetItem", "Query"}
INDEXES = {
    "AuthApi": {"Sessions/index/user", "ApiTokens/index/user"},
    "SyncApi": set[str](),
    "ProxyApi": set[str](),
    "ProwlarrApi": set[str](),
    "SyncScheduler": {"Accounts/index/schedule", "Accounts/index/keep_alive"},
    "SyncPlanner": {"Sessions/index/user", "ApiTokens/index/user"},
    "HistorySender": set[str](),
    "Notifier": set[str](),
}
SENDS = {
    "AuthApi": {"SyncJobs"},
    "SyncApi": {"SyncJobs", "HistoryBatches", "Notices"},
    "ProxyApi": {"Notices"},
    "ProwlarrApi": set[str](),
    "SyncScheduler": {"SyncJobs"},
    "SyncPlanner": {"SyncJobs", "SyncJobsDlq", "HistoryBatches", "Notices"},
    "HistorySender": {"HistoryBatches", "HistoryBatchesDlq", "Notices"},
    "Notifier": {"NoticesDlq"},
}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: body for name, body in RESOURCES.items() if body["Type"] == kind}


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def statements(function: str) -> list[dict[str, Any]]:
    role = properties(f"{function}Role")
    assert "ManagedPolicyArns" not in role
    return [s for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"]]


def several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def references(node: Any) -> Iterator[str]:
    """Every name that a part of the template refers to, with what `!Sub` fills in."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "GetAtt":
                yield value.split(".")[0]
            elif key == "Sub":
                text, *more = several(value)
                yield from (part.split("}")[0].split(".")[0] for part in text.split("${")[1:])
                yield from references(more)
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def test_functions_are_the_folders() -> None:
    """Logical ids are the folders' names in Pascal case; every folder is deployed."""
    found = {name: body["Properties"]["CodeUri"] for name, body in of_type("AWS::Serverless::Function").items()}
    assert found == {name: f"functions/{folder}/" for name, folder in FUNCTIONS.items()}
    assert {file.parent.name for file in ROOT.glob("functions/*/app.py")} == set(FUNCTIONS.values())


@pytest.mark.parametrize("function", FUNCTIONS)
class TestRole:
    def test_is_the_function_s_own(self, function: str) -> None:
        """Nobody else has it, and SAM adds nothing to it."""
        assert properties(function)["Role"] == {"GetAtt": f"{function}Role.Arn"}
        assert "Policies" not in properties(function)
        assert (
            sum(f"{function}Role" in set(references(body)) for body in of_type("AWS::Serverless::Function").values())
            == 1
        )

    def test_names_exact_actions_and_resources(self, function: str) -> None:
        """No wildcard at all: neither an action nor a resource, an account's every table least of all."""
        for statement in statements(function):
            assert statement["Effect"] == "Allow"
            actions = set(several(statement["Action"])) - {"sqs:SendMessage*"}  # why: see the template
            assert all("*" not in action for action in actions), statement["Sid"]
            objects = [{"Sub": "${AnswerBodies.Arn}/*"}]  # of a bucket that holds nothing else
            exact = [resource for resource in several(statement["Resource"]) if resource not in objects]
            assert all("*" not in str(resource) for resource in exact), statement["Sid"]

    def test_opens_what_the_function_works_with(self, function: str) -> None:
        """The whole list of queues; a function that comes to need more has to say so here."""

        def granted(*actions: str) -> set[str]:
            return {
                resource["GetAtt"].removesuffix(".Arn")
                for statement in statements(function)
                if set(actions) <= set(several(statement["Action"]))
                for resource in several(statement["Resource"])
                if "GetAtt" in resource
            }

        assert granted("sqs:SendMessage*") == SENDS[function]
        assert granted("sqs:ReceiveMessage", "sqs:DeleteMessage") == {
            queue for worker, queue in WORKERS.items() if worker == function
        }

    def test_tells_the_operator_only_if_it_is_the_notifier(self, function: str) -> None:
        """Everybody else puts a notice on the queue, which waits when the topic does not answer."""
        publishers = [s for s in statements(function) if any(a.startswith("sns:") for a in several(s["Action"]))]
        assert [(s["Action"], s["Resource"]) for s in publishers] == (
            [("sns:Publish", {"Ref": "OperatorTopic"})] if function == "Notifier" else []
        )

    def test_opens_no_more_than_that(self, function: str) -> None:
        """Action by action, table by table; of an index it can ask, nothing else."""
        rights: dict[str, set[str]] = {}
        indexes = set()
        for statement in statements(function):
            actions = {a.removeprefix("dynamodb:") for a in several(statement["Action"]) if a.startswith("dynamodb:")}
            for resource in several(statement["Resource"]) if actions else []:
                if "Sub" in resource:
                    assert actions == {"Query"}
                    indexes.add(resource["Sub"].replace("${", "").replace(".Arn}", ""))
                else:
                    rights.setdefault(resource["GetAtt"].removesuffix(".Arn"), set()).update(actions)
        assert indexes == INDEXES[function]
        touched = TOUCHES.get(function, {})
        wanted = {table: READING | touched.get(table, set()) for table in READS[function]}
        wanted |= dict.fromkeys(WRITES[function], ALL)
        assert rights == touched | wanted

    def test_does_all_only_where_an_api_asks_for_it(self, function: str) -> None:
        """What works by itself, far from any request, may do what its code does, action by action."""
        assert bool(WRITES[function]) == (function in {"AuthApi", "SyncApi", "ProxyApi"})

    def test_never_reads_a_whole_table(self, function: str) -> None:
        """A scan costs more with every user."""
        assert not any(a == "dynamodb:Scan" for s in statements(function) for a in several(s["Action"]))

    def test_writes_its_own_log_only(self, function: str) -> None:
        """Log groups exist before the function does, and forget."""
        (log,) = (s for s in statements(function) if any(a.startswith("logs:") for a in several(s["Action"])))
        assert log["Resource"] == {"GetAtt": f"{function}Log.Arn"}
        group = properties(f"{function}Log")
        assert group["LogGroupName"]["Sub"] == f"/aws/lambda/{properties(function)['FunctionName']['Sub']}"
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}

    def test_sees_tokens_only_where_it_must(self, function: str) -> None:
        """Whoever neither signs in nor calls an upstream can read no token, no key and no secret of the deployment."""
        touched = set(references(statements(function)))
        allowed = function in MAY_SEE_TOKENS
        assert ("Tokens" in touched) == allowed
        assert ("TraktClientSecret" in touched) == allowed
        assert ("KinopubClientSecret" in touched) == (function in CALLS_KINOPUB)
        assert "TokenKey" not in touched


def test_caller_of_users_addresses_reads_webhooks_alone() -> None:
    """Whoever gets the better of the function that calls addresses of users finds no token, session or account."""
    touched = set(references(statements("Notifier")))
    assert touched & set(of_type("AWS::DynamoDB::Table")) == {"Webhooks"}
    assert touched - {"AWS::Partition", "AWS::Region", "AWS::AccountId", "AWS::StackName"} == {
        "NotifierLog", "Webhooks", "Notices", "NoticesDlq", "OperatorTopic"
    }  # fmt: skip


def test_caller_of_prowlarrs_sees_no_token() -> None:
    """Who asks and the one setting: no secret of the deployment, no queue, no bucket. What it may open, see below."""
    touched = set(references(statements("ProwlarrApi")))
    assert touched - {"AWS::Partition", "AWS::Region", "AWS::AccountId", "AWS::StackName"} == {
        "ProwlarrApiLog", "Accounts", "Sessions", "ApiTokens", "Prowlarr"
    }  # fmt: skip


def test_key_opens_for_those_who_see_tokens_only() -> None:
    """The account administers the key; it cannot decrypt with it, and neither can a policy that it hands out.

    Who saves a webhook may seal and not open, who calls it, or a Prowlarr, may open and not seal.
    """
    admin, use, seal, open_ = properties("TokenKey")["KeyPolicy"]["Statement"]
    assert (seal["Principal"]["AWS"], seal["Action"]) == ({"GetAtt": "SyncApiRole.Arn"}, "kms:GenerateDataKey")
    callers = [{"GetAtt": "NotifierRole.Arn"}, {"GetAtt": "ProwlarrApiRole.Arn"}]
    assert (open_["Principal"]["AWS"], open_["Action"]) == (callers, "kms:Decrypt")
    assert {p["GetAtt"] for p in use["Principal"]["AWS"]} == {f"{function}Role.Arn" for function in MAY_SEE_TOKENS}
    assert set(use["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert not any(
        a == "kms:*" or a.startswith(("kms:Decrypt", "kms:Generate", "kms:Encrypt")) for a in admin["Action"]
    )
    assert properties("TokenKey")["EnableKeyRotation"] is True


def test_environment_is_what_the_code_reads() -> None:
    """Every variable is a setting of the code, and every setting of the code is given."""
    common = TEMPLATE_DATA["Globals"]["Function"]["Environment"]["Variables"]
    known = {field.name.upper() for field in fields(Settings)}
    needed = {field.name.upper() for field in fields(Settings) if field.default is MISSING}
    given = {name for name in common if not name.startswith("POWERTOOLS_")}
    assert given <= known
    assert needed <= given
    for function, folder in FUNCTIONS.items():
        assert properties(function)["Environment"]["Variables"] == {"POWERTOOLS_SERVICE_NAME": folder}


def test_no_secret_is_in_an_environment_variable() -> None:
    """What stands there is the name of an SSM SecureString."""
    for name, value in TEMPLATE_DATA["Globals"]["Function"]["Environment"]["Variables"].items():
        if set(references(value)) & set(SECRETS):
            assert name.endswith(("_SECRET_PARAMETER", "_TOKEN_PARAMETER"))


@pytest.mark.parametrize(("worker", "queue"), WORKERS.items())
class TestQueue:
    def test_hides_a_message_for_six_time_outs(self, worker: str, queue: str) -> None:
        """AWS's own rule: a message does not come back while a retry of its batch may still be under way."""
        assert properties(queue)["VisibilityTimeout"] >= 6 * properties(worker)["Timeout"]

    def test_gives_up_into_its_own_dead_letters(self, worker: str, queue: str) -> None:
        """One that always fails leaves, is kept as long as SQS can, and holds up nobody."""
        redrive = properties(queue)["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"] == {"GetAtt": f"{queue}Dlq.Arn"}
        assert 3 <= redrive["maxReceiveCount"] <= 10
        assert properties(f"{queue}Dlq")["MessageRetentionPeriod"] == 14 * 24 * 3600

    def test_is_worked_off_message_by_message(self, worker: str, queue: str) -> None:
        """A failure brings back the messages that failed, not their neighbours; workers have an upper limit."""
        (source,) = (event["Properties"] for event in properties(worker)["Events"].values())
        assert source["Queue"] == {"GetAtt": f"{queue}.Arn"}
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert "MaximumConcurrency" in source["ScalingConfig"]

    def test_is_a_standard_queue_that_is_encrypted(self, worker: str, queue: str) -> None:
        """FIFO queues have no delay per message."""
        for name in (queue, f"{queue}Dlq"):
            assert "FifoQueue" not in properties(name)
            assert properties(name)["SqsManagedSseEnabled"] is True


def test_every_dead_letter_and_every_crash_is_told() -> None:
    """By an alarm to the operator's topic, to which this account's alarms and the notifier alone may publish."""
    alarms = {name: body["Properties"] for name, body in of_type("AWS::CloudWatch::Alarm").items()}
    assert all(alarm["AlarmActions"] == [{"Ref": "OperatorTopic"}] for alarm in alarms.values())
    assert all(alarm["TreatMissingData"] == "notBreaching" for alarm in alarms.values())
    watched = {
        (alarm["MetricName"], value.get("Ref") or value["GetAtt"].removesuffix(".QueueName"))
        for alarm in alarms.values()
        for value in (dimension["Value"] for dimension in alarm["Dimensions"])
    }
    assert watched == {("Errors", function) for function in FUNCTIONS} | {
        ("ApproximateNumberOfMessagesVisible", f"{queue}Dlq") for queue in WORKERS.values()
    }
    (statement,) = properties("OperatorTopicPolicy")["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_owner_is_mailed_where_there_is_one() -> None:
    """Without OwnerEmail nobody is subscribed; who wants to be can do so by hand."""
    ((_, mail),) = of_type("AWS::SNS::Subscription").items()
    assert mail["Condition"] == "HasOwner"
    assert mail["Properties"] == {
        "TopicArn": {"Ref": "OperatorTopic"},
        "Protocol": "email",
        "Endpoint": {"Ref": "OwnerEmail"},
    }


def test_one_function_may_call_another() -> None:
    """The proxy's, which hands OAuth calls over; nobody else calls any."""
    callers = [
        (function, statement["Resource"])
        for function in FUNCTIONS
        for statement in statements(function)
        if any(action.startswith("lambda:") for action in several(statement["Action"]))
    ]
    ((caller, called),) = callers
    assert caller == "ProxyApi"
    assert called["Sub"].rpartition(":function:")[2] == properties("AuthApi")["FunctionName"]["Sub"]


def test_functions_answer_before_the_api_gives_up() -> None:
    """An HTTP API waits for 30 s."""
    assert properties("AuthApi")["Timeout"] < 30
    assert properties("SyncApi")["Timeout"] < 30
    assert properties("ProxyApi")["Timeout"] < 30
    assert properties("ProwlarrApi")["Timeout"] < 30


@pytest.mark.parametrize("table", of_type("AWS::DynamoDB::Table"))
class TestTable:
    def test_costs_nothing_while_idle_and_can_be_restored(self, table: str) -> None:
        """On demand, point in time recovery, `ttl`; no name of its own, since a retained table would be in the way."""
        body = properties(table)
        assert body["BillingMode"] == "PAY_PER_REQUEST"
        assert body["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert body["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
        assert "TableName" not in body

    def test_outlives_the_stack_where_it_cannot_be_made_again(self, table: str) -> None:
        """Without the ledger everything would be sent once more."""
        kept = "Retain" if table in {"Accounts", "Tokens", "Ledger", "Overrides"} else "Delete"
        assert (RESOURCES[table]["DeletionPolicy"], RESOURCES[table]["UpdateReplacePolicy"]) == (kept, kept)


def test_schedule_is_the_owner_s_and_the_stack_s() -> None:
    """A name of its own per stack: two stacks in one account must not share a schedule."""
    ((_, schedule),) = of_type("AWS::Scheduler::Schedule").items()
    assert "${AWS::StackName}" in schedule["Properties"]["Name"]["Sub"]
    assert schedule["Properties"]["ScheduleExpression"] == {"Ref": "SyncSchedule"}
    assert schedule["Properties"]["State"] == {"Ref": "ScheduleState"}
    assert schedule["Properties"]["Target"]["Arn"] == {"GetAtt": "SyncScheduler.Arn"}


def test_every_named_resource_is_the_stack_s() -> None:
    """Two stacks live in one account: whatever has a name has the stack's in it."""
    for resource, body in RESOURCES.items():
        for key in (
            "Name",
            "FunctionName",
            "LogGroupName",
            "AliasName",
            "AlarmName",
            "TopicName",
            "BudgetName",
            "RoleName",
            "QueueName",
        ):
            name = body["Properties"].get(key)
            if name is not None and body["Type"] != "AWS::Lambda::Permission":
                assert "AWS::StackName" in str(name), resource


def test_routes_lead_to_the_functions() -> None:
    """CloudFront hands /api/* on unchanged; what no route knows gets our own 404."""
    routes = {
        body["Properties"]["RouteKey"]: body["Properties"]["Target"]["Sub"]
        .partition("${")[2]
        .removesuffix("Integration}")
        for body in of_type("AWS::ApiGatewayV2::Route").values()
    }
    assert routes == {
        "GET /api/health": "AuthApi",
        "POST /api/auth/{provider}/device/code": "AuthApi",
        "ANY /api/auth/{proxy+}": "AuthApi",
        "ANY /api/account": "AuthApi",
        "ANY /api/account/{proxy+}": "AuthApi",
        "ANY /api/sync/{proxy+}": "SyncApi",
        "ANY /api/tmdb/{proxy+}": "ProxyApi",
        "POST /api/trakt/oauth/device/code": "AuthApi",
        "ANY /api/trakt/oauth/{proxy+}": "AuthApi",
        "ANY /api/trakt/{proxy+}": "ProxyApi",
        "ANY /api/kinopub/{proxy+}": "ProxyApi",
        "ANY /api/prowlarr/{proxy+}": "ProwlarrApi",
        "GET /api/openapi.json": "ProxyApi",
        "GET /api/openapi.html": "ProxyApi",
        "$default": "SyncApi",
    }


def test_limits_protect_the_bill() -> None:
    """Every request counts against a limit; asking for a device code, open to everybody, against a lower one."""
    stage = properties("ApiStage")
    beginnings = ("POST /api/auth/{provider}/device/code", "POST /api/trakt/oauth/device/code")
    assert set(stage["RouteSettings"]) == set(beginnings)
    slow = max(stage["RouteSettings"][route]["ThrottlingRateLimit"] for route in beginnings)
    for size in TEMPLATE_DATA["Mappings"]["Sizes"].values():
        assert slow < size["Requests"] <= size["Burst"]
    assert {"Requests", "Burst"} == {limit["FindInMap"][2] for limit in stage["DefaultRouteSettings"].values()}


def test_access_log_has_no_credential() -> None:
    """A query may carry one; so may a header."""
    written = properties("ApiStage")["AccessLogSettings"]["Format"]
    assert "$context.path" in written
    for leak in ("querystring", "authorizer", "header", "sourceIp", "protocol"):
        assert leak.lower() not in written.lower()


def test_cloudfront_never_caches_the_api() -> None:
    """Nor its errors, and no error page of CloudFront's ever takes the place of an answer of the API."""
    config = properties("Distribution")["DistributionConfig"]
    api, images = config["CacheBehaviors"]
    assert (api["PathPattern"], images["PathPattern"]) == ("/api/*", "/t/p/*")
    assert api["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CachingDisabled
    assert api["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AllViewerExceptHostHeader
    assert "FunctionAssociations" not in api
    assert {"POST", "PUT", "DELETE"} <= set(api["AllowedMethods"])
    for rule in config["CustomErrorResponses"]:
        assert rule["ErrorCachingMinTTL"] == 0
        assert set(rule) == {"ErrorCode", "ErrorCachingMinTTL"}


def test_what_amazon_answers_itself_has_our_policy() -> None:
    """API Gateway's 503, CloudFront's 502: nothing runs. What a function says of it itself stays."""
    api, _ = properties("Distribution")["DistributionConfig"]["CacheBehaviors"]
    assert api["ResponseHeadersPolicyId"] == {"Ref": "ApiHeaders"}
    assert properties("ApiHeaders")["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"] == {
        "ContentSecurityPolicy": {
            "Override": False, "ContentSecurityPolicy": SECURITY_HEADERS["Content-Security-Policy"]
        },
        "ContentTypeOptions": {"Override": False},
    }  # fmt: skip


def test_images_come_straight_from_their_host() -> None:
    """No Lambda in between: a function of CloudFront's checks the path, another the type; kept for a day, read only."""
    _, images = properties("Distribution")["DistributionConfig"]["CacheBehaviors"]
    assert images["TargetOriginId"] == "images"
    assert set(images["AllowedMethods"]) == {"GET", "HEAD"}
    assert "OriginRequestPolicyId" not in images
    assert {each["EventType"]: each["FunctionARN"]["GetAtt"] for each in images["FunctionAssociations"]} == {
        "viewer-request": "ImageRequests.FunctionARN",
        "viewer-response": "ImageAnswers.FunctionARN",
    }
    caching = properties("ImageCaching")["CachePolicyConfig"]
    # A page with the status 200 must not stay for long: MinTTL would keep it whatever it says of itself.
    assert (caching["MinTTL"], caching["MaxTTL"]) == (0, 86400)
    assert caching["DefaultTTL"] <= 300
    assert "sandbox" in str(properties("ImageHeaders"))


def test_bucket_is_read_by_our_distribution_only() -> None:
    """Private, and CloudFront signs with an access that is bound to this very distribution."""
    assert all(properties("Page")["PublicAccessBlockConfiguration"].values())
    (statement,) = properties("PagePolicy")["PolicyDocument"]["Statement"]
    assert statement["Action"] == "s3:GetObject"
    assert "Distribution" in set(references(statement["Condition"]["StringEquals"]["AWS:SourceArn"]))


def test_laptop_and_aws_differ_in_the_site_alone() -> None:
    """What is tested on a laptop is what runs in AWS: only addresses depend on where it is."""

    def asks_where(node: Any) -> bool:
        if isinstance(node, dict):
            return (isinstance(node.get("If"), list) and node["If"][0] == "Local") or any(
                map(asks_where, node.values())
            )
        return isinstance(node, list) and any(map(asks_where, node))

    assert {name for name, body in RESOURCES.items() if asks_where(body)} == {"Distribution", "SiteAddress"}


def test_parameters_are_the_public_contract() -> None:
    """Names and defaults of the settings that owners were promised."""
    defaults = {name: body.get("Default") for name, body in TEMPLATE_DATA["Parameters"].items()}
    promised = {
        "TraktApiUrl": "https://api.trakt.tv",
        "TraktAuthUrl": "https://auth.trakt.tv",
        "TraktClientId": None,
        "TraktClientSecret": None,
        "KinopubApiUrl": "https://api.service-kp.com",
        "KinopubClientId": None,
        "KinopubClientSecret": None,
        "TmdbApiUrl": "https://api.themoviedb.org",
        "TmdbImageUrl": "https://image.tmdb.org",
        "TmdbReadAccessToken": "",
        "SyncSchedule": "rate(1 hour)",
        "SyncSpreadSeconds": 900,
        "ReadBackSettleSeconds": 60,
        "AllowedTraktUsers": None,
        "ProxyPassthrough": "false",
        "AllowPrivateProwlarr": "false",
    }
    assert {name: defaults[name] for name in promised} == promised


def test_every_parameter_is_used() -> None:
    """None is there for nothing."""
    used = set(references([RESOURCES, TEMPLATE_DATA["Globals"], TEMPLATE_DATA["Conditions"], TEMPLATE_DATA["Rules"]]))
    assert set(TEMPLATE_DATA["Parameters"]) <= used


def test_version_is_the_project_s() -> None:
    """GET /api/health tells which version runs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = TEMPLATE_DATA["Globals"]["Function"]["Environment"]["Variables"]["WATCHFERRY_VERSION"]
    assert version == project["version"]


def test_fits_into_cloudformation() -> None:
    """A million bytes when it comes from S3, as sam deploy sends it."""
    assert TEMPLATE.stat().st_size < 1_000_000
