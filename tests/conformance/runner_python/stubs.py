# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""What grpcio-tools makes of proto/, made anew for every run of the tests."""

import importlib
import pathlib
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROTO = ROOT / "proto"
FILES = (
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
    "lifesign/v1/presence.proto",
    "lifesign/v1/presence_service.proto",
)

_folder = tempfile.TemporaryDirectory(prefix="lifesign-stubs-")
FOLDER = _folder.name
_result = protoc.main([
    "protoc",
    f"-I{PROTO}",
    f"-I{pathlib.Path(grpc_tools.__file__).parent / '_proto'}",
    f"--python_out={FOLDER}",
    f"--grpc_python_out={FOLDER}",
    *FILES,
])
if _result != 0:
    raise RuntimeError(f"protoc could not make Python of {FILES}: {_result}")
sys.path.insert(0, FOLDER)

error_details = importlib.import_module("google.rpc.error_details_pb2")
status = importlib.import_module("google.rpc.status_pb2")
service = importlib.import_module("lifesign.v1.presence_service_pb2")
service_grpc = importlib.import_module("lifesign.v1.presence_service_pb2_grpc")
