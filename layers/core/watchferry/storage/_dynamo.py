"""DynamoDB in plain Python values: expressions and types translated, nothing else.

Conditions are boto3's own (`Attr("status").eq("PLANNED")`). Numbers are integers; an item's None fields are left out.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from boto3.dynamodb.conditions import Attr, ConditionBase, ConditionExpressionBuilder, Key
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Item = dict[str, Any]
type Clock = Callable[[], float]

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()

__all__ = ["Attr", "Clock", "ConditionBase", "ConditionFailed", "Item", "Key", "Table", "not_expired", "transact"]


class ConditionFailed(Exception):
    """The item was not in the state that the caller asked for; `item` is what it was, where DynamoDB says so."""

    def __init__(self, item: Item | None = None) -> None:
        super().__init__("the condition did not hold")
        self.item = item


def _is_conflict(error: BaseException) -> bool:
    if not isinstance(error, ClientError):
        return False
    reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
    return error.response["Error"]["Code"] == "TransactionConflictException" or (
        "TransactionConflict" in reasons and "ConditionalCheckFailed" not in reasons
    )


def _past_conflicts[**P, T](call: Callable[P, T]) -> Callable[P, T]:
    """Two transactions that touch one item at once: DynamoDB cancels one of them and botocore does not repeat it."""

    @functools.wraps(call)
    def patient(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except ClientError as error:
            if not _is_conflict(error):
                raise
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

        again = Retrying(
            retry=retry_if_exception(_is_conflict),
            wait=wait_random_exponential(multiplier=0.02, max=0.5),
            stop=stop_after_attempt(12),
            reraise=True,
        )
        return again(call, *args, **kwargs)

    return patient


def not_expired(item: Item | None, now: float) -> Item | None:
    """DynamoDB deletes items hours after their `ttl`, the local cloud never does: filter here."""
    return item if item and item.get("ttl", now + 1) > now else None


def _wire(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serializer.serialize(value) for name, value in item.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Binary):
        return bytes(value.value)  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, (str, bytes, bool, set)) or value is None:  # sets are of strings
        return value
    return int(value)


def _unwire(item: Mapping[str, Any]) -> Item:
    return {name: _plain(_deserializer.deserialize(value)) for name, value in item.items()}


class Table:
    """One table. Reads are consistent unless they go through an index."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self.client = client
        self.name = name

    def get(self, key: Item) -> Item | None:
        found = self.client.get_item(TableName=self.name, Key=_wire(key), ConsistentRead=True).get("Item")
        return _unwire(found) if found else None

    def put(self, item: Item, when: ConditionBase | None = None) -> None:
        self._write("put_item", {"Item": _wire(item)}, when)

    def delete(self, key: Item, when: ConditionBase | None = None) -> Item | None:
        """Returns what was there."""
        answer = self._write("delete_item", {"Key": _wire(key), "ReturnValues": "ALL_OLD"}, when)
        return _unwire(answer["Attributes"]) if answer.get("Attributes") else None

    def update(
        self,
        key: Item,
        *,
        set_: Item | None = None,
        add: Item | None = None,
        remove: Sequence[str] = (),
        when: ConditionBase | None = None,
    ) -> Item:
        """Returns the item as it is after the change. None in `set_` removes the field."""
        request = {"Key": _wire(key), **_expression(set_, add, remove), "ReturnValues": "ALL_NEW"}
        return _unwire(self._write("update_item", request, when)["Attributes"])

    def query(
        self,
        key: ConditionBase,
        *,
        index: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        after: Item | None = None,
    ) -> Iterator[Item]:
        """Every item under the key condition, page by page as it is consumed."""
        request: dict[str, Any] = {"TableName": self.name, "ScanIndexForward": not newest_first}
        if index:
            request["IndexName"] = index
        else:
            request["ConsistentRead"] = True
        if limit:
            request["Limit"] = limit
        if after:
            request["ExclusiveStartKey"] = _wire(after)
        built = ConditionExpressionBuilder().build_expression(key, is_key_condition=True)
        request |= {
            "KeyConditionExpression": built.condition_expression,
            "ExpressionAttributeNames": built.attribute_name_placeholders,
            "ExpressionAttributeValues": _wire(built.attribute_value_placeholders),
        }
        left = limit
        while True:
            page = self.client.query(**request)
            for item in page["Items"]:
                yield _unwire(item)
            if left is not None:
                left -= len(page["Items"])
                if left <= 0:
                    return
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def get_many(self, keys: Iterable[Item]) -> Iterator[Item]:
        """In no order; what is not there is left out."""
        for chunk in _chunks(keys, 100):
            wanted: Any = {self.name: {"Keys": [_wire(key) for key in chunk], "ConsistentRead": True}}
            while wanted:
                page = self.client.batch_get_item(RequestItems=wanted)
                for item in page["Responses"].get(self.name, []):
                    yield _unwire(item)
                wanted = page.get("UnprocessedKeys")

    def put_many(self, items: Iterable[Item]) -> None:
        """Unconditional; no key may stand twice in one call."""
        for chunk in _chunks(items, 25):
            pending: Any = {self.name: [{"PutRequest": {"Item": _wire(item)}} for item in chunk]}
            while pending:
                pending = self.client.batch_write_item(RequestItems=pending).get("UnprocessedItems")

    def delete_many(self, keys: Iterable[Item]) -> None:
        for chunk in _chunks(keys, 25):
            pending: Any = {self.name: [{"DeleteRequest": {"Key": _wire(key)}} for key in chunk]}
            while pending:
                pending = self.client.batch_write_item(RequestItems=pending).get("UnprocessedItems")

    # Parts of a transaction, for `transact`.

    def updating(
        self,
        key: Item,
        *,
        set_: Item | None = None,
        add: Item | None = None,
        remove: Sequence[str] = (),
        when: ConditionBase | None = None,
    ) -> Item:
        return {"Update": self._conditional({"Key": _wire(key), **_expression(set_, add, remove)}, when)}

    def putting(self, item: Item, when: ConditionBase | None = None) -> Item:
        return {"Put": self._conditional({"Item": _wire(item)}, when)}

    def checking(self, key: Item, when: ConditionBase) -> Item:
        return {"ConditionCheck": self._conditional({"Key": _wire(key)}, when)}

    @_past_conflicts
    def _write(self, operation: str, request: Item, when: ConditionBase | None) -> Item:
        request = self._conditional(request, when)
        if when is not None:
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            answer: Item = getattr(self.client, operation)(**request)
        except self.client.exceptions.ConditionalCheckFailedException as failed:
            found = failed.response.get("Item")
            raise ConditionFailed(_unwire(cast(Item, found)) if found else None) from failed
        return answer

    def _conditional(self, request: Item, when: ConditionBase | None) -> Item:
        request = {"TableName": self.name, **request}
        if when is not None:
            built = ConditionExpressionBuilder().build_expression(when)
            request["ConditionExpression"] = built.condition_expression
            request["ExpressionAttributeNames"] = {
                **request.get("ExpressionAttributeNames", {}),
                **built.attribute_name_placeholders,
            }
            values = {**request.get("ExpressionAttributeValues", {}), **_wire(built.attribute_value_placeholders)}
            if values:
                request["ExpressionAttributeValues"] = values
        return request


