"""What an owner says about a deployment, and how it is taken."""

from pathlib import Path

import pytest

from tests.cloud import settings
from tests.cloud.deploy import env_file
from tests.cloud.errors import MissingSettings
from tests.cloud.up import with_local_defaults

GIVEN = {
    "TRAKT_CLIENT_ID": "trakt-id",
    "TRAKT_CLIENT_SECRET": "trakt-secret",
    "KINOPUB_CLIENT_ID": "kinopub-id",
    "KINOPUB_CLIENT_SECRET": "kinopub-secret",
    "ALLOWED_TRAKT_USERS": "harry",
}


@pytest.mark.parametrize("config_env", ["local", "prod"])
def test_names_everything_that_is_missing_at_once(config_env: str) -> None:
    """An owner mends a deployment in one go. Blank counts as missing."""
    with pytest.raises(MissingSettings) as raised:
        settings.read({"TRAKT_CLIENT_ID": " "}, config_env)
    assert raised.value.names == list(GIVEN)


def test_what_an_earlier_deployment_knows_need_not_be_said_again() -> None:
    """An update keeps what was there: only its owner may know the secrets."""
    known = frozenset({"TraktClientId", "TraktClientSecret", "KinopubClientId", "KinopubClientSecret"})
    found = settings.read({"ALLOWED_TRAKT_USERS": "*"}, "prod", known)
    assert found.parameters == {"AllowedTraktUsers": "*"}
    assert found.secrets == {}


def test_a_secret_goes_to_ssm_and_nowhere_else() -> None:
    """The template is given its name."""
    found = settings.read(GIVEN | {"TMDB_READ_ACCESS_TOKEN": "tmdb-token"}, "prod")
    assert found.secrets == {
        "/watchferry/watchferry/trakt-client-secret": "trakt-secret",
        "/watchferry/watchferry/kinopub-client-secret": "kinopub-secret",
        "/watchferry/watchferry/tmdb-read-access-token": "tmdb-token",
    }
    assert found.parameters["TraktClientSecret"] == "/watchferry/watchferry/trakt-client-secret"
    assert not set(found.secrets.values()) & set(found.parameters.values())


def test_every_parameter_of_the_template_can_be_said() -> None:
    """In upper snake case; what follows from the target is not the owner's to say."""
    said = {settings.variable(name): f"/said/{name}" for name in settings.template_parameters()}
    found = settings.read(said, "prod")
    assert set(settings.template_parameters()) - set(found.parameters) == set(settings.OF_THE_TARGET)
    assert found.parameters["KinopubUserAgent"] == "/said/KinopubUserAgent"


def test_the_owner_s_word_goes_before_samconfig_s() -> None:
    """A laptop waits for nothing, unless it is told to."""
    assert settings.read(GIVEN, "local").parameters["SyncSpreadSeconds"] == "0"
    assert settings.read(GIVEN | {"SYNC_SPREAD_SECONDS": "30"}, "local").parameters["SyncSpreadSeconds"] == "30"
    assert "SyncSpreadSeconds" not in settings.read(GIVEN, "prod").parameters


def test_samconfig_names_parameters_that_exist() -> None:
    """A misspelt one would be ignored."""
    for config_env in ("local", "prod"):
        assert set(settings.overrides(config_env)) <= set(settings.template_parameters())


@pytest.mark.parametrize(
    ("given", "auth_url"),
    [
        ({}, None),
        ({"TRAKT_API_URL": "http://a"}, "http://a"),
        ({"TRAKT_API_URL": "http://a", "TRAKT_AUTH_URL": "http://b"}, "http://b"),
    ],
)
def test_a_stand_in_for_trakt_answers_oauth_too(given: dict[str, str], auth_url: str | None) -> None:
    """Its two addresses are one, unless both are given."""
    assert with_local_defaults(given).get("TRAKT_AUTH_URL") == auth_url


def test_env_file_reads_as_a_shell_does(tmp_path: Path) -> None:
    """Quotes, comments, `export`, and values with `=` in them."""
    file = tmp_path / ".env"
    file.write_text("# keys\nA=1\nexport B='two words' # note\nC=\"x=y\"\n\nD=\n")
    assert env_file(file) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}
    assert env_file(tmp_path / "none") == {}
