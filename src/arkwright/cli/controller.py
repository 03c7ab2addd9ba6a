"""`arkwright controller`: the loop, on whatever Kubernetes API the environment names."""

import logging
import sys
from types import SimpleNamespace
from typing import Annotated, Any

import structlog
import typer
import uvloop

from arkwright.cli.loglines import renderer as renderer_of_lines
from arkwright.cli.output import fail
from arkwright.cli.unsaid import lose_what_finds_no_room
from arkwright.clients.agentaccess import AgentAccess, InClear
from arkwright.clients.arklet import Timeouts
from arkwright.clients.errors import BadAccess, BadCredentials
from arkwright.controller.agentcalls import Limits
from arkwright.controller.app import ApiLimits, Health, Settings, run_controller
from arkwright.controller.leases import Terms
from arkwright.controller.realm import Looks
from arkwright.model.names import DEFAULT_LEASE
from arkwright.model.text import plain_values

# How agents are called, and who acts.
TokenFile = Annotated[str, typer.Option(help="File with the token that agents ask for.")]
Ca = Annotated[str, typer.Option(help="PEM file of who signs agents' certificates; calls go over TLS.")]
Certificate = Annotated[str, typer.Option(help="PEM file of our own certificate, for agents that ask.")]
CertificateKey = Annotated[str, typer.Option(help="PEM file of its key.")]
SigningKeyFile = Annotated[str, typer.Option(help="PEM file of the Ed25519 key that signs calls to agents.")]
InsecureToken = Annotated[bool, typer.Option(help="Send the token to agents without TLS, too.")]
KeysSecret = Annotated[
    str, typer.Option(help="Secret, in the Lease's namespace, for keys that sign calls to agents; made if need be.")
]
RequireAuthentication = Annotated[bool, typer.Option(help="Leave pods alone whose agents take calls from anybody.")]
Election = Annotated[bool, typer.Option(help="Act only while holding the Lease.")]
Sharing = Annotated[
    bool,
    typer.Option(
        "--shards", help="Act on a share of the namespaces: they are divided among all controllers that run with this."
    ),
]
LeaseNamespace = Annotated[str, typer.Option(help="Where the Lease lies.", envvar="POD_NAMESPACE")]
LeaseName = Annotated[str, typer.Option(help="The Lease's name.")]
LeaseDuration = Annotated[float, typer.Option(help="Seconds until a silent leader is replaced.")]
LeaseRenew = Annotated[float, typer.Option(help="Seconds between renewals.")]


def controller(
    namespace: Annotated[str, typer.Option(help="Only this namespace; all if left out.")] = "",
    health_host: Annotated[str, typer.Option(help="Address of /healthz, /readyz, /metrics and /agents.")] = "127.0.0.1",
    health_port: Annotated[int, typer.Option(help="Port of /healthz, /readyz, /metrics and /agents.")] = 8081,
    workers: Annotated[int, typer.Option(help="Keys planned at once.")] = 64,
    pace: Annotated[float, typer.Option(help="Least seconds between two looks at one ModuleDeployment.")] = 0.05,
    drift_period: Annotated[float, typer.Option(help="Seconds until a base is asked again; 0: never.")] = 60.0,
    calls_per_pod: Annotated[int, typer.Option(help="Calls at once to one base.")] = 4,
    calls: Annotated[int, typer.Option(help="Calls at once to all bases.")] = 400,
    connect_timeout: Annotated[float, typer.Option(help="Seconds to reach an agent.")] = 3.0,
    install_timeout: Annotated[float, typer.Option(help="Seconds for an install.")] = 300.0,
    uninstall_timeout: Annotated[float, typer.Option(help="Seconds for an uninstall, draining included.")] = 60.0,
    query_timeout: Annotated[float, typer.Option(help="Seconds for a question to an agent.")] = 5.0,
    agent_token_file: TokenFile = "",
    agent_ca: Ca = "",
    agent_certificate: Certificate = "",
    agent_key: CertificateKey = "",
    agent_signing_key: SigningKeyFile = "",
    agent_insecure: InsecureToken = False,
    agent_keys_secret: KeysSecret = "",
    require_agent_authentication: RequireAuthentication = False,
    api_timeout: Annotated[float, typer.Option(help="Seconds for a request to the Kubernetes API.")] = 30.0,
    api_writes: Annotated[int, typer.Option(help="Writes to the Kubernetes API at once, at the most.")] = 64,
    leader_election: Election = True,
    shards: Sharing = False,
    lease_namespace: LeaseNamespace = DEFAULT_LEASE[0],
    lease_name: LeaseName = DEFAULT_LEASE[1],
    lease_duration: LeaseDuration = 15.0,
    lease_renew: LeaseRenew = 3.0,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    log_format: Annotated[str, typer.Option(help="text or json.")] = "text",
) -> None:
    """Release modules, on the API server that KUBECONFIG names, else (in a pod) on its own cluster's."""
    said = locals()
    _configure_log(log_level, log_format)
    if shards and (namespace or not leader_election):
        fail(
            "--shards divides all namespaces, by Leases", "leave out --namespace and --no-leader-election, or --shards"
        )
    _run(_settings(SimpleNamespace(**said)))


def _settings(said: Any) -> Settings:
    """`said`: the options, by their names."""
    in_clear = InClear.ANYWHERE if said.agent_insecure else InClear.NOWHERE
    files = (said.agent_token_file, said.agent_ca, said.agent_certificate, said.agent_key, said.agent_signing_key)
    terms = Terms(said.lease_namespace, said.lease_name, said.lease_duration, said.lease_renew)
    return Settings(
        namespace=said.namespace,
        health=Health(said.health_host, said.health_port),
        looks=Looks(said.workers, said.pace, said.drift_period),
        timeouts=Timeouts(said.connect_timeout, said.install_timeout, said.uninstall_timeout, said.query_timeout),
        agents=AgentAccess(*files, in_clear),
        limits=Limits(said.calls_per_pod, said.calls),
        api=ApiLimits(said.api_timeout, said.api_writes),
        keys=(said.lease_namespace, said.agent_keys_secret) if said.agent_keys_secret else None,
        requires_authentication=said.require_agent_authentication,
        terms=terms if said.leader_election else None,
        shares=said.shards,
    )


def _run(settings: Settings) -> None:
    try:
        was_told_to_stop = uvloop.run(run_controller(settings))
    except BadCredentials as error:
        fail(str(error), "set KUBECONFIG to the file of a cluster, or run this in a pod with a service account")
    except BadAccess as error:
        fail(
            str(error), "--agent-ca, --agent-certificate and --agent-key name PEM files, --agent-token-file a text file"
        )
    except OSError as error:
        where = f"{settings.health.host}:{settings.health.port}"
        fail(f"cannot listen on {where}: {error.strerror}", "choose another port with --health-port (0: any free one)")
    if not was_told_to_stop:
        fail(
            "the Lease was lost: the API server was silent for too long, or another controller has taken it",
            "start again",
        )


def _configure_log(level: str, format: str) -> None:
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None or format not in ("text", "json"):
        fail(f"--log-level {level} --log-format {format} is not known", "levels: debug, info, warning, error")
    lose_what_finds_no_room()
    renderer = structlog.processors.JSONRenderer() if format == "json" else renderer_of_lines()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            plain_values,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer() if format == "json" else structlog.dev.set_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),  # not the one that was there when it was imported
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