@_past_conflicts
def transact(client: "DynamoDBClient", parts: Sequence[Item]) -> None:
    """All or nothing. Raises ConditionFailed."""
    try:
        client.transact_write_items(TransactItems=parts)  # type: ignore[arg-type]
    except client.exceptions.TransactionCanceledException as failed:
        reasons = [reason.get("Code") for reason in failed.response.get("CancellationReasons", [])]
        if "ConditionalCheckFailed" in reasons:
            raise ConditionFailed from failed
        raise


def _expression(set_: Item | None, add: Item | None, remove: Sequence[str]) -> Item:
    """An UpdateExpression; a dotted name reaches into a map (`counts.sent`)."""
    names: dict[str, str] = {}
    values: dict[str, Any] = {}

    def path(name: str) -> str:
        parts = name.split(".")
        for part in parts:
            names[f"#{part}"] = part
        return ".".join(f"#{part}" for part in parts)

    clauses: dict[str, list[str]] = {"SET": [], "ADD": [], "REMOVE": [path(name) for name in remove]}
    for verb, changes in (("SET", set_ or {}), ("ADD", add or {})):
        for index, (name, value) in enumerate(changes.items()):
            if value is None:
                clauses["REMOVE"].append(path(name))
                continue
            placeholder = f":{verb.lower()}{index}"
            values[placeholder] = value
            clauses[verb].append(f"{path(name)} = {placeholder}" if verb == "SET" else f"{path(name)} {placeholder}")
    built: Item = {
        "UpdateExpression": " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts),
        "ExpressionAttributeNames": names,
    }
    if values:
        built["ExpressionAttributeValues"] = _wire(values)
    return built


def _chunks[T](items: Iterable[T], size: int) -> Iterator[list[T]]:
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
