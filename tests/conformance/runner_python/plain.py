# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Messages and errors as the plain values that scenarios speak of."""

import datetime
import re

import grpc
from google.protobuf import json_format

import stubs

# Where the server's wall clock starts: "@0s".
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DOMAIN = "presence.lifesign.dev"
DETAILS = {
    kind.DESCRIPTOR.full_name: kind for kind in (
        stubs.error_details.ErrorInfo, stubs.error_details.RetryInfo,
        stubs.error_details.QuotaFailure, stubs.error_details.BadRequest)
}
CODES = {code.value[0]: code.name for code in grpc.StatusCode}


def since_start(value):
    """`value` with every timestamp in it as "@15s"."""
    if isinstance(value, dict):
        return {key: since_start(member) for key, member in value.items()}
    if isinstance(value, list):
        return [since_start(element) for element in value]
    if isinstance(value, str) and TIMESTAMP.fullmatch(value):
        at = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return f"@{(at - START).total_seconds():.10g}s"
    return value


def of_message(message):
    """Protobuf's JSON, its times since the start, its errors as `of_status`."""
    value = since_start(json_format.MessageToDict(
        message, preserving_proto_field_name=True))
    for name in ("errors", "refused"):
        for error, plain in zip(getattr(message, name, ()),
                                value.get(name, [])):
            del plain["status"]
            plain.update(of_status(error.status))
    return value


def of_status(status):
    """A google.rpc.Status: its code's name, and what its details say."""
    said = {"code": CODES[status.code], "message_given": bool(status.message)}
    infos = 0
    for detail in status.details:
        kind = DETAILS[detail.TypeName()]
        content = kind.FromString(detail.value)
        if kind is stubs.error_details.ErrorInfo:
            infos += 1
            said["reason"] = content.reason
            said["metadata"] = dict(content.metadata)
            assert content.domain == DOMAIN, content.domain
        elif kind is stubs.error_details.RetryInfo:
            said["retry_delay"] = json_format.MessageToDict(
                content)["retryDelay"]
        elif kind is stubs.error_details.QuotaFailure:
            said["quotas"] = [v.subject for v in content.violations]
        else:
            said["fields"] = [v.field for v in content.field_violations]
    assert infos == 1, f"{infos} ErrorInfo instead of one: {status}"
    return said


def of_rpc_error(error):
    """How a call ended; its details come in a trailer, as bytes."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = stubs.status.Status.FromString(value)
            assert CODES[status.code] == error.code().name, (status, error)
            return of_status(status)
    return {"code": error.code().name, "text": error.details()}
