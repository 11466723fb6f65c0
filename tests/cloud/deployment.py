"""The one way in which template.yaml gets to a cloud, AWS or the local one: secrets, sam build, sam deploy, page."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.exceptions import ClientError

from tests.cloud import page
from tests.cloud import settings as owner
from tests.cloud.errors import CannotDeploy
from tests.cloud.settings import Settings
from tests.cloud.stack import LocalTransport, Stack
from tests.cloud.tools import ROOT, installed

BUILT_LAYER = ROOT / ".aws-sam/build/CoreLayer"
ANSWER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Target:
    """A cloud to deploy to: all that differs between the local one and AWS."""

    config_env: str
    """The environment in samconfig.toml."""
    region: str
    arch: str
    log: Path | None = None
    """Where sam's output goes; None: where ours goes."""
    endpoint_url: str | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)
    """boto3's keyword arguments; empty: boto3 and SAM find the owner's own."""
    sam_environment: Mapping[str, str] = field(default_factory=dict)
    local_port: int = 0
    """Of the local cloud."""

    @property
    def stack_name(self) -> str:
        return owner.stack_name(self.config_env)

    def aws(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            **self.credentials,
        )


def tell(said: str) -> None:
    print(said, flush=True)  # sam writes to the same place when it is not sent to a log


def deploy(target: Target, settings: Settings, say: Callable[[str], None] = tell) -> Stack:
    """Deploys, or updates what is there. Raises CannotDeploy."""
    write_secrets(target, settings)
    with _one_build_at_a_time(), ThreadPoolExecutor(1) as beside:
        say("building the functions and the page")
        built = beside.submit(page.build)
        build(target)
        say("deploying template.yaml")
        sam_deploy(target, settings)
        built.result()
        outputs = {output["OutputKey"]: output["OutputValue"] for output in deployed(target)["Outputs"]}
        say("uploading the page")
        page.upload(target.aws("s3"), target.aws("cloudfront"), outputs)
    say("waiting for the site to answer")
    wait_until_healthy(outputs["SiteUrl"])
    return describe(target, outputs["SiteUrl"])


def deployed(target: Target) -> Any:
    """CloudFormation's description of the stack; {} when there is none yet."""
    try:
        return target.aws("cloudformation").describe_stacks(StackName=target.stack_name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return {}
        raise


def write_secrets(target: Target, settings: Settings) -> None:
    ssm = target.aws("ssm")
    for name, value in settings.secrets.items():
        ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


def build(target: Target) -> None:
    for folder in ("functions", "layers"):
        # sam packs and hashes the sources as they lie there: caches of Python would spoil both.
        for cache in (ROOT / folder).rglob("__pycache__"):
            shutil.rmtree(cache, ignore_errors=True)
    run_sam(target, "build", "--parameter-overrides", f"Arch={target.arch}")
    # A Lambda cannot write bytecode beside its code, so without this every cold start would compile all of it anew.
    # As a program: its workers would run a caller's script once more, which would wait for our lock for ever.
    options = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([sys.executable, "-m", "compileall", *options, BUILT_LAYER], check=False)


def sam_deploy(target: Target, settings: Settings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # As a file: values hold spaces and quotes, and an argument's are parsed by rules of its own.
        parameters = Path(folder) / "parameters.yaml"
        parameters.write_text(
            json.dumps(settings.parameters | {"Arch": target.arch, "LocalPort": str(target.local_port)})
        )
        run_sam(target, "deploy", "--parameter-overrides", f"file://{parameters}")


def wait_until_healthy(site_url: str) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS
    last = "no answer"
    with httpx.Client(transport=LocalTransport(), timeout=30) as client:
        while time.monotonic() < deadline:
            try:
                answer = client.get(f"{site_url}/api/health")
                if answer.status_code == 200:
                    return
                last = f"{answer.status_code} {answer.text[:500]}"
            except httpx.TransportError as error:
                last = str(error)
            time.sleep(0.2)
    raise CannotDeploy(f"{site_url}/api/health does not answer as it should: {last}")


def describe(target: Target, site_url: str) -> Stack:
    pages = target.aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=target.stack_name)
    parts: dict[str, dict[str, str]] = {}
    for each in pages:
        for part in each["StackResourceSummaries"]:
            parts.setdefault(part["ResourceType"], {})[part["LogicalResourceId"]] = part["PhysicalResourceId"]
    return Stack(
        site_url=site_url,
        api_url=f"{site_url}/api",
        aws_endpoint_url=target.endpoint_url,
        region=target.region,
        functions=parts["AWS::Lambda::Function"],
        tables=parts["AWS::DynamoDB::Table"],
        queues=parts["AWS::SQS::Queue"],
        credentials=dict(target.credentials),
    )


def run_sam(target: Target, command: str, *arguments: str) -> None:
    environment = installed("sam")
    environ = {name: value for name, value in os.environ.items() if target.endpoint_url is None or name[:4] != "AWS_"}
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"  # sam build looks for python3.13 and its pip
    with target.log.open("w+") if target.log else nullcontext() as log:
        done = subprocess.run(
            [
                environment / "bin" / "sam",
                command,
                "--config-env",
                target.config_env,
                "--region",
                target.region,
                *arguments,
            ],
            cwd=ROOT,
            env=environ | {"PATH": path, "SAM_CLI_TELEMETRY": "0"} | dict(target.sam_environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log and subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            said = log.seek(0) or log.read()[-6000:] if log else "what went wrong stands above"
            raise CannotDeploy(f"sam {command} failed:\n{said}")


@contextmanager
def _one_build_at_a_time() -> Iterator[None]:
    """Deployments share the folder of builds, so that a second stack builds nothing anew; they take turns with it."""
    folder = ROOT / ".aws-sam"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
