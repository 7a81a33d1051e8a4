"""Generates the Python modules of proto/muster/v1 on first use, with protoc and its gRPC plugin, and imports them.

Debian: apt-get install python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"


def load():
    """Returns a folder on sys.path from which `muster.v1.*_pb2` can be imported."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-proto-"))
    plugin = shutil.which("grpc_python_plugin")
    if plugin is None or shutil.which("protoc") is None:
        sys.exit("protoc and grpc_python_plugin are needed: apt-get install protobuf-compiler protobuf-compiler-grpc")
    files = sorted(str(path) for path in (PROTO / "muster" / "v1").glob("*.proto"))
    subprocess.run(
        ["protoc", f"--proto_path={PROTO}", f"--python_out={folder}", f"--grpc_python_out={folder}",
         f"--plugin=protoc-gen-grpc_python={plugin}", *files], check=True)
    sys.path.insert(0, str(folder))
    return folder


def default_address():
    """MUSTER_ADDRESS, or the socket of the default cell. gRPC for Python wants host:port without a scheme."""
    address = os.environ.get("MUSTER_ADDRESS")
    if not address:
        base = os.environ.get("XDG_RUNTIME_DIR")
        folder = f"{base}/muster" if base else f"/tmp/muster-{os.getuid()}"
        address = f"unix:{folder}/default/register.sock"
    return address.removeprefix("http://")


def plm_address(channel, registry_pb2, registry_pb2_grpc, name):
    """Asks the Register, which is the front door of a cell, where the PLM is."""
    answer = registry_pb2_grpc.RegistryServiceStub(channel).RegisterClient(
        registry_pb2.RegisterClientRequest(wire_version=1, name=name), timeout=10)
    return answer.plm_addresses[0].removeprefix("http://"), answer.client_id
