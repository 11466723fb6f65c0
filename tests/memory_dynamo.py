"""DynamoDB as far as `storage/_dynamo.py` uses it, in one process and thirty times as fast as moto.

The crash tests make millions of calls. `tests/unit/sync/test_memory_dynamo.py` holds it to what moto answers.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from tests.tables import tables

Wire = dict[str, Any]
"""An item in DynamoDB's own form: `{"status": {"S": "SENT"}}`."""
Test = Callable[[Wire | None, Mapping[str, str], Wire], bool]
Operand = Callable[[Wire, Mapping[str, str], Wire], Any]

LARGEST_ITEM = 400_000


class ConditionalCheckFailedException(ClientError):
    pass


class TransactionCanceledException(ClientError):
    pass


class _Exceptions:
    ConditionalCheckFailedException = ConditionalCheckFailedException
    TransactionCanceledException = TransactionCanceledException


def refused(code: str, operation: str, **more: Any) -> ClientError:
    """An error as botocore raises it."""
    kinds = {"ConditionalCheckFailedException": ConditionalCheckFailedException}
    kinds["TransactionCanceledException"] = TransactionCanceledException
    kind = kinds.get(code, ClientError)
    return kind({"Error": {"Code": code, "Message": code}, **more}, operation)


class MemoryDynamo:
    """The client. Every call is atomic and consistent. Stored values are never changed in place, nor copied."""

    exceptions: ClassVar = _Exceptions

    def __init__(self) -> None:
        self.tables: dict[str, dict[tuple[str, ...], Wire]] = {name: {} for name in tables()}
        self._keys = {
            (name, index): tuple(part["AttributeName"] for part in schema)
            for name, definition in tables().items()
            for index, schema in [
                (None, definition["KeySchema"]),
                *((gsi["IndexName"], gsi["KeySchema"]) for gsi in definition.get("GlobalSecondaryIndexes", [])),
            ]
        }

    # Reading

    def get_item(self, *, TableName: str, Key: Wire, ConsistentRead: bool) -> Wire:
        found = self.tables[TableName].get(self._key(TableName, Key))
        return {"Item": found} if found else {}

    def batch_get_item(self, *, RequestItems: Wire) -> Wire:
        answers: Wire = {}
        for name, wanted in RequestItems.items():
            keys = [self._key(name, key) for key in wanted["Keys"]]
            if len(keys) > 100 or len(set(keys)) < len(keys):
                raise refused("ValidationException", "BatchGetItem")
            answers[name] = [self.tables[name][key] for key in keys if key in self.tables[name]]
        return {"Responses": answers, "UnprocessedKeys": {}}

    def query(self, *, TableName: str, **request: Any) -> Wire:
        test = condition(request["KeyConditionExpression"])
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        order = self._keys[TableName, request.get("IndexName")]
        found = [
            (tuple(_value(item[name]) for name in order), item)
            for item in self.tables[TableName].values()
            if all(name in item for name in order) and test(item, names, values)
        ]
        found.sort(key=operator.itemgetter(0), reverse=not request["ScanIndexForward"])
        if start := request.get("ExclusiveStartKey"):
            after = tuple(_value(start[name]) for name in order)
            found = [pair for pair in found if (pair[0] > after if request["ScanIndexForward"] else pair[0] < after)]
        limit = request.get("Limit", len(found))
        answer: Wire = {"Items": [item for _, item in found[:limit]]}
        if len(found) > limit:
            answer["LastEvaluatedKey"] = {name: found[limit - 1][1][name] for name in order}
        return answer

    # Writing

    def put_item(self, *, TableName: str, Item: Wire, **request: Any) -> Wire:
        key = self._checked(TableName, Item, request, "PutItem")
        self.tables[TableName][key] = self._fitting(Item)
        return {}

    def delete_item(self, *, TableName: str, Key: Wire, **request: Any) -> Wire:
        key = self._checked(TableName, Key, request, "DeleteItem")
        gone = self.tables[TableName].pop(key, None)
        return {"Attributes": gone} if gone else {}

    def update_item(self, *, TableName: str, Key: Wire, **request: Any) -> Wire:
        key = self._checked(TableName, Key, request, "UpdateItem")
        changed = self._changed(TableName, key, Key, request)
        self.tables[TableName][key] = changed
        return {"Attributes": changed}

    def batch_write_item(self, *, RequestItems: Wire) -> Wire:
        for name, requests in RequestItems.items():
            keys = [
                self._key(name, (request.get("PutRequest") or {}).get("Item") or request["DeleteRequest"]["Key"])
                for request in requests
            ]
            if not 0 < len(keys) <= 25 or len(set(keys)) < len(keys):
                raise refused("ValidationException", "BatchWriteItem")
            for key, request in zip(keys, requests, strict=True):
                if "PutRequest" in request:
                    self.tables[name][key] = self._fitting(request["PutRequest"]["Item"])
                else:
                    self.tables[name].pop(key, None)
        return {"UnprocessedItems": {}}

    def transact_write_items(self, *, TransactItems: Sequence[Wire]) -> Wire:
        parts = [next(iter(part.items())) for part in TransactItems]
        places = [
            (part["TableName"], self._key(part["TableName"], part.get("Item") or part["Key"])) for _, part in parts
        ]
        if not 0 < len(parts) <= 100 or len(set(places)) < len(places):
            raise refused("ValidationException", "TransactWriteItems")
        held = [self._holds(name, key, part) for (name, key), (_, part) in zip(places, parts, strict=True)]
        if not all(held):
            reasons = [{"Code": "None" if fine else "ConditionalCheckFailed"} for fine in held]
            raise refused("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
        for (name, key), (verb, part) in zip(places, parts, strict=True):
            if verb == "Put":
                self.tables[name][key] = self._fitting(part["Item"])
            elif verb == "Update":
                self.tables[name][key] = self._changed(name, key, part["Key"], part)
            elif verb == "Delete":
                self.tables[name].pop(key, None)
        return {}

    # What they have in common

    def _key(self, table: str, item: Wire) -> tuple[str, ...]:
        key = tuple(item[name]["S"] for name in self._keys[table, None])
        if not all(key):
            raise refused("ValidationException", "Key")
        return key

    def _checked(self, table: str, item: Wire, request: Wire, operation: str) -> tuple[str, ...]:
        key = self._key(table, item)
        if not self._holds(table, key, request):
            found = self.tables[table].get(key)
            more = {"Item": found} if found else {}
            raise refused("ConditionalCheckFailedException", operation, **more)
        return key

    def _holds(self, table: str, key: tuple[str, ...], request: Wire) -> bool:
        expression = request.get("ConditionExpression")
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        return expression is None or condition(expression)(self.tables[table].get(key), names, values)

    def _changed(self, table: str, key: tuple[str, ...], identity: Wire, request: Wire) -> Wire:
        item = dict(self.tables[table].get(key) or identity)
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        for clause in re.split(r"\s+(?=SET |ADD |REMOVE )", request["UpdateExpression"]):
            verb, _, changes = clause.partition(" ")
            for change in changes.split(", "):
                path, _, value = change.replace(" = ", " ").partition(" ")
                *parents, last = [names[part] for part in path.split(".")]
                place = item
                for parent in parents:
                    if parent not in place:
                        raise refused("ValidationException", "UpdateItem")
                    inner = place[parent] = {"M": dict(place[parent]["M"])}
                    place = inner["M"]
                if verb == "REMOVE":
                    place.pop(last, None)
                elif verb == "SET":
                    place[last] = values[value]
                elif "SS" in values[value]:
                    before = place.get(last, {"SS": []})["SS"]
                    place[last] = {"SS": sorted({*before, *values[value]["SS"]})}
                else:
                    number = int(place.get(last, {"N": "0"})["N"])
                    place[last] = {"N": str(number + int(values[value]["N"]))}
        return self._fitting(item)

    def _fitting(self, item: Wire) -> Wire:
        if sum(len(value["B"]) for value in item.values() if "B" in value) > LARGEST_ITEM:
            raise refused("ValidationException", "the item is too large")
        return item


# ---------------------------------------------------------------- condition expressions

_TOKEN = re.compile(r"\s*(<=|>=|<>|[()=<>,]|[#:\w.]+)")
_COMPARE = {"=": operator.eq, "<>": operator.ne}
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@cache
def condition(expression: str) -> Test:
    """What boto3's ConditionExpressionBuilder writes, as a function of (item, names, values)."""
    tokens = _TOKEN.findall(expression)
    test, rest = _any(tokens)
    assert not rest, f"not understood: {expression}"
    return test


def _either(a: Test, b: Test) -> Test:
    return lambda *it: a(*it) or b(*it)


def _both(a: Test, b: Test) -> Test:
    return lambda *it: a(*it) and b(*it)


def _any(tokens: list[str]) -> tuple[Test, list[str]]:
    left, tokens = _all(tokens)
    while tokens[:1] == ["OR"]:
        right, tokens = _all(tokens[1:])
        left = _either(left, right)
    return left, tokens


def _all(tokens: list[str]) -> tuple[Test, list[str]]:
    left, tokens = _one(tokens)
    while tokens[:1] == ["AND"]:
        right, tokens = _one(tokens[1:])
        left = _both(left, right)
    return left, tokens


def _one(tokens: list[str]) -> tuple[Test, list[str]]:
    head, *rest = tokens
    if head == "(":
        test, rest = _any(rest)
        return test, rest[1:]
    if head == "NOT":
        inner, rest = _one(rest)
        return (lambda *it: not inner(*it)), rest
    if head in ("attribute_exists", "attribute_not_exists"):
        found = _operand(rest[1])
        wanted = head == "attribute_exists"
        return (lambda item, *it: (found(item or {}, *it) is not None) == wanted), rest[3:]
    if head == "begins_with":
        whole, start = _operand(rest[1]), _operand(rest[3])
        return (lambda item, *it: str(_value(whole(item or {}, *it))).startswith(_value(start({}, *it)))), rest[5:]
    left, verb, rest = _operand(head), rest[0], rest[1:]
    if verb == "IN":
        closing = rest.index(")")
        options = [_operand(token) for token in rest[1:closing] if token != ","]
        return (lambda item, *it: left(item or {}, *it) in [each({}, *it) for each in options]), rest[closing + 1 :]
    right = _operand(rest[0])
    return _comparison(left, verb, right), rest[1:]


def _comparison(left: Operand, verb: str, right: Operand) -> Test:
    """Values of different types are never in an order; a missing one is not equal to anything."""

    def test(item: Wire | None, names: Mapping[str, str], values: Wire) -> bool:
        a, b = left(item or {}, names, values), right(item or {}, names, values)
        if verb in _COMPARE:
            return bool(_COMPARE[verb](a, b))
        return a is not None and b is not None and a.keys() == b.keys() and bool(_ORDER[verb](_value(a), _value(b)))

    return test


def _value(wire: Wire | None) -> Any:
    if wire is None:
        return None
    ((kind, value),) = wire.items()
    return int(value) if kind == "N" else value


def _operand(token: str) -> Operand:
    if token.startswith(":"):
        return lambda _item, _names, values: values[token]
    parts = token.split(".")

    def found(item: Wire, names: Mapping[str, str], _values: Wire) -> Any:
        value: Any = {"M": item}
        for part in parts:
            value = value.get("M", {}).get(names[part]) if value is not None else None
        return value

    return found
