"""What is connected to what: the one place where things are made. Everything is made when it is first used.

A function's cold start pays only for what it uses: imports of HTTP and validation libraries stand inside.
"""

import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from watchferry.settings import Settings
from watchferry.storage._dynamo import Table

if TYPE_CHECKING:
    import httpcore
    import httpx

    from watchferry.auth.broker import Broker
    from watchferry.auth.facade import Facade
    from watchferry.auth.grants import OAuthHost
    from watchferry.auth.providers.kinopub import KinopubOAuth
    from watchferry.auth.providers.trakt import TraktOAuth
    from watchferry.auth.prowlarr import ProwlarrSetting
    from watchferry.clients._transport import Transport
    from watchferry.clients.guarded import GuardedDoor, Resolve
    from watchferry.clients.trakt import Trakt
    from watchferry.notify.application import Application
    from watchferry.notify.notices import Notices
    from watchferry.notify.notifier import Notifier
    from watchferry.notify.telling import Telling
    from watchferry.notify.webhook import WebhookSetting
    from watchferry.proxy.door import Door
    from watchferry.proxy.oauth import AuthApi
    from watchferry.proxy.prowlarr.door import ProwlarrDoor
    from watchferry.storage.accounts import Accounts
    from watchferry.storage.answers import Answers
    from watchferry.storage.api_tokens import ApiTokens
    from watchferry.storage.budgets import Budgets
    from watchferry.storage.departures import Departures
    from watchferry.storage.keep_alive import KeepAlive
    from watchferry.storage.ledger import Ledger
    from watchferry.storage.mappings import Mappings
    from watchferry.storage.overrides import Overrides
    from watchferry.storage.plans import Plans
    from watchferry.storage.prowlarr import Prowlarrs
    from watchferry.storage.rechecks import Rechecks
    from watchferry.storage.refusals import Refusals
    from watchferry.storage.runs import Runs
    from watchferry.storage.sessions import Sessions
    from watchferry.storage.tokens import Tokens
    from watchferry.storage.unmatched import UnmatchedTitles
    from watchferry.storage.webhooks import Webhooks
    from watchferry.sync.queues import Queues
    from watchferry.sync.workshop import Workshop
    from watchferry.vault import Vault


