"""What the Slack front end is told, all of it from the environment; tokens are shown to nobody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import SecretStr

from assistant.errors import SettingsError
from assistant.incident import Frozen
from assistant.settings import CHANNEL_ID

EVERYONE = "*"
SLACK = "https://slack.com/api/"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PREFIXES = {"SLACK_BOT_TOKEN": "xoxb-", "SLACK_APP_TOKEN": "xapp-", "SLACK_SIGNING_SECRET": ""}
PERSON = re.compile(r"[UW][A-Z0-9]{2,}")


class SlackSettings(Frozen):
    """Tokens, and who may ask where."""

    bot_token: SecretStr
    app_token: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")
    channels: frozenset[str]
    people: frozenset[str]
    api: str = SLACK

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret in plain, so that a log can be kept free of them."""
        every = (self.bot_token, self.app_token, self.signing_secret)
        return tuple(one.get_secret_value() for one in every if one.get_secret_value())


def slack_settings(environment: Mapping[str, str], *, http: bool = False) -> SlackSettings:
    """What the environment says. Raises SettingsError, which names the variable and never its value.

    An empty list lets nobody in, so it is refused: whoever wants everyone writes `*`.
    """
    if environment.get("SLACK_CLIENT_ID") and environment.get("SLACK_CLIENT_SECRET"):
        raise SettingsError(
            "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are set, which Slack's library takes for an app "
            "of many workspaces: unset them, this one serves the workspace of SLACK_BOT_TOKEN"
        )
    return SlackSettings(
        bot_token=_secret(environment, "SLACK_BOT_TOKEN"),
        app_token=SecretStr("") if http else _secret(environment, "SLACK_APP_TOKEN"),
        signing_secret=_secret(environment, "SLACK_SIGNING_SECRET") if http else SecretStr(""),
        channels=_listed(environment, "SLACK_CHANNELS", CHANNEL_ID, "C0123ABCD"),
        people=_listed(environment, "SLACK_PEOPLE", PERSON, "U0123ABCD"),
        api=_address(environment.get("SLACK_API_URL", "") or SLACK),
    )


def _secret(environment: Mapping[str, str], name: str) -> SecretStr:
    value, prefix = environment.get(name, "").strip(), PREFIXES[name]
    if not value:
        raise SettingsError(f"{name} is not set: docs/slack.md says where Slack shows it")
    if not value.startswith(prefix):
        raise SettingsError(f"{name} does not begin with {prefix}: it is another kind of token")
    return SecretStr(value)


def _listed(
    environment: Mapping[str, str], name: str, form: re.Pattern[str], example: str
) -> frozenset[str]:
    ids = frozenset(environment.get(name, "").replace(",", " ").split())
    if not ids:
        raise SettingsError(
            f"{name} is empty, so nobody would be answered: name ids such as {example}, separated "
            f"by commas, or write {EVERYONE} to leave the choice to Slack"
        )
    for wrong in sorted(ids - {EVERYONE}):
        if not form.fullmatch(wrong):
            raise SettingsError(
                f"{name}: {wrong!r} is no id such as {example}: names can be changed by anybody, "
                "ids cannot (Slack: View details, at the bottom)"
            )
    return ids


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise SettingsError(f"SLACK_API_URL {url!r} is not https: tokens would go in plain text")
    return url.rstrip("/") + "/"
