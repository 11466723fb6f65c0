"""`make deploy`: into the owner's AWS account. `python -m tests.cloud.deploy`"""

import os
import shlex
import sys
from getpass import getpass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.cloud import settings as owner
from tests.cloud.deployment import Target, deploy, deployed
from tests.cloud.errors import CannotDeploy, MissingSettings
from tests.cloud.tools import ROOT


def main() -> int:
    try:
        target = aws_target()
        settings = ask_for_missing(env_file(ROOT / ".env") | os.environ, target)
        stack = deploy(target, settings)
    except MissingSettings as error:
        print(f"make deploy needs these in the environment or in .env: {', '.join(error.names)}", file=sys.stderr)
        return 2
    except CannotDeploy as error:
        print(error, file=sys.stderr)
        return 1
    print(f"\nWatchferry is at {stack.site_url}")
    return 0


def aws_target() -> Target:
    session = boto3.Session(region_name=os.environ.get("AWS_REGION"))  # boto3 itself reads AWS_DEFAULT_REGION only
    if session.region_name is None:
        raise CannotDeploy("No AWS region is chosen: set AWS_REGION.")
    try:
        caller = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise CannotDeploy(f"AWS does not accept the credentials that were found: {error}") from error
    print(f"AWS account {caller['Account']}, region {session.region_name}, as {caller['Arn']}")
    return Target(config_env="prod", region=session.region_name, arch="arm64")


def ask_for_missing(environ: dict[str, str], target: Target) -> owner.Settings:
    """Questions, where somebody is there to answer them. What an earlier deployment was told need not be said again."""
    stack = deployed(target)
    told = stack.get("Parameters", ()) if stack.get("StackStatus", "").startswith(("CREATE_C", "UPDATE")) else ()
    known = frozenset(parameter["ParameterKey"] for parameter in told)
    try:
        return owner.read(environ, target.config_env, known)
    except MissingSettings as error:
        if not sys.stdin.isatty():
            raise
        hidden = {owner.variable(name) for name in owner.SECRETS}
        answers = {name: (getpass if name in hidden else input)(f"{name}: ") for name in error.names}
        return owner.read(environ | answers, target.config_env, known)


def env_file(file: Path) -> dict[str, str]:
    """`NAME=value` lines as a shell reads them: quotes, comments and `export` are allowed."""
    if not file.is_file():
        return {}
    words = [word for line in file.read_text().splitlines() for word in shlex.split(line, comments=True)]
    return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}


if __name__ == "__main__":
    sys.exit(main())
