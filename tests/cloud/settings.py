"""What the owner says about a deployment: the template's parameters and the secrets, named in upper snake case."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.cloud.errors import MissingSettings
from tests.cloud.tools import ROOT

TEMPLATE = ROOT / "template.yaml"

SECRETS = ("TraktClientSecret", "KinopubClientSecret", "TmdbReadAccessToken")
"""Parameters whose value is the name of an SSM SecureString; the environment holds the secret itself."""

OF_THE_TARGET = ("Arch", "LocalPort")
"""Parameters that follow from where the deployment goes; no owner sets them."""


@dataclass(frozen=True, slots=True)
class Settings:
    parameters: dict[str, str]
    """What is given to the template; everything else keeps its default or what it was at the last deployment."""
    secrets: dict[str, str]
    """The name of an SSM SecureString → its value."""


def variable(parameter: str) -> str:
    """`TraktApiUrl` → `TRAKT_API_URL`"""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def read(environ: Mapping[str, str], config_env: str, known: frozenset[str] = frozenset()) -> Settings:
    """Raises MissingSettings. What is `known` from an earlier deployment may be left out."""
    parameters = overrides(config_env)
    secrets: dict[str, str] = {}
    missing: list[str] = []
    for name, default in template_parameters().items():
        value = environ.get(variable(name), "").strip()
        if name in OF_THE_TARGET:
            continue
        if value and name in SECRETS:
            parameters[name] = secret_name(stack_name(config_env), name)
            secrets[parameters[name]] = value
        elif value:
            parameters[name] = value
        elif default is None and name not in parameters and name not in known:
            missing.append(variable(name))
    if missing:
        raise MissingSettings(missing)
    return Settings(parameters, secrets)


def secret_name(stack_name: str, parameter: str) -> str:
    """`/watchferry/<stack>/trakt-client-secret`"""
    return f"/watchferry/{stack_name}/{variable(parameter).lower().replace('_', '-')}"


def template_parameters() -> dict[str, str | None]:
    """Every parameter of the template with its default; None where the owner has to say."""
    return {
        name: None if "Default" not in body else str(body["Default"])
        for name, body in load_template()["Parameters"].items()
    }


def stack_name(config_env: str) -> str:
    return str(_samconfig()[config_env]["global"]["parameters"]["stack_name"])


def overrides(config_env: str) -> dict[str, str]:
    """The parameters that samconfig.toml sets for this environment."""
    pairs = _samconfig()[config_env]["deploy"]["parameters"].get("parameter_overrides", [])
    return dict(pair.split("=", 1) for pair in pairs)


def load_template(file: Path = TEMPLATE) -> Any:
    """The template as data, with `!Sub x` as `{"Sub": x}`."""
    return yaml.load(file.read_text(), Loader=_TemplateLoader)


def _short_function(loader: Any, function: str, node: Any) -> dict[str, Any]:
    construct = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda node: loader.construct_sequence(node, deep=True),
        yaml.MappingNode: lambda node: loader.construct_mapping(node, deep=True),
    }
    return {function: construct[type(node)](node)}


# YAML with CloudFormation's short functions. (PyYAML has no types here, so no class statement either.)
_TemplateLoader: Any = type("_TemplateLoader", (yaml.SafeLoader,), {})
_TemplateLoader.add_multi_constructor("!", _short_function)


def _samconfig() -> Any:
    return tomllib.loads((ROOT / "samconfig.toml").read_text())
