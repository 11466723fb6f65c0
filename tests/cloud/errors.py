"""What a deployment tells its owner instead of a stack trace."""


class CannotDeploy(Exception):
    """Something outside this program has to change; the message says what."""


class MissingSettings(CannotDeploy):
    """Names everything that the environment does not say, at once."""

    def __init__(self, names: list[str]) -> None:
        super().__init__("not set: " + ", ".join(names))
        self.names = names