class Wiring:
    """One per process. Tests give their own environment, clock, HTTP transport, pause, resolver and network."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        transport: "httpx.BaseTransport | None" = None,
        resolve: "Resolve | None" = None,
        network: "httpcore.NetworkBackend | None" = None,
    ) -> None:
        self.settings = Settings.from_env(os.environ if environ is None else environ)
        self.clock = clock
        self.pause = pause
        self._transport = transport
        self._resolve = resolve
        self._network = network

    def aws(self, service: str, **special: Any) -> Any:
        import boto3
        from botocore.config import Config

        usual: dict[str, Any] = {"retries": {"mode": "standard", "max_attempts": 6}, "max_pool_connections": 64}
        return boto3.client(service, config=Config(**usual | special))  # type: ignore[call-overload]

    @cached_property
    def dynamo(self) -> Any:
        return self.aws("dynamodb")

    @cached_property
    def sqs(self) -> Any:
        return self.aws("sqs")

    @cached_property
    def ssm(self) -> Any:
        return self.aws("ssm")

    @cached_property
    def http(self) -> "httpx.Client":
        from watchferry.clients._transport import new_http

        return new_http(self._transport)

    def table(self, name: str) -> Table:
        return Table(self.dynamo, name)

    @cached_property
    def accounts(self) -> "Accounts":
        from watchferry.storage.accounts import Accounts

        return Accounts(self.table(self.settings.accounts_table), self.clock)

    @cached_property
    def sessions(self) -> "Sessions":
        from watchferry.storage.sessions import Sessions

        settings = self.settings
        table = self.table(settings.sessions_table)
        return Sessions(table, self.clock, settings.session_idle_days, settings.session_absolute_days)

    @cached_property
    def api_tokens(self) -> "ApiTokens":
        from watchferry.storage.api_tokens import ApiTokens

        return ApiTokens(self.table(self.settings.api_tokens_table), self.clock)

    @cached_property
    def keep_alive(self) -> "KeepAlive":
        from watchferry.storage.keep_alive import KeepAlive

        return KeepAlive(self.table(self.settings.accounts_table), self.clock)

    @cached_property
    def refusals(self) -> "Refusals":
        from watchferry.storage.refusals import Refusals

        return Refusals(self.table(self.settings.accounts_table), self.clock)

    @cached_property
    def departures(self) -> "Departures":
        from watchferry.storage.departures import Departures

        return Departures(self.table(self.settings.accounts_table), self.clock)

    @cached_property
    def tokens(self) -> "Tokens":
        from watchferry.storage.tokens import Tokens

        return Tokens(self.table(self.settings.tokens_table), self.clock)

    @cached_property
    def vault(self) -> "Vault":
        from watchferry.vault import Vault

        return Vault(self.aws("kms"), self.settings.token_key_arn)

    @cached_property
    def broker(self) -> "Broker":
        from watchferry.auth.broker import Broker
        from watchferry.auth.devices import Devices
        from watchferry.auth.pairs import Pairs
        from watchferry.storage.flows import Flows

        flows = Flows(self.table(self.settings.flows_table), self.clock)
        hosts: dict[str, OAuthHost] = {"trakt": self.trakt_oauth, "kinopub": self.kinopub_oauth}
        return Broker(
            trakt=self.trakt_oauth,
            hosts=hosts,
            trakt_api=self._transport_to_trakt(self.settings.trakt_api_url, tries=2, timeout=4.0),
            accounts=self.accounts,
            telling=self.telling,
            application=self.application,
            pairs=Pairs(self.tokens, self.vault),
            flows=flows,
            devices=Devices(hosts, flows, self.vault, self.clock),
            serves=self.settings.serves,
            clock=self.clock,
            pause=self.pause,
        )

    @cached_property
    def facade(self) -> "Facade":
        from watchferry.auth.facade import Facade

        return Facade(self.broker, self.api_tokens, self.budgets)

    @cached_property
    def trakt_oauth(self) -> "TraktOAuth":
        from watchferry.auth.grants import OAUTH_TIMEOUT
        from watchferry.auth.providers.trakt import TraktOAuth

        settings = self.settings
        return TraktOAuth(
            transport=self._transport_to_trakt(settings.trakt_auth_url, timeout=OAUTH_TIMEOUT),
            site_url=lambda: self.site_url,
            client_id=settings.trakt_client_id,
            client_secret=lambda: self.secret(settings.trakt_client_secret_parameter),
            clock=self.clock,
        )

    @cached_property
    def kinopub_oauth(self) -> "KinopubOAuth":
        from watchferry.auth.grants import OAUTH_TIMEOUT
        from watchferry.auth.providers.kinopub import KinopubOAuth
        from watchferry.clients._transport import Transport, new_http

        settings = self.settings
        return KinopubOAuth(
            transport=Transport(
                self.http,
                "Kinopub",
                settings.kinopub_api_url,
                {"User-Agent": settings.kinopub_user_agent or settings.user_agent},
                timeout=OAUTH_TIMEOUT,
            ),
            client_id=settings.kinopub_client_id,
            client_secret=lambda: self.secret(settings.kinopub_client_secret_parameter),
            clock=self.clock,
            new_http=lambda: new_http(self._transport, cookies=True),
            device={
                "title": "Watchferry",
                "hardware": "AWS Lambda",
                "software": f"Watchferry/{settings.watchferry_version}",
            },
        )

    def _transport_to_trakt(self, address: str, **limits: Any) -> "Transport":
        from watchferry.clients._transport import Transport
        from watchferry.clients.trakt import trakt_headers

        settings = self.settings
        headers = trakt_headers(settings.trakt_client_id, settings.user_agent)
        return Transport(
            self.http, "Trakt", address, headers, retry_base=settings.retry_base_seconds, pause=self.pause, **limits
        )

    @cached_property
    def site_url(self) -> str:
        """The deployment's own address, without a slash at the end; written by the template (architecture.md)."""
        found = self.ssm.get_parameter(Name=self.settings.site_url_parameter)
        return str(found["Parameter"]["Value"]).rstrip("/")

    def secret(self, parameter: str) -> str:
        """A deployment's secret, an SSM SecureString, read once per process."""
        if parameter not in self._secrets:
            found = self.ssm.get_parameter(Name=parameter, WithDecryption=True)
            self._secrets[parameter] = str(found["Parameter"]["Value"])
        return self._secrets[parameter]

    @cached_property
    def _secrets(self) -> dict[str, str]:
        return {}

    # Addresses of users' own

    def guarded_door(self, *, query: bool) -> "GuardedDoor":
        """`query`: whether such an address may have one."""
        from watchferry.clients.guarded import GuardedDoor
        from watchferry.proxy.address_guard import AddressGuard

        door = GuardedDoor(AddressGuard(self.settings.allow_private_prowlarr, query))
        door.resolve = self._resolve or door.resolve
        door.network = self._network or door.network
        return door

    @cached_property
    def prowlarrs(self) -> "Prowlarrs":
        from watchferry.storage.prowlarr import Prowlarrs

        return Prowlarrs(self.table(self.settings.prowlarr_table))

    @cached_property
    def prowlarr(self) -> "ProwlarrSetting":
        from watchferry.auth.prowlarr import ProwlarrSetting

        return ProwlarrSetting(self.prowlarrs, self.vault, self.guarded_door(query=False))

    @cached_property
    def webhooks(self) -> "Webhooks":
        from watchferry.storage.webhooks import Webhooks

        return Webhooks(self.table(self.settings.webhooks_table), self.clock)

    @cached_property
    def webhook(self) -> "WebhookSetting":
        from watchferry.notify.webhook import WebhookSetting

        return WebhookSetting(self.webhooks, self.vault, self.guarded_door(query=True), self.notices, self.clock)

    # Being told

    @cached_property
    def notices(self) -> "Notices":
        from watchferry.notify.notices import Notices

        return Notices(lambda: self.sqs, self.settings.notices_queue_url, self.settings.notices_dlq_url)

    @cached_property
    def telling(self) -> "Telling":
        from watchferry.notify.telling import Telling

        return Telling(self.accounts, self.notices, self.clock)

    @cached_property
    def application(self) -> "Application":
        from watchferry.clients.trakt import ask_with_key
        from watchferry.notify.application import Application

        def ask_trakt(path: str | None) -> None:
            if path is None:
                self.trakt_oauth.check_client()
            else:
                ask_with_key(self._transport_to_trakt(self.settings.trakt_api_url, timeout=4.0), path)

        return Application(
            refusals=self.refusals,
            notices=self.notices,
            asks={"trakt": ask_trakt, "kinopub": lambda _: self.kinopub_oauth.check_client()},
            clock=self.clock,
        )

    @cached_property
    def sns(self) -> Any:
        return self.aws("sns")

    @cached_property
    def notifier(self) -> "Notifier":
        from watchferry.notify.notifier import Notifier

        settings = self.settings
        return Notifier(
            webhooks=self.webhooks,
            vault=self.vault,
            door=self.guarded_door(query=True),
            sns=lambda: self.sns,
            topic=settings.operator_topic_arn,
            site_url=lambda: self.site_url,
            user_agent=settings.user_agent,
            clock=self.clock,
            retry_base=settings.retry_base_seconds,
        )

    # The sync

    @cached_property
    def runs(self) -> "Runs":
        from watchferry.storage.runs import Runs

        return Runs(self.table(self.settings.runs_table), self.clock)

    @cached_property
    def plans(self) -> "Plans":
        from watchferry.storage.plans import Plans

        return Plans(self.table(self.settings.plans_table), self.clock)

    @cached_property
    def ledger(self) -> "Ledger":
        from watchferry.storage.ledger import Ledger

        return Ledger(self.table(self.settings.ledger_table), self.clock)

    @cached_property
    def budgets(self) -> "Budgets":
        from watchferry.storage.budgets import Budgets

        return Budgets(self.table(self.settings.budgets_table), self.clock)

    @cached_property
    def queues(self) -> "Queues":
        from watchferry.sync.queues import Queues

        settings = self.settings
        return Queues(
            self.sqs,
            sync_jobs=settings.sync_jobs_queue_url,
            sync_jobs_dlq=settings.sync_jobs_dlq_url,
            history_batches=settings.history_batches_queue_url,
            history_batches_dlq=settings.history_batches_dlq_url,
        )

    @cached_property
    def mappings(self) -> "Mappings":
        from watchferry.storage.mappings import Mappings

        return Mappings(self.table(self.settings.mappings_table), self.clock)

    @cached_property
    def rechecks(self) -> "Rechecks":
        from watchferry.storage.rechecks import Rechecks

        return Rechecks(self.table(self.settings.rechecks_table), self.clock)

    @cached_property
    def unmatched(self) -> "UnmatchedTitles":
        from watchferry.storage.unmatched import UnmatchedTitles

        return UnmatchedTitles(self.table(self.settings.unmatched_table), self.clock)

    @cached_property
    def overrides(self) -> "Overrides":
        from watchferry.storage.overrides import Overrides

        return Overrides(self.table(self.settings.overrides_table))

    @cached_property
    def open_trakt(self) -> "Trakt":
        """What Trakt tells anybody, for a waiting person."""
        from watchferry.clients.trakt import Trakt

        return Trakt(self._transport_to_trakt(self.settings.trakt_api_url, tries=2, timeout=5.0), None)

    @cached_property
    def workshop(self) -> "Workshop":
        from watchferry.sync.connected import Connected
        from watchferry.sync.workshop import Workshop

        settings, clock = self.settings, self.clock
        return Workshop(
            settings=settings,
            accounts=self.accounts,
            runs=self.runs,
            plans=self.plans,
            ledger=self.ledger,
            mappings=self.mappings,
            budgets=self.budgets,
            rechecks=self.rechecks,
            unmatched=self.unmatched,
            overrides=self.overrides,
            queues=self.queues,
            telling=self.telling,
            application=self.application,
            upstreams=Connected(settings, self.http, self.broker, self.pause),
            clock=clock,
            pause=self.pause,
        )

    # The proxy

    @cached_property
    def door(self) -> "Door":
        from watchferry.proxy.breaker import Breaker
        from watchferry.proxy.cache import Cache
        from watchferry.proxy.door import Door
        from watchferry.proxy.forward import Forwarder, new_transport
        from watchferry.proxy.upstreams import Upstreams

        settings, clock = self.settings, self.clock
        return Door(
            upstreams=Upstreams(settings, self.secret, lambda: self.broker),
            forwarder=Forwarder(self._transport or new_transport(), Breaker(clock), clock),
            cache=Cache(self.answers, clock, self.pause),
            budgets=self.budgets,
            application=lambda: self.application,
            passthrough=settings.proxy_passthrough,
            clock=clock,
            pause=self.pause,
        )

    @cached_property
    def answers(self) -> "Answers":
        from watchferry.storage.answers import Answers

        settings = self.settings
        table = self.table(settings.cached_answers_table)
        return Answers(table, lambda: self.s3, settings.answers_bucket, self.clock)

    @cached_property
    def auth_api(self) -> "AuthApi":
        from watchferry.proxy.oauth import AuthApi

        return AuthApi(
            self.aws("lambda", retries={"total_max_attempts": 1}, read_timeout=25), self.settings.auth_api_function
        )

    @cached_property
    def prowlarr_door(self) -> "ProwlarrDoor":
        from watchferry.proxy.breaker import Breaker
        from watchferry.proxy.prowlarr.door import ProwlarrDoor
        from watchferry.proxy.prowlarr.tickets import Tickets

        return ProwlarrDoor(
            prowlarrs=self.prowlarrs,
            accounts=self.accounts,
            vault=self.vault,
            tickets=Tickets(self.vault, self.clock),
            guarded=self.guarded_door(query=False),
            breaker=Breaker(self.clock),
            serves=self.settings.serves,
            site_url=lambda: self.site_url,
            user_agent=self.settings.user_agent,
            clock=self.clock,
        )

    @cached_property
    def s3(self) -> Any:
        return self.aws("s3")
